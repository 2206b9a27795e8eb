-- Applied after the migrations whenever it changes: films and the rows around them, compared with their stored responses.

-- Compares a chunk of accepted films with what their stored responses say, read again into the temporary table
-- incoming_films: one row for each row of the catalogue that differs, with its columns that do; no columns where a whole
-- row is missing or one too many. is_repairable: the film's rows can be written from the response again. What the films say
-- of shared rows (people, genres …) is noted in pipeline.shared_claims, as another film may say what is stored.
create or replace function pipeline.compare_responses()
returns table (tmdb_id bigint, table_name text, column_names text[], what text)
language plpgsql
set jit = off
as $$
#variable_conflict use_column
declare
    t record;
begin
    perform pipeline.stage_related_parts((select array_agg(f.title_id) from incoming_films f));

    return query
    select f.title_id, 'titles', d.names, case when m.title_id is null then 'missing' else 'other' end
    from incoming_films f
    left join catalog.titles m using (title_id)
    cross join lateral (
        select array_agg(c.name order by c.name) filter (where m.title_id is not null) as names, count(*) as differing
        from unnest(pipeline.columns_of_responses('titles')) c (name)
        where to_jsonb(m) -> c.name is distinct from to_jsonb(f) -> c.name
    ) d
    where d.differing > 0;

    return query
    select f.title_id, 'title_stats', d.names, case when s.title_id is null then 'missing' else 'other' end
    from incoming_films f
    join catalog.titles using (title_id)
    join pipeline.title_details r using (title_id)
    left join catalog.title_stats s using (title_id)
    left join pipeline.title_rule_inputs v on v.title_id = f.title_id
    left join pipeline.exported_titles l
        on l.title_id = f.title_id and l.export_date = (
            select a.export_date from pipeline.title_ids_as_of a where a.media_type = catalog.media_type(f.title_id))
    cross join lateral (
        select array_agg(c.name) as names from (values
            ('popularity', l.popularity is not null and s.popularity not in (f.popularity, l.popularity)),
            ('vote_average', (v.title_id is not null or s.seen_at <= r.fetched_at)
                and s.vote_average not in (f.vote_average, coalesce(v.vote_average, f.vote_average))),
            ('vote_count', (v.title_id is not null or s.seen_at <= r.fetched_at)
                and s.vote_count not in (f.vote_count, coalesce(v.vote_count, f.vote_count))),
            ('seen_at', s.seen_at < r.fetched_at)
        ) c (name, differs)
        where c.differs
    ) d
    where s.title_id is null or d.names is not null;

    for t in select * from pipeline.response_tables() loop
        if t.is_shared then
            execute format(
                'insert into pipeline.shared_claims as k (name, id, is_confirmed, claim, seen_at)
                 select distinct on (q.%2$I) %1$L, q.%2$I, c.is_confirmed, c.claim, r.fetched_at
                 from (%3$s) q
                 join pipeline.title_details r on r.title_id = q.title_id
                 left join catalog.%1$I s on s.%2$I = q.%2$I
                 cross join lateral (
                     select (%4$s) is not distinct from (%5$s), to_jsonb(q) - ''title_id'') c (is_confirmed, claim)
                 order by q.%2$I, c.is_confirmed desc, r.fetched_at desc
                 on conflict (name, id) do update set
                     is_confirmed = excluded.is_confirmed, claim = excluded.claim, seen_at = excluded.seen_at
                 where not k.is_confirmed and (excluded.is_confirmed or excluded.seen_at > k.seen_at)',
                t.name, t.keys[1], t.query, pipeline.listed(t.columns, 'q.'), pipeline.listed(t.columns, 's.'));
        else
            return query execute format(
                'select
                     coalesce(e.title_id, a.title_id), %1$L,
                     case when e.title_id is not null and a.title_id is not null then array(
                         select c.name from unnest(%2$L::text[]) c (name)
                         where to_jsonb(e) -> c.name is distinct from to_jsonb(a) -> c.name) end,
                     case when a.title_id is null then ''missing'' when e.title_id is null then ''too many'' else ''other'' end
                 from (%3$s) e
                 full join (
                     select r.* from catalog.%1$I r where r.title_id in (select f.title_id from incoming_films f)) a using (%4$s)
                 where (%5$s) is distinct from (%6$s)',
                t.name, t.columns, t.query, pipeline.listed(t.keys, ''), pipeline.listed(t.columns, 'e.'),
                pipeline.listed(t.columns, 'a.'));
        end if;
    end loop;

    -- Of the episodes of a series, those of fetched seasons are known: more of these, or of seasons not listed, are too many.
    perform pipeline.stage_broadcasts();
    for t in select * from pipeline.broadcast_tables() loop
        return query execute format(
            'select
                 e.title_id, %1$L,
                 case when a.title_id is not null then array(
                     select c.name from unnest(%2$L::text[]) c (name)
                     where to_jsonb(e) -> c.name is distinct from to_jsonb(a) -> c.name) end,
                 case when a.title_id is null then ''missing'' else ''other'' end
             from (%3$s) e left join catalog.%1$I a using (%4$s)
             where (%5$s) is distinct from (%6$s)',
            t.name, t.columns, t.query, pipeline.listed(t.keys, ''), pipeline.listed(t.columns, 'e.'),
            pipeline.listed(t.columns, 'a.'));
    end loop;
    return query select s.title_id, s.table_name, null::text[], 'too many' from pipeline.surplus_broadcasts() s;
