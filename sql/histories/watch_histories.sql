-- Applied after the migrations whenever it changes: matches the names of imported files with films, and derives histories.

-- Matches names with films, the given names or (null) all that wait; returns the films whose histories change.
-- Ids come first: the TMDB id if the catalogue has it, else the film with the IMDb id, else the id that TMDB merged the TMDB
-- id into, else the TMDB id itself, which is exact although the catalogue does not have it. Then title and year are matched
-- as catalog.find_movie does. A match is accepted with a confidence of 0.9, or if it is the only candidate, has that very
-- title (or original title) and was released the year before or after (confidence 0.85 to 0.88). Other matches wait for a
-- person's decision. A film with an IMDb id never matches a name with another one.
-- Matches and decisions stay. A name without a match is searched again when the catalogue has a film of the same title:
-- films with similar titles could not be more than candidates.
-- A film of the year before or after is replaced by one of that title and the very year, once the catalogue has it.
create or replace function pipeline.match_named_films(of_names bigint[]) returns bigint[]
language plpgsql
as $$
declare
    by_id bigint[];
    sole bigint[];
    by_title bigint[];
begin
    with best as (
        select n.name_id, n.film_id as before, coalesce(m.title_id, x.title_id, s.successor_id, n.tmdb_id) as film_id,
            case when m.title_id is null and x.title_id is not null then 'imdb id' else 'tmdb id' end as matched_by
        from pipeline.named_films n
        left join catalog.titles m on m.title_id = n.tmdb_id
        left join lateral (
            select e.title_id from catalog.title_external_ids e
            where e.source = 'imdb' and e.value = n.imdb_id and e.title_id < 1000000000 order by e.title_id limit 1
        ) x on m.title_id is null
        left join catalog.successors s (title_id) on s.title_id = n.tmdb_id
        where (of_names is null or n.name_id = any (of_names)) and (n.tmdb_id is not null or n.imdb_id is not null)
    ), changed as (
        update pipeline.named_films n set film_id = b.film_id, matched_by = b.matched_by, confidence = 1
        from best b
        where n.name_id = b.name_id and b.film_id is not null and b.film_id is distinct from b.before
            and n.matched_by is distinct from 'decision'
        returning array[b.before, b.film_id] as films
    )
    select array_agg(distinct f.film) into by_id from changed, unnest(changed.films) f (film) where f.film is not null;

    -- The most frequent case for all names at once, with the same result as below at a tenth of the cost: a single film has
    -- the title in these years, and it was released in that very year.
    with named as materialized (
        select n.name_id, n.title, n.year, catalog.normalised(n.title) as normalised, catalog.title_key(n.title) as key
        from pipeline.named_films n
        where n.film_id is null and n.title <> '' and n.matched_by is null and n.year is not null and n.imdb_id is null
            and n.rivals = 1 and length(n.title) <= 300 and n.title !~ ', \S{1,5}$'
            and (of_names is null or n.name_id = any (of_names))
    ), similar_titles as (
        select n.name_id, n.year, k.title_id, m.release_year, k.kind, a.how, a.similarity
        from named n
        join catalog.title_names k on k.key = n.key and k.title_id < 1000000000
        join catalog.titles m on m.title_id = k.title_id
        cross join lateral (
            select case when k.name = n.title then 'exact' when k.normalised = n.normalised then 'normalised' else 'loose' end,
                case when k.name = n.title then 1 when k.normalised = n.normalised then 0.97 else 0.92 end
                - case when k.kind in ('title', 'original') then 0 else 0.03 end
        ) a (how, similarity)
        where m.release_year is null or m.release_year between n.year - 1 and n.year + 1
    ), certain as (
        select a.name_id, min(a.title_id) as title_id, max(a.similarity) as similarity,
            (array_agg(a.how || case a.kind when 'title' then ' title' else ' ' || a.kind || ' title' end
                order by a.similarity desc, a.kind = 'title' desc, a.kind = 'original' desc, a.kind))[1] as matched_by
        from similar_titles a
        group by a.name_id
        having min(a.title_id) = max(a.title_id) and bool_and(a.release_year = a.year) and max(a.similarity) >= 0.9
    ), matched as (
        update pipeline.named_films n
        set is_searched = true, film_id = c.title_id, matched_by = c.matched_by, confidence = c.similarity
        from certain c
        where n.name_id = c.name_id
        returning n.film_id
    )
    select array_agg(distinct m.film_id) into sole from matched m;

    with searched as materialized (
        select n.name_id, n.name, n.title, n.year, n.imdb_id, n.rivals, n.film_id as before
        from pipeline.named_films n
        where n.film_id is null and n.title <> '' and n.matched_by is null
            and (of_names is null or n.name_id = any (of_names))
            and (not n.is_searched
                or exists (
                    select from catalog.title_names m where m.key = catalog.title_key(n.title) and m.title_id < 1000000000))
        union all
        select n.name_id, n.name, n.title, n.year, n.imdb_id, n.rivals, n.film_id
        from pipeline.named_films n
        where n.film_id is not null and n.confidence < 0.9
            and (of_names is null or n.name_id = any (of_names))
            and exists (
                select from catalog.title_names k join catalog.titles m on m.title_id = k.title_id
                where k.key = catalog.title_key(n.title) and k.title_id < 1000000000 and m.release_year = n.year)
    ), candidates as materialized (
        select a.name_id, a.name, a.year, a.imdb_id, a.rivals, c.*, count(*) over (partition by a.name_id) as candidates
        from searched a
        cross join lateral catalog.candidates_for(a.title, a.year, 5, '{}') with ordinality
            c (title_id, title, release_year, confidence, matched_by, place)
    ), ranked as materialized (
        select c.name_id, c.name, c.title_id, c.title, c.release_year, c.confidence / c.rivals as confidence, c.matched_by,
            row_number() over (partition by c.name_id order by c.place) as place,
            c.confidence / c.rivals >= 0.9
                or c.candidates = 1 and c.rivals = 1 and abs(c.release_year - c.year) = 1
                and c.matched_by in ('exact title', 'normalised title', 'exact original title', 'normalised original title')
                as is_accepted
        from candidates c
        where c.imdb_id is null or not exists (
            select from catalog.title_external_ids e where e.title_id = c.title_id and e.source = 'imdb')
    ), doubtful as (
        insert into pipeline.match_reviews as r (review_id, name, candidates)
        select f.name_id, f.name, jsonb_agg(
            jsonb_build_object(
                'tmdb_id', f.title_id, 'title', f.title, 'release_year', f.release_year,
                'confidence', round(f.confidence::numeric, 3), 'matched_by', f.matched_by) order by f.place)
        from ranked f
        group by f.name_id, f.name
        having not coalesce(bool_or(f.is_accepted), false)
        on conflict (review_id) do update set candidates = excluded.candidates
        where r.status = 'open' and r.candidates <> excluded.candidates
    ), matched as (
        update pipeline.named_films n
        set is_searched = true, film_id = f.title_id, matched_by = f.matched_by, confidence = f.confidence
        from searched a
        left join ranked f on f.name_id = a.name_id and f.place = 1 and f.is_accepted
        where n.name_id = a.name_id and (a.before is null and not n.is_searched or f.title_id <> coalesce(a.before, 0))
        returning array[a.before, n.film_id] as films
    )
    select array_agg(distinct f.film) into by_title from matched m, unnest(m.films) f (film) where f.film is not null;

    delete from pipeline.match_reviews r using pipeline.named_films n
    where r.status = 'open' and n.name_id = r.review_id and n.film_id is not null;
    return coalesce(by_id, '{}') || coalesce(sole, '{}') || coalesce(by_title, '{}');
