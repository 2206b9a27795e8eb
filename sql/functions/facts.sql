-- Applied after the migrations whenever it changes: the rows around films, and the history of their numbers.

-- Run by store_details for each chunk: rewrites the rows of the accepted films among incoming_films whose facts are
-- not the ones that are stored. People, companies and the like are shared; those that no film names any more are deleted
-- by pipeline.delete_unnamed.
create or replace function pipeline.store_facts() returns integer
language plpgsql
as $$
declare
    rewritten integer;
    child text;
begin
    create temp table if not exists new_facts (tmdb_id bigint primary key, facts jsonb) on commit delete rows;
    truncate new_facts;
    insert into new_facts
    select f.tmdb_id, f.facts from incoming_films f join catalog.movies m using (tmdb_id)
    where f.facts_hash is distinct from m.facts_hash;
    get diagnostics rewritten = row_count;
    if rewritten = 0 then
        return 0;
    end if;
    analyze new_facts;
    foreach child in array array[
        'movie_cast', 'movie_crew', 'movie_genres', 'movie_keywords', 'movie_companies', 'movie_collections',
        'movie_countries', 'movie_languages', 'movie_certifications', 'movie_external_ids', 'movie_videos',
        'movie_translations', 'movie_alternative_titles', 'movie_watch_providers'
    ] loop
        execute format('delete from catalog.%I c using new_facts n where c.tmdb_id = n.tmdb_id', child);
    end loop;

    insert into catalog.people as p (person_id, name, gender, profile_path)
    select distinct on (r.person_id) r.person_id, r.name, r.gender, r.profile_path
    from new_facts n, jsonb_to_recordset((n.facts -> 'cast') || (n.facts -> 'crew'))
        as r (person_id bigint, name text, gender smallint, profile_path text)
    order by r.person_id
    on conflict (person_id) do update set
        name = excluded.name, gender = excluded.gender, profile_path = excluded.profile_path
    where (p.name, p.gender, p.profile_path) is distinct from (excluded.name, excluded.gender, excluded.profile_path);
    insert into catalog.movie_cast (tmdb_id, person_id, billing, character)
    select n.tmdb_id, r.person_id, r.billing, r.character
    from new_facts n, jsonb_to_recordset(n.facts -> 'cast') as r (person_id bigint, billing smallint, character text);
    insert into catalog.movie_crew (tmdb_id, person_id, job, department)
    select n.tmdb_id, r.person_id, r.job, r.department
    from new_facts n, jsonb_to_recordset(n.facts -> 'crew') as r (person_id bigint, job text, department text);

    insert into catalog.genres as g (genre_id, name)
    select distinct on (r.id) r.id, r.name
    from new_facts n, jsonb_to_recordset(n.facts -> 'genres') as r (id bigint, name text) order by r.id
    on conflict (genre_id) do update set name = excluded.name where g.name <> excluded.name;
    insert into catalog.movie_genres (tmdb_id, genre_id)
    select n.tmdb_id, r.id from new_facts n, jsonb_to_recordset(n.facts -> 'genres') as r (id bigint);
    insert into catalog.keywords as k (keyword_id, name)
    select distinct on (r.id) r.id, r.name
    from new_facts n, jsonb_to_recordset(n.facts -> 'keywords') as r (id bigint, name text) order by r.id
    on conflict (keyword_id) do update set name = excluded.name where k.name <> excluded.name;
    insert into catalog.movie_keywords (tmdb_id, keyword_id)
    select n.tmdb_id, r.id from new_facts n, jsonb_to_recordset(n.facts -> 'keywords') as r (id bigint);
    insert into catalog.companies as c (company_id, name, country, logo_path)
    select distinct on (r.id) r.id, r.name, r.country, r.logo_path
    from new_facts n, jsonb_to_recordset(n.facts -> 'companies') as r (id bigint, name text, country text, logo_path text)
    order by r.id
    on conflict (company_id) do update set
        name = excluded.name, country = excluded.country, logo_path = excluded.logo_path
    where (c.name, c.country, c.logo_path) is distinct from (excluded.name, excluded.country, excluded.logo_path);
    insert into catalog.movie_companies (tmdb_id, company_id)
    select n.tmdb_id, r.id from new_facts n, jsonb_to_recordset(n.facts -> 'companies') as r (id bigint);
    insert into catalog.collections as c (collection_id, name, poster_path)
    select distinct on (r.id) r.id, r.name, r.poster_path
    from new_facts n, jsonb_to_recordset(n.facts -> 'collections') as r (id bigint, name text, poster_path text)
    order by r.id
    on conflict (collection_id) do update set name = excluded.name, poster_path = excluded.poster_path
    where (c.name, c.poster_path) is distinct from (excluded.name, excluded.poster_path);
    insert into catalog.movie_collections (tmdb_id, collection_id)
    select n.tmdb_id, r.id from new_facts n, jsonb_to_recordset(n.facts -> 'collections') as r (id bigint);

    insert into catalog.movie_countries (tmdb_id, country, name)
    select n.tmdb_id, r.code, r.name from new_facts n, jsonb_to_recordset(n.facts -> 'countries') as r (code text, name text);
    insert into catalog.movie_languages (tmdb_id, language, name)
    select n.tmdb_id, r.code, r.name from new_facts n, jsonb_to_recordset(n.facts -> 'languages') as r (code text, name text);
    insert into catalog.movie_certifications (tmdb_id, country, certification, release_type, released)
    select n.tmdb_id, r.country, r.certification, r.kind, r.released
    from new_facts n, jsonb_to_recordset(n.facts -> 'certifications')
        as r (country text, certification text, kind smallint, released date);
    insert into catalog.movie_external_ids (tmdb_id, source, value)
    select n.tmdb_id, r.source, r.value
    from new_facts n, jsonb_to_recordset(n.facts -> 'external_ids') as r (source text, value text);
    insert into catalog.movie_videos (tmdb_id, key, site, name, kind, language, is_official, published)
    select n.tmdb_id, r.key, r.site, r.name, r.kind, r.language, r.is_official, r.published
    from new_facts n, jsonb_to_recordset(n.facts -> 'videos')
        as r (key text, site text, name text, kind text, language text, is_official boolean, published date);
    insert into catalog.movie_translations (tmdb_id, language, country, title, overview, tagline)
    select n.tmdb_id, r.language, r.country, r.title, r.overview, r.tagline
    from new_facts n, jsonb_to_recordset(n.facts -> 'translations')
        as r (language text, country text, title text, overview text, tagline text);
    insert into catalog.movie_alternative_titles (tmdb_id, country, title, kind)
    select n.tmdb_id, r.country, r.title, r.kind
    from new_facts n, jsonb_to_recordset(n.facts -> 'alternative_titles') as r (country text, title text, kind text);
    insert into catalog.watch_providers as w (provider_id, name)
    select distinct on (r.provider_id) r.provider_id, r.name
    from new_facts n, jsonb_to_recordset(n.facts -> 'watch_providers') as r (provider_id bigint, name text)
    order by r.provider_id
    on conflict (provider_id) do update set name = excluded.name where w.name <> excluded.name;
    insert into catalog.movie_watch_providers (tmdb_id, country, kind, provider_id, link)
    select n.tmdb_id, r.country, r.kind, r.provider_id, r.link
    from new_facts n, jsonb_to_recordset(n.facts -> 'watch_providers')
        as r (country text, kind text, provider_id bigint, link text);

    update catalog.movies m set facts_hash = f.facts_hash
    from incoming_films f, new_facts n where f.tmdb_id = n.tmdb_id and m.tmdb_id = n.tmdb_id;
    return rewritten;
