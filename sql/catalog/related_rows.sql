-- Applied after the migrations whenever it changes: the related rows of films, and the history of popularity and votes.

-- Returns the tables whose rows come from films' responses, in the order in which they are written. `query` reads the
-- rows of a table from the temporary table related_parts. Rows of a shared table (people, genres …) belong to many
-- films, whose responses can have different values for one row; its query also has the film of each row.
create or replace function pipeline.response_tables()
returns table (name text, keys text[], columns text[], is_shared boolean, query text)
language sql immutable
as $$
    select * from (values
        ('people', '{person_id}'::text[], '{person_id,name,gender,profile_path}'::text[], true,
         'select n.title_id, r.* from related_parts n, jsonb_to_recordset(n.rows)
              as r (person_id bigint, name text, gender smallint, profile_path text)
          where n.part in (''cast'', ''crew'', ''creators'')'),
        ('genres', '{genre_id}', '{genre_id,name}', true,
         'select n.title_id, r.id as genre_id, r.name
          from related_parts n, jsonb_to_recordset(n.rows) as r (id bigint, name text) where n.part = ''genres'''),
        ('keywords', '{keyword_id}', '{keyword_id,name}', true,
         'select n.title_id, r.id as keyword_id, r.name
          from related_parts n, jsonb_to_recordset(n.rows) as r (id bigint, name text) where n.part = ''keywords'''),
        ('companies', '{company_id}', '{company_id,name,country,logo_path}', true,
         'select n.title_id, r.id as company_id, r.name, r.country, r.logo_path
          from related_parts n, jsonb_to_recordset(n.rows)
              as r (id bigint, name text, country text, logo_path text) where n.part = ''companies'''),
        ('collections', '{collection_id}', '{collection_id,name,poster_path}', true,
         'select n.title_id, r.id as collection_id, r.name, r.poster_path
          from related_parts n, jsonb_to_recordset(n.rows)
              as r (id bigint, name text, poster_path text) where n.part = ''collections'''),
        ('watch_providers', '{provider_id}', '{provider_id,name}', true,
         'select n.title_id, r.* from related_parts n, jsonb_to_recordset(n.rows)
              as r (provider_id bigint, name text) where n.part = ''watch_providers'''),
        ('networks', '{network_id}', '{network_id,name,country,logo_path}', true,
         'select n.title_id, r.id as network_id, r.name, r.country, r.logo_path
          from related_parts n, jsonb_to_recordset(n.rows)
              as r (id bigint, name text, country text, logo_path text) where n.part = ''networks'''),
        ('title_cast', '{title_id,person_id}', '{title_id,person_id,billing,character,episode_count}', false,
         'select n.title_id, r.* from related_parts n, jsonb_to_recordset(n.rows)
              as r (person_id bigint, billing smallint, character text, episode_count integer)
          where n.part = ''cast'''),
        ('title_crew', '{title_id,person_id,job}', '{title_id,person_id,job,department,episode_count}', false,
         'select n.title_id, r.* from related_parts n, jsonb_to_recordset(n.rows)
              as r (person_id bigint, job text, department text, episode_count integer) where n.part = ''crew'''),
        ('series_networks', '{title_id,network_id}', '{title_id,network_id,position}', false,
         'select n.title_id, r.id as network_id, r.position
          from related_parts n, jsonb_to_recordset(n.rows) as r (id bigint, position smallint)
          where n.part = ''networks'''),
        ('series_creators', '{title_id,person_id}', '{title_id,person_id,position}', false,
         'select n.title_id, r.* from related_parts n, jsonb_to_recordset(n.rows)
              as r (person_id bigint, position smallint) where n.part = ''creators'''),
        ('title_genres', '{title_id,genre_id}', '{title_id,genre_id}', false,
         'select n.title_id, r.id as genre_id
          from related_parts n, jsonb_to_recordset(n.rows) as r (id bigint) where n.part = ''genres'''),
        ('title_keywords', '{title_id,keyword_id}', '{title_id,keyword_id}', false,
         'select n.title_id, r.id as keyword_id
          from related_parts n, jsonb_to_recordset(n.rows) as r (id bigint) where n.part = ''keywords'''),
        ('title_companies', '{title_id,company_id}', '{title_id,company_id}', false,
         'select n.title_id, r.id as company_id
          from related_parts n, jsonb_to_recordset(n.rows) as r (id bigint) where n.part = ''companies'''),
        ('title_collections', '{title_id}', '{title_id,collection_id}', false,
         'select n.title_id, r.id as collection_id
          from related_parts n, jsonb_to_recordset(n.rows) as r (id bigint) where n.part = ''collections'''),
        ('title_countries', '{title_id,country}', '{title_id,country,name}', false,
         'select n.title_id, r.code as country, r.name
          from related_parts n, jsonb_to_recordset(n.rows) as r (code text, name text) where n.part = ''countries'''),
        ('title_languages', '{title_id,language}', '{title_id,language,name}', false,
         'select n.title_id, r.code as language, r.name
          from related_parts n, jsonb_to_recordset(n.rows) as r (code text, name text) where n.part = ''languages'''),
        ('title_certifications', '{title_id,country}',
         '{title_id,country,certification,release_type,released,descriptors,age}', false,
         'select n.title_id, r.country, r.certification, r.kind as release_type, r.released, r.descriptors,
              case
                  when r.labels is not null then catalog.strictest_label(
                      catalog.media_type(n.title_id), r.country, string_to_array(r.labels, E''\n''))
                  when a.label is null then catalog.age_in_label(r.certification)
                  else a.age
              end as age
          from related_parts n
          cross join jsonb_to_recordset(n.rows)
              as r (country text, certification text, kind smallint, released date, descriptors text, labels text)
          left join catalog.certification_ages a
              on (a.media_type, a.country, a.label) = (catalog.media_type(n.title_id), r.country, r.certification)
          where n.part = ''certifications'''),
        ('release_dates', '{title_id,country,release_type,release_date,note,language}',
         '{title_id,country,release_type,release_date,note,language,certification}', false,
         'select n.title_id, r.country, r.kind as release_type, r.released as release_date, r.note, r.language, r.certification
          from related_parts n, jsonb_to_recordset(n.rows)
              as r (country text, kind smallint, released date, note text, language text, certification text)
          where n.part = ''release_dates'''),
        ('title_external_ids', '{title_id,source}', '{title_id,source,value}', false,
         'select n.title_id, r.* from related_parts n, jsonb_to_recordset(n.rows)
              as r (source text, value text) where n.part = ''external_ids'''),
        ('title_videos', '{title_id,site,key}', '{title_id,key,site,name,kind,language,is_official,published}', false,
         'select n.title_id, r.* from related_parts n, jsonb_to_recordset(n.rows)
              as r (key text, site text, name text, kind text, language text, is_official boolean, published date)
          where n.part = ''videos'''),
        ('title_translations', '{title_id,language,country}', '{title_id,language,country,title,overview,tagline}', false,
         'select n.title_id, r.* from related_parts n, jsonb_to_recordset(n.rows)
              as r (language text, country text, title text, overview text, tagline text)
          where n.part = ''translations'''),
        ('title_alternative_titles', '{title_id,country,title}', '{title_id,country,title,kind}', false,
         'select n.title_id, r.* from related_parts n, jsonb_to_recordset(n.rows)
              as r (country text, title text, kind text) where n.part = ''alternative_titles'''),
        ('title_watch_providers', '{title_id,country,kind,provider_id}',
         '{title_id,country,kind,provider_id,link}', false,
         'select n.title_id, r.* from related_parts n, jsonb_to_recordset(n.rows)
              as r (country text, kind text, provider_id bigint, link text) where n.part = ''watch_providers''')
    ) as t
$$;

-- Searches find films by the names of their people. When a response in related_parts has another name for a person
-- than the stored one, the search documents of the person's films are due.
create or replace function pipeline.outdate_documents_of_people() returns void
language sql
as $$
    with renamed as materialized (
        select p.person_id
        from related_parts n
        cross join jsonb_to_recordset(n.rows) as r (person_id bigint, name text)
        join catalog.people p using (person_id)
        where n.part in ('cast', 'crew') and p.name <> r.name
    )
    delete from pipeline.title_document_sources s
    where s.title_id in (
        select c.title_id from catalog.title_cast c join renamed using (person_id)
        union all select c.title_id from catalog.title_crew c join renamed using (person_id))
$$;

-- Returns column names as a list for SQL, each with a prefix: a.x, a.y
create or replace function pipeline.listed(names text[], prefix text) returns text
language sql immutable
return (
    select string_agg(format('%s%I', prefix, n.name), ', ' order by n.place)
    from unnest(names) with ordinality n (name, place));

-- Reads the related rows of some of incoming_films into the temporary table related_parts, a row for each part that is
-- not empty: the queries of response_tables then unpack no more than their part.
create or replace function pipeline.stage_related_parts(films bigint[]) returns void
language plpgsql
as $$
begin
    create temp table if not exists related_parts (title_id bigint, part text, rows jsonb) on commit delete rows;
    truncate related_parts;
    insert into related_parts
    select f.title_id, p.key, p.value from incoming_films f cross join jsonb_each(f.related_rows) p
    where f.title_id = any (films) and p.value <> '[]';
    analyze related_parts;
end
$$;

-- Inserts the rows of a query into a table of the catalogue, and updates those with the same keys that have other values. Of
-- several rows with the same keys, that of the first title counts.
create or replace function pipeline.merge_rows(name text, keys text[], columns text[], query text) returns void
language plpgsql
as $$
begin
    execute format(
        'insert into catalog.%1$I as s (%2$s)
         select distinct on (%3$s) %2$s from (%4$s) q order by %3$s, q.title_id
         on conflict (%3$s) do update set (%2$s) = row (%5$s)
         where (%6$s) is distinct from (%5$s)',
        name, pipeline.listed(columns, ''), pipeline.listed(keys, ''), query, pipeline.listed(columns, 'excluded.'),
        pipeline.listed(columns, 's.'));
end
$$;

-- Run by store_details for each chunk: writes the related rows of `films`, which are in incoming_films, and first
-- deletes those that films in `stored` have. Rows of shared tables that no film names any more are deleted by
-- pipeline.delete_unnamed.
drop function if exists pipeline.store_facts();  -- its former name
drop function if exists pipeline.store_related_rows();
create or replace function pipeline.store_related_rows(films bigint[], stored bigint[]) returns void
language plpgsql
as $$
declare
    t record;
begin
    perform pipeline.stage_related_parts(films);
    for t in
        select * from pipeline.response_tables() r
        where not r.is_shared and r.name <> 'release_dates' and cardinality(stored) > 0
    loop
        execute format('delete from catalog.%I c where c.title_id = any ($1)', t.name) using stored;
    end loop;
    perform pipeline.outdate_documents_of_people();
    for t in select * from pipeline.response_tables() loop
        if t.is_shared then
            perform pipeline.merge_rows(t.name, t.keys, t.columns, t.query);
        elsif t.name = 'release_dates' then
            perform pipeline.store_release_dates(stored);  -- a calendar has to know which date moved where
        else
            execute format(
                'insert into catalog.%I (%s) select %2$s from (%s) q',
                t.name, pipeline.listed(t.columns, ''), t.query);
        end if;
    end loop;
    update catalog.titles m set facts_hash = f.facts_hash
    from incoming_films f
    where f.title_id = any (stored) and m.title_id = f.title_id and m.facts_hash is distinct from f.facts_hash;
end
$$;

-- Run when films were purged for TMDB's six months, and by clean_up: deletes the people, companies and the like that
-- no film names any more, and returns their number. The lock waits for chunks that are being stored and blocks the
-- next ones, which would fail if they referred to a person who is being deleted. It is taken in the order in which
-- store_related_rows writes.
create or replace function pipeline.delete_unnamed() returns integer
language plpgsql
as $$
declare
    deleted integer := 0;
    part integer;
    t record;
begin
    lock table catalog.people, catalog.genres, catalog.keywords, catalog.companies, catalog.collections,
        catalog.watch_providers, catalog.networks in share row exclusive mode;
    for t in
        select s.name, string_agg(
            format('not exists (select from catalog.%I r where r.%I = s.%2$I)', r.name, s.keys[1]), ' and '
        ) as is_unnamed
        from pipeline.response_tables() s
        join pipeline.response_tables() r on not r.is_shared and s.keys[1] = any (r.columns)
        where s.is_shared
        group by s.name
    loop
        execute format('delete from catalog.%I s where %s', t.name, t.is_unnamed);
        get diagnostics part = row_count;
        deleted := deleted + part;
    end loop;
    return deleted;
end
$$;

-- Run by tmdb_discoveries each day, once popularity and votes are those of the day: adds the values that changed to
-- the history, and refreshes the trends. Returns the number of films whose values changed since the last time, which
-- can be earlier on the same day.
drop function if exists pipeline.record_stats(date);
create or replace function pipeline.record_stats(day date, media text default 'movie') returns integer
language plpgsql
as $$
declare
    kept integer;
begin
    insert into catalog.title_stats_history as h (title_id, day, popularity, vote_average, vote_count)
    select s.title_id, record_stats.day, s.popularity, s.vote_average, s.vote_count
    from catalog.title_stats s
    left join lateral (
        select l.popularity, l.vote_average, l.vote_count from catalog.title_stats_history l
        where l.title_id = s.title_id and l.day <= record_stats.day order by l.day desc limit 1
    ) l on true
    where s.title_id between catalog.title_id(media, 1) and catalog.title_id(media, 999999999)
      and (l.popularity, l.vote_average, l.vote_count) is distinct from (s.popularity, s.vote_average, s.vote_count)
    on conflict on constraint title_stats_history_pkey do update set
        popularity = excluded.popularity, vote_average = excluded.vote_average, vote_count = excluded.vote_count;
    get diagnostics kept = row_count;
    perform pipeline.refresh_trends();
    return kept;
end
$$;