end
$$;

-- Updates the histories of a source, a person and films (each null: of all) from the entries; returns the numbers of rows.
-- A film is wanted if no file has it as seen. Its rating is that of the file of ratings, else the latest one. It was last
-- seen on the day in the diary, else on the day of its rating, else on the day on which it was marked as seen.
create or replace function pipeline.derive_histories(
    of_source text, of_person text, of_films bigint[],
    out added bigint, out updated bigint, out removed bigint, out unchanged bigint)
language plpgsql
set enable_nestloop = off  -- the rows that were just written have no statistics yet
set work_mem = '64MB'
set jit = off
as $$
declare
    of_names bigint[] := case when of_films is not null
        then array(select n.name_id from pipeline.named_films n where n.film_id = any (of_films)) end;
begin
    with derived as materialized (
        select e.person, n.film_id as title_id, e.source, bool_and(e.is_wanted) as is_wanted,
            (array_agg(e.rating order by e.part = 'ratings' desc, e.seen_at desc nulls last, e.part, e.name_id)
                filter (where e.rating is not null and not e.is_wanted))[1] as rating,
            coalesce(
                max(e.seen_at) filter (where e.part = 'diary'), max(e.seen_at) filter (where e.part = 'ratings'),
                max(e.seen_at) filter (where not e.is_wanted)) as seen_at
        from pipeline.watch_entries e
        join pipeline.named_films n using (name_id)
        where n.film_id is not null and (of_names is null or e.name_id = any (of_names))
            and (of_source is null or e.source = of_source) and (of_person is null or e.person = of_person)
        group by e.person, n.film_id, e.source
    ), deleted as (
        delete from catalog.watched_titles h
        where catalog.media_type(h.title_id) = 'movie' and (of_films is null or h.title_id = any (of_films))
            and (of_source is null or h.source = of_source) and (of_person is null or h.person = of_person)
            and not exists (
                select from derived d where (d.person, d.title_id, d.source) = (h.person, h.title_id, h.source))
        returning 1
    ), written as (
        insert into catalog.watched_titles as h (person, title_id, source, is_wanted, rating, seen_at)
        select d.person, d.title_id, d.source, d.is_wanted, d.rating, d.seen_at from derived d
        on conflict (person, title_id, source) do update set
            is_wanted = excluded.is_wanted, rating = excluded.rating, seen_at = excluded.seen_at, imported_at = now()
        where (h.is_wanted, h.rating, h.seen_at) is distinct from (excluded.is_wanted, excluded.rating, excluded.seen_at)
        returning xmax = 0 as is_new
    )
    select count(*) filter (where w.is_new), count(*) filter (where not w.is_new), (select count(*) from deleted),
        (select count(*) from derived) - count(*)
    into added, updated, removed, unchanged
    from written w;