end
$$;

-- Run when films were purged for TMDB's six months, and by clean_up: deletes the people, companies and the like that no film
-- names any more, and tells how many. The lock waits for chunks that are being stored, and lets the next ones wait: one
-- that relies on a person who is about to be deleted would fail. It is taken in the order in which store_facts writes.
create or replace function pipeline.delete_unnamed() returns integer
language plpgsql
as $$
declare
    deleted integer := 0;
    part integer;
begin
    lock table catalog.people, catalog.genres, catalog.keywords, catalog.companies, catalog.collections,
        catalog.watch_providers in share row exclusive mode;
    delete from catalog.people p
    where not exists (select from catalog.movie_cast c where c.person_id = p.person_id)
      and not exists (select from catalog.movie_crew c where c.person_id = p.person_id);
    get diagnostics part = row_count;
    deleted := deleted + part;
    delete from catalog.genres g where not exists (select from catalog.movie_genres f where f.genre_id = g.genre_id);
    get diagnostics part = row_count;
    deleted := deleted + part;
    delete from catalog.keywords k
    where not exists (select from catalog.movie_keywords f where f.keyword_id = k.keyword_id);
    get diagnostics part = row_count;
    deleted := deleted + part;
    delete from catalog.companies c
    where not exists (select from catalog.movie_companies f where f.company_id = c.company_id);
    get diagnostics part = row_count;
    deleted := deleted + part;
    delete from catalog.collections c
    where not exists (select from catalog.movie_collections f where f.collection_id = c.collection_id);
    get diagnostics part = row_count;
    deleted := deleted + part;
    delete from catalog.watch_providers w
    where not exists (select from catalog.movie_watch_providers f where f.provider_id = w.provider_id);
    get diagnostics part = row_count;
    return deleted + part;
end
$$;

-- Run by tmdb_discoveries each day, once popularity and votes are of that day: keeps those that moved, and what trends
-- follow from them. Returns how many films' numbers moved since the last time, which can be earlier on the same day.
create or replace function pipeline.record_stats(day date) returns integer
language plpgsql
as $$
declare
    kept integer;
begin
    insert into catalog.movie_stats_history as h (tmdb_id, day, popularity, vote_average, vote_count)
    select s.tmdb_id, record_stats.day, s.popularity, s.vote_average, s.vote_count
    from catalog.movie_stats s
    left join lateral (
        select l.popularity, l.vote_average, l.vote_count from catalog.movie_stats_history l
        where l.tmdb_id = s.tmdb_id and l.day <= record_stats.day order by l.day desc limit 1
    ) l on true
    where (l.popularity, l.vote_average, l.vote_count) is distinct from (s.popularity, s.vote_average, s.vote_count)
    on conflict on constraint movie_stats_history_pkey do update set
        popularity = excluded.popularity, vote_average = excluded.vote_average, vote_count = excluded.vote_count;
    get diagnostics kept = row_count;
    perform pipeline.refresh_trends();
    return kept;
end
$$;