end
$$;

-- Columns of a table of the catalogue that films' responses decide: all but the key, generated ones and changed_at.
create or replace function pipeline.columns_of_responses(name text) returns text[]
language sql stable
return array(
    select a.attname::text from pg_attribute a
    where a.attrelid = to_regclass('catalog.' || quote_ident(columns_of_responses.name)) and a.attnum > 0
      and not a.attisdropped and a.attgenerated = '' and a.attname not in ('title_id', 'changed_at')
    order by a.attnum);

-- A movie that leaves takes its response out of the comparison, and may have been the newest to name a person, a company or
-- the like: the shared rows that it names are kept as its claims until reconciliation has written them anew.
create or replace function pipeline.keep_claims_of_leaving_movie() returns trigger
language plpgsql
as $$
begin
    insert into pipeline.departed_claims (name, id, claim)
    select 'people', p.person_id, to_jsonb(p) from catalog.people p
    where p.person_id in (
        select c.person_id from catalog.title_cast c where c.title_id = old.title_id
        union all select c.person_id from catalog.title_crew c where c.title_id = old.title_id
        union all select c.person_id from catalog.series_creators c where c.title_id = old.title_id)
    union all
    select 'networks', n.network_id, to_jsonb(n) from catalog.networks n join catalog.series_networks m using (network_id)
    where m.title_id = old.title_id
    union all
    select 'genres', g.genre_id, to_jsonb(g) from catalog.genres g join catalog.title_genres m using (genre_id)
    where m.title_id = old.title_id
    union all
    select 'keywords', k.keyword_id, to_jsonb(k) from catalog.keywords k join catalog.title_keywords m using (keyword_id)
    where m.title_id = old.title_id
    union all
    select 'companies', c.company_id, to_jsonb(c) from catalog.companies c join catalog.title_companies m using (company_id)
    where m.title_id = old.title_id
    union all
    select 'collections', c.collection_id, to_jsonb(c)
    from catalog.collections c join catalog.title_collections m using (collection_id)
    where m.title_id = old.title_id
    union all
    select 'watch_providers', w.provider_id, to_jsonb(w) from catalog.watch_providers w
    where w.provider_id in (select m.provider_id from catalog.title_watch_providers m where m.title_id = old.title_id);
    return old;
end
$$;

create or replace trigger keep_claims_of_leaving_movie before delete on catalog.titles
for each row execute function pipeline.keep_claims_of_leaving_movie();

-- Run by reconciliation after all responses were compared: shared rows that differ from every response, of movies that are
-- in the catalogue and of those that left. Missing rows are reported from the claims; rows that no movie names are not
-- compared.
create or replace function pipeline.compare_shared_rows()
returns table (table_name text, id bigint, column_names text[], what text)
language plpgsql
set jit = off
as $$
declare
    t record;
begin
    for t in select * from pipeline.response_tables() r where r.is_shared loop
        return query execute format(
            'select %1$L, k.id,
                 case when s.%2$I is not null then array(
                     select c.name from unnest(%3$L::text[]) c (name)
                     where to_jsonb(s) -> c.name is distinct from k.claim -> c.name) end,
                 case when s.%2$I is null then ''missing'' else ''other'' end
             from pipeline.shared_claims k left join catalog.%1$I s on s.%2$I = k.id
             where k.name = %1$L and not k.is_confirmed and to_jsonb(s) is distinct from k.claim
               and not exists (
                   select from pipeline.departed_claims d
                   where d.name = k.name and d.id = k.id and d.claim = to_jsonb(s))
             order by k.id', t.name, t.keys[1], t.columns);
    end loop;
end
$$;

-- Writes shared rows that differ from every response of a movie in the catalogue again, from the newest response that names
-- them; movies that are searched by such a name become due for their document. Returns the number of rows written. Claims of
-- movies that left are deleted.
create or replace function pipeline.repair_shared_rows() returns integer
language plpgsql
as $$
declare
    t record;
    written integer;
    repaired integer := 0;
begin
    for t in select * from pipeline.response_tables() r where r.is_shared loop
        execute format(
            'insert into catalog.%1$I as s (%2$s)
             select %3$s from pipeline.shared_claims k, jsonb_populate_record(null::catalog.%1$I, k.claim) c
             where k.name = %1$L and not k.is_confirmed
             on conflict (%4$I) do update set (%2$s) = row (%5$s)
             where (%6$s) is distinct from (%5$s)',
            t.name, pipeline.listed(t.columns, ''), pipeline.listed(t.columns, 'c.'), t.keys[1],
            pipeline.listed(t.columns, 'excluded.'), pipeline.listed(t.columns, 's.'));
        get diagnostics written = row_count;
        repaired := repaired + written;
    end loop;
    delete from pipeline.departed_claims;
    return repaired;
end
$$;

-- Makes the rows of some films writable again although their hashes say that nothing changed: store_details, which follows,
-- then writes all of them.
create or replace function pipeline.forget_rows(films bigint[]) returns void
language sql
as $$
    update catalog.titles set facts_hash = null where title_id = any (films);
    delete from catalog.title_stats where title_id = any (films);
$$;