end
$$;

-- Stores the entries of imported files from the temporary tables staged_entries and staged_names; returns how many rows were
-- written. A film that a file names several times is one entry with the latest rating.
create or replace function pipeline.store_entries(of_source text) returns bigint
language sql
set enable_nestloop = off
set work_mem = '64MB'
set jit = off
as $$
    with written as (
        insert into pipeline.watch_entries as e (person, source, part, name_id, is_wanted, rating, seen_at)
        select s.person, of_source, s.part, n.name_id, bool_and(s.is_wanted),
            (array_agg(s.rating order by s.seen_at desc nulls last, s.line desc) filter (where s.rating is not null))[1],
            max(s.seen_at)
        from staged_entries s
        join staged_names t using (no)
        join pipeline.named_films n using (name)
        group by s.person, s.part, n.name_id
        on conflict (person, source, part, name_id) do update set
            is_wanted = excluded.is_wanted, rating = excluded.rating, seen_at = excluded.seen_at
        where (e.is_wanted, e.rating, e.seen_at) is distinct from (excluded.is_wanted, excluded.rating, excluded.seen_at)
        returning 1
    )
    select count(*) from written;
$$;

-- Counts the stored entries of these parts, those that the staged files lack (leaving), and the leaving ones whose film is in
-- no other kind of file of the same person and source (lost): neither in one of staged_parts as staged, nor in another one as
-- stored. A film that moved from the watchlist to the diary is not lost.
drop function if exists pipeline.entries_that_leave(text, text, text[], boolean);
create or replace function pipeline.entries_that_leave(
    of_source text, of_person text, parts text[], staged_parts text[],
    out stored bigint, out leaving bigint, out lost bigint)
