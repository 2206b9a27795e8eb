-- Applied after the migrations whenever it changes: writes a chunk of responses of TMDB.

-- Reads the temporary table incoming_films (see the query stage_films): one row for each film that was fetched or
-- read again; `body` is null for the latter. Evaluates each film by the profiles in use (eligibility.sql), and returns the
-- number of films by outcome, and of films that are new or changed in the catalogue. Rows are rewritten only where they
-- changed. TMDB's response is newer than the export and the lists: a film that it describes is not deleted, and its votes
-- replace the listed ones until the lists are read again. Offers are followed in `regions`.
-- Dropped first: a function's columns cannot be replaced.
drop function if exists pipeline.store_details;
create function pipeline.store_details(moment timestamptz, judge text, regions text[] default '{US}')
returns table (accepted integer, rejected integer, added integer, changed integer)
language plpgsql
as $$
declare
    rewritten bigint[]; -- accepted films whose related rows are not the stored ones
    fetched bigint[]; -- titles that were fetched, and when they were fetched before
    former_times timestamptz[];
    stored bigint[]; -- those of them that the catalogue has
    media text := coalesce(catalog.media_type((select min(f.title_id) from incoming_films f)), 'movie'); -- of all titles
    today date := greatest(moment::date, (select e.day from pipeline.title_evaluation e where e.media_type = media));