language sql
set enable_nestloop = off
set work_mem = '64MB'
set jit = off
as $$
    with staged as materialized (
        select distinct s.person, s.part, n.name_id
        from staged_entries s join staged_names t using (no) join pipeline.named_films n using (name)
    ), known as (
        select s.person, s.name_id from staged s where s.part <> all (parts)
        union
        select e.person, e.name_id
        from pipeline.watch_entries e
        where e.source = of_source and e.part <> all (staged_parts) and (of_person is null or e.person = of_person)
    )
    select count(*), count(*) filter (where s.name_id is null),
        count(*) filter (where s.name_id is null and k.name_id is null)
    from pipeline.watch_entries e
    left join staged s using (person, part, name_id)
    left join known k on (k.person, k.name_id) = (e.person, e.name_id)
    where e.source = of_source and e.part = any (parts) and (of_person is null or e.person = of_person)
$$;

-- Deletes the stored entries of these parts that the staged files lack; returns how many.
create or replace function pipeline.remove_entries(of_source text, of_person text, parts text[], out removed bigint)
language plpgsql
set enable_nestloop = off
set work_mem = '64MB'
set jit = off
as $$
begin
    delete from pipeline.watch_entries e
    where e.source = of_source and e.part = any (parts) and (of_person is null or e.person = of_person)
        and not exists (
            select from staged_entries s join staged_names t using (no) join pipeline.named_films n using (name)
            where s.person = e.person and s.part = e.part and n.name_id = e.name_id);
    get diagnostics removed = row_count;
end
$$;

-- Stores the rows on series in staged_series; with remove, deletes the stored rows of the same person and parts that the
-- files lack. Returns how many rows the files have.
create or replace function pipeline.store_series(
    of_person text, of_source text, parts text[], remove boolean, out stored bigint)
language plpgsql
set jit = off
as $$
begin
    if remove then
        delete from pipeline.series_entries e
        where e.person = of_person and e.source = of_source and e.part = any (parts)
            and not exists (select from staged_series s where (s.part, s.key) = (e.part, e.key));
    end if;
    insert into pipeline.series_entries as e (
        person, source, part, key, kind, title, year, imdb_id, tmdb_id, tvdb_id, season, episode, is_wanted, rating, seen_at,
        tmdb_episode_id)
    select distinct on (s.part, s.key) s.person, of_source, s.part, s.key, s.kind, s.title, s.year, s.imdb_id, s.tmdb_id,
        s.tvdb_id, s.season, s.episode, s.is_wanted, s.rating, s.seen_at,
        (to_jsonb(s) ->> 'tmdb_episode_id')::bigint -- code of an earlier release stages no such column
    from staged_series s
    order by s.part, s.key, s.seen_at desc nulls last, s.line desc
    on conflict (person, source, part, key) do update set
        title = excluded.title, year = excluded.year, imdb_id = excluded.imdb_id, tmdb_id = excluded.tmdb_id,
        tvdb_id = excluded.tvdb_id, is_wanted = excluded.is_wanted, rating = excluded.rating, seen_at = excluded.seen_at,
        tmdb_episode_id = excluded.tmdb_episode_id
    where (e.title, e.year, e.imdb_id, e.tmdb_id, e.tvdb_id, e.is_wanted, e.rating, e.seen_at, e.tmdb_episode_id) is distinct from
        (excluded.title, excluded.year, excluded.imdb_id, excluded.tmdb_id, excluded.tvdb_id, excluded.is_wanted,
         excluded.rating, excluded.seen_at, excluded.tmdb_episode_id);
    select count(*) into stored from staged_series;
end
$$;

-- Applies a decision at once to the entries of all people that wait for it. If it is taken back (status = 'open'), they wait
-- again.
create or replace function pipeline.decide_review() returns trigger
language plpgsql
as $$
declare
    before bigint;
begin
    if new.decision is not null and new.decision is distinct from old.decision then
        new.status := 'decided';
    elsif new.status = 'open' then
        new.decision := null;
    end if;
    if (new.status, new.decision) is not distinct from (old.status, old.decision) then
        return new;
    end if;
    new.decided_at := case when new.status = 'decided' then now() end;
    select n.film_id into before from pipeline.named_films n where n.name_id = new.review_id;
    update pipeline.named_films n
    set film_id = new.decision, matched_by = case when new.status = 'decided' then 'decision' end, confidence = null
    where n.name_id = new.review_id;
    perform pipeline.derive_histories(null, null, array_remove(array[before, new.decision], null));
    return new;
end
$$;
create or replace trigger decide_review before update of status, decision on pipeline.match_reviews
for each row execute function pipeline.decide_review();