begin
    if not exists (select from pipeline.title_profiles p where p.media_type = media) then
        raise exception 'no profile is in use: pipeline.evaluate has to run first';
    end if;
    select array_agg(r.title_id), array_agg(r.fetched_at) into fetched, former_times
    from pipeline.title_details r join incoming_films f using (title_id) where f.body is not null;
    insert into pipeline.title_details as r (title_id, body, fetched_at)
    select f.title_id, f.body, moment from incoming_films f where f.body is not null
    on conflict (title_id) do update set body = excluded.body, fetched_at = excluded.fetched_at;
    if media = 'series' then
        perform pipeline.store_season_details(moment);
    end if;

    -- The votes, date and language of a stored response that is read again may be older than those of the lists.
    insert into pipeline.title_rule_inputs as n (
        title_id, adult, video, softcore, vote_count, vote_average, release_date, runtime_minutes, original_language,
        seen_at, series_type, series_status
    )
    select f.title_id, f.adult, f.video, f.softcore, coalesce(d.vote_count, f.vote_count),
        coalesce(d.vote_average, f.vote_average), coalesce(d.release_date, f.release_date), f.runtime_minutes,
        coalesce(d.original_language, f.original_language), coalesce(d.seen_at, r.fetched_at),
        f.broadcasts #>> '{broadcasts,0,type}', case when media = 'series' then f.status end
    from incoming_films f
    join pipeline.title_details r using (title_id)
    left join lateral (
        select n.vote_count, n.vote_average, n.release_date, n.original_language, n.seen_at
        from pipeline.title_rule_inputs n
        where n.title_id = f.title_id and f.body is null and n.seen_at > r.fetched_at
        union all
        select l.vote_count, l.vote_average, l.release_date, l.original_language, l.read_at
        from pipeline.discovered_titles l
        where l.title_id = f.title_id and f.body is null and l.read_at > r.fetched_at
        limit 1
    ) d on true
    on conflict (title_id) do update set
        adult = excluded.adult, video = excluded.video, softcore = excluded.softcore,
        vote_count = excluded.vote_count, vote_average = excluded.vote_average, release_date = excluded.release_date,
        runtime_minutes = excluded.runtime_minutes, original_language = excluded.original_language,
        seen_at = excluded.seen_at, series_type = excluded.series_type, series_status = excluded.series_status;

    update pipeline.title_ids i
    set fetched_at = case when f.body is null then i.fetched_at else moment end,
        -- A change that was reported during this run is left to the next run.
        changed_at = case when f.body is null or i.changed_at > moment then i.changed_at end,
        unlisted_at = case when f.body is null then i.unlisted_at end,
        gone_since = case when f.body is null then i.gone_since end,
        gone_reason = case when f.body is null then i.gone_reason end,
        export_reason = case when f.body is null or pipeline.is_export_rule(i.export_reason) then i.export_reason end,
        answer_version = case when f.body is null then i.answer_version else pipeline.answer_version(i.title_id) end,
        release_date = f.release_date,
        detail_reason = pipeline.unless_kept(e.reason, i.kept_on_request),
        failed_rules = e.failed_rules,
        judged_by = judge,
        attempts = 0,
        next_attempt_at = null,
        last_error = null
    from incoming_films f
    join pipeline.title_rule_inputs n using (title_id)
    cross join lateral pipeline.evaluate_film(
        today, true, n.adult, n.video, n.softcore, n.vote_count, n.vote_average, n.release_date, n.runtime_minutes,
        n.original_language, n.series_type, n.series_status, media) e
    where i.title_id = f.title_id;

    delete from catalog.titles m using incoming_films f, pipeline.title_ids i
    where m.title_id = f.title_id and i.title_id = f.title_id and i.state <> 'accepted';

    select array_agg(f.title_id), array_agg(f.title_id) filter (where m.title_id is not null) into rewritten, stored
    from incoming_films f
    join pipeline.title_ids i using (title_id)
    left join catalog.titles m using (title_id)
    where i.state = 'accepted' and f.facts_hash is distinct from m.facts_hash;

    with written as (
        insert into catalog.titles as m (
            title_id, imdb_id, title, original_title, original_language, release_date, runtime_minutes, status,
            tagline, overview, genres, keywords, directors, leading_cast, countries, collection_id, collection,
            certification, budget, revenue, poster_path, backdrop_path, embedding_text, text_hash, changed_at, facts_hash
        )
        select
            f.title_id, f.imdb_id, f.title, f.original_title, f.original_language, f.release_date,
            f.runtime_minutes, f.status, f.tagline, f.overview, f.genres, f.keywords, f.directors, f.leading_cast,
            f.countries, f.collection_id, f.collection, f.certification, f.budget, f.revenue, f.poster_path,
            f.backdrop_path, f.embedding_text, f.text_hash, moment, f.facts_hash
        from incoming_films f join pipeline.title_ids i using (title_id)
        where i.state = 'accepted'
        on conflict (title_id) do update set
            imdb_id = excluded.imdb_id, title = excluded.title, original_title = excluded.original_title,
            original_language = excluded.original_language, release_date = excluded.release_date,
            runtime_minutes = excluded.runtime_minutes, status = excluded.status, tagline = excluded.tagline,
            overview = excluded.overview, genres = excluded.genres, keywords = excluded.keywords,
            directors = excluded.directors, leading_cast = excluded.leading_cast, countries = excluded.countries,
            collection_id = excluded.collection_id, collection = excluded.collection,
            certification = excluded.certification, budget = excluded.budget, revenue = excluded.revenue,
            poster_path = excluded.poster_path, backdrop_path = excluded.backdrop_path,
            embedding_text = excluded.embedding_text, text_hash = excluded.text_hash,
            changed_at = excluded.changed_at, facts_hash = excluded.facts_hash
        where (
            m.imdb_id, m.title, m.original_title, m.original_language, m.release_date, m.runtime_minutes, m.status,
            m.tagline, m.overview, m.genres, m.keywords, m.directors, m.leading_cast, m.countries, m.collection_id,
            m.collection, m.certification, m.budget, m.revenue, m.poster_path, m.backdrop_path, m.embedding_text,
            m.text_hash
        ) is distinct from (
            excluded.imdb_id, excluded.title, excluded.original_title, excluded.original_language,
            excluded.release_date, excluded.runtime_minutes, excluded.status, excluded.tagline, excluded.overview,
            excluded.genres, excluded.keywords, excluded.directors, excluded.leading_cast, excluded.countries,
            excluded.collection_id, excluded.collection, excluded.certification, excluded.budget, excluded.revenue,
            excluded.poster_path, excluded.backdrop_path, excluded.embedding_text, excluded.text_hash
        )
        returning (m.xmax = 0) as is_new  -- true for an inserted row, false for an updated one
    )
    select count(*) filter (where is_new), count(*) filter (where not is_new) into added, changed from written;

    insert into catalog.title_stats as s (title_id, popularity, vote_average, vote_count, seen_at)
    select
        f.title_id,
        case when f.body is null then coalesce(l.popularity, f.popularity) else f.popularity end,
        n.vote_average,
        n.vote_count,
        n.seen_at
    from incoming_films f
    join catalog.titles using (title_id)
    join pipeline.title_rule_inputs n using (title_id)
    left join pipeline.exported_titles l
        on l.title_id = f.title_id and l.export_date = (
            select a.export_date from pipeline.title_ids_as_of a where a.media_type = media)
    on conflict (title_id) do update set
        popularity = excluded.popularity, vote_average = excluded.vote_average,
        vote_count = excluded.vote_count, seen_at = excluded.seen_at
    where s.seen_at < excluded.seen_at;

    if rewritten is not null then
        perform pipeline.store_related_rows(rewritten, stored);
    end if;
    if media = 'series' then
        perform pipeline.store_broadcasts();
    end if;
    perform pipeline.store_offers(moment, regions, fetched, former_times);

    select count(*) filter (where i.state = 'accepted'), count(*) filter (where i.state <> 'accepted')
    into accepted, rejected from incoming_films f join pipeline.title_ids i using (title_id);
    return next;
end
$$;
