-- Applied after the migrations whenever it changes: which films imported files mean, and the histories made from them.

-- Finds the films of names, of these or (null) of all that wait, and tells which films' histories that moves.
-- Ids first: the TMDB id if the catalogue has it, else the film with the IMDb id, else what TMDB merged the id into, else the
-- id itself, which is exact though the catalogue does not have it. Then title and year, as catalog.find_movie does: what
-- is 0.9 sure applies, and so does the only candidate of that very title (or original title) that was released the year before
-- or after, with its 0.85 to 0.88; what is less waits for a person. A film that has an IMDb id is not the one with another.
-- What was found or decided stays. A name whose title was looked for in vain is looked for again when a film of the same
-- title is there: films that are merely alike could not be more than candidates.
-- A film of the year before or after is given up for one of that title and the very year, once there is one.
create or replace function pipeline.match_named_films(of_names bigint[]) returns bigint[]
language plpgsql
as $$
declare
    by_id bigint[];
    sole bigint[];
    by_title bigint[];
begin
    with best as (
        select n.name_id, n.film_id as before, coalesce(m.tmdb_id, x.tmdb_id, s.successor_id, n.tmdb_id) as film_id,
            case when m.tmdb_id is null and x.tmdb_id is not null then 'imdb id' else 'tmdb id' end as matched_by
        from pipeline.named_films n
        left join catalog.movies m on m.tmdb_id = n.tmdb_id
        left join lateral (
            select e.tmdb_id from catalog.movie_external_ids e
            where e.source = 'imdb' and e.value = n.imdb_id order by e.tmdb_id limit 1
        ) x on m.tmdb_id is null
        left join catalog.successors s on s.tmdb_id = n.tmdb_id
        where (of_names is null or n.name_id = any (of_names)) and (n.tmdb_id is not null or n.imdb_id is not null)
    ), moved as (
        update pipeline.named_films n set film_id = b.film_id, matched_by = b.matched_by, confidence = 1
        from best b
        where n.name_id = b.name_id and b.film_id is not null and b.film_id is distinct from b.before
            and n.matched_by is distinct from 'decision'
        returning array[b.before, b.film_id] as films
    )
    select array_agg(distinct f.film) into by_id from moved, unnest(moved.films) f (film) where f.film is not null;

    -- The plain case for all names at once, with the same answer as below at a tenth of its cost: one film has such a title
    -- in these years, and it was released in that very year.
    with named as materialized (
        select n.name_id, n.title, n.year, catalog.normalised(n.title) as normalised, catalog.title_key(n.title) as key
        from pipeline.named_films n
        where n.film_id is null and n.title <> '' and n.matched_by is null and n.year is not null and n.imdb_id is null
            and n.rivals = 1 and length(n.title) <= 300 and n.title !~ ', \S{1,5}$'
            and (of_names is null or n.name_id = any (of_names))
    ), alike as (
        select n.name_id, n.year, k.tmdb_id, m.release_year, k.kind, a.how, a.alike
        from named n
        join catalog.movie_names k on k.key = n.key
        join catalog.movies m on m.tmdb_id = k.tmdb_id
        cross join lateral (
            select case when k.name = n.title then 'exact' when k.normalised = n.normalised then 'normalised' else 'loose' end,
                case when k.name = n.title then 1 when k.normalised = n.normalised then 0.97 else 0.92 end
                - case when k.kind in ('title', 'original') then 0 else 0.03 end
        ) a (how, alike)
        where m.release_year is null or m.release_year between n.year - 1 and n.year + 1
    ), certain as (
        select a.name_id, min(a.tmdb_id) as tmdb_id, max(a.alike) as alike,
            (array_agg(a.how || case a.kind when 'title' then ' title' else ' ' || a.kind || ' title' end
                order by a.alike desc, a.kind = 'title' desc, a.kind = 'original' desc, a.kind))[1] as matched_by
        from alike a
        group by a.name_id
        having min(a.tmdb_id) = max(a.tmdb_id) and bool_and(a.release_year = a.year) and max(a.alike) >= 0.9
    ), settled as (
        update pipeline.named_films n
        set is_searched = true, film_id = c.tmdb_id, matched_by = c.matched_by, confidence = c.alike
        from certain c
        where n.name_id = c.name_id
        returning n.film_id
    )
    select array_agg(distinct s.film_id) into sole from settled s;

    with asked as materialized (
        select n.name_id, n.name, n.title, n.year, n.imdb_id, n.rivals, n.film_id as before
        from pipeline.named_films n
        where n.film_id is null and n.title <> '' and n.matched_by is null
            and (of_names is null or n.name_id = any (of_names))
            and (not n.is_searched
                or exists (select from catalog.movie_names m where m.key = catalog.title_key(n.title)))
        union all
        select n.name_id, n.name, n.title, n.year, n.imdb_id, n.rivals, n.film_id
        from pipeline.named_films n
        where n.film_id is not null and n.confidence < 0.9
            and (of_names is null or n.name_id = any (of_names))
            and exists (
                select from catalog.movie_names k join catalog.movies m on m.tmdb_id = k.tmdb_id
                where k.key = catalog.title_key(n.title) and m.release_year = n.year)
    ), candidates as materialized (
        select a.name_id, a.name, a.year, a.imdb_id, a.rivals, c.*, count(*) over (partition by a.name_id) as candidates
        from asked a
        cross join lateral catalog.candidates_for(a.title, a.year, 5, '{}') with ordinality
            c (tmdb_id, title, release_year, confidence, matched_by, place)
    ), found as materialized (
        select c.name_id, c.name, c.tmdb_id, c.title, c.release_year, c.confidence / c.rivals as confidence, c.matched_by,
            row_number() over (partition by c.name_id order by c.place) as place,
            c.confidence / c.rivals >= 0.9
                or c.candidates = 1 and c.rivals = 1 and abs(c.release_year - c.year) = 1
                and c.matched_by in ('exact title', 'normalised title', 'exact original title', 'normalised original title')
                as applies
        from candidates c
        where c.imdb_id is null or not exists (
            select from catalog.movie_external_ids e where e.tmdb_id = c.tmdb_id and e.source = 'imdb')
    ), doubtful as (
        insert into pipeline.match_reviews as r (review_id, name, candidates)
        select f.name_id, f.name, jsonb_agg(
            jsonb_build_object(
                'tmdb_id', f.tmdb_id, 'title', f.title, 'release_year', f.release_year,
                'confidence', round(f.confidence::numeric, 3), 'matched_by', f.matched_by) order by f.place)
        from found f
        group by f.name_id, f.name
        having not coalesce(bool_or(f.applies), false)
        on conflict (review_id) do update set candidates = excluded.candidates
        where r.status = 'open' and r.candidates <> excluded.candidates
    ), settled as (
        update pipeline.named_films n
        set is_searched = true, film_id = f.tmdb_id, matched_by = f.matched_by, confidence = f.confidence
        from asked a
        left join found f on f.name_id = a.name_id and f.place = 1 and f.applies
        where n.name_id = a.name_id and (a.before is null and not n.is_searched or f.tmdb_id <> coalesce(a.before, 0))
        returning array[a.before, n.film_id] as films
    )
    select array_agg(distinct f.film) into by_title from settled s, unnest(s.films) f (film) where f.film is not null;

    delete from pipeline.match_reviews r using pipeline.named_films n
    where r.status = 'open' and n.name_id = r.review_id and n.film_id is not null;
    return coalesce(by_id, '{}') || coalesce(sole, '{}') || coalesce(by_title, '{}');
end
$$;

-- Makes the histories of a source, a person, these films (each null: of all) what the entries say; tells what moved.
-- A film is wanted if no file says that it was seen. Its rating is the one in the file of ratings, else the latest. It
-- was seen last on the day that the diary has, else on the one on which it was rated, else on which it was marked as seen.
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
        select e.person, n.film_id as tmdb_id, e.source, bool_and(e.is_wanted) as is_wanted,
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
    ), gone as (
        delete from catalog.watch_histories h
        where (of_films is null or h.tmdb_id = any (of_films))
            and (of_source is null or h.source = of_source) and (of_person is null or h.person = of_person)
            and not exists (
                select from derived d where (d.person, d.tmdb_id, d.source) = (h.person, h.tmdb_id, h.source))
        returning 1
    ), written as (
        insert into catalog.watch_histories as h (person, tmdb_id, source, is_wanted, rating, seen_at)
        select d.person, d.tmdb_id, d.source, d.is_wanted, d.rating, d.seen_at from derived d
        on conflict (person, tmdb_id, source) do update set
            is_wanted = excluded.is_wanted, rating = excluded.rating, seen_at = excluded.seen_at, imported_at = now()
        where (h.is_wanted, h.rating, h.seen_at) is distinct from (excluded.is_wanted, excluded.rating, excluded.seen_at)
        returning xmax = 0 as is_new
    )
    select count(*) filter (where w.is_new), count(*) filter (where not w.is_new), (select count(*) from gone),
        (select count(*) from derived) - count(*)
    into added, updated, removed, unchanged
    from written w;
end
$$;

-- The entries of the files that are being imported, in the temporary tables staged_entries and staged_names. A film that a
-- file names several times is one entry, rated as it was last.
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

-- Counts the entries of earlier files of these parts, those of them that the staged files do not have (leaving), and those of
-- the leaving ones whose film no other kind of file of the same person and source has either (lost): neither one of
-- staged_parts as staged, nor another one as stored. A film that was on the watchlist and is in the diary now is not lost.
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

-- Takes out the entries of earlier files of these parts that the staged files do not have; returns how many.
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

-- Stores the rows on series that are staged in staged_series; with remove, takes out those that a person's earlier files of
-- the same parts had and these do not. Returns how many rows the files have.
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
        person, source, part, key, kind, title, year, imdb_id, tmdb_id, tvdb_id, season, episode, is_wanted, rating, seen_at)
    select distinct on (s.part, s.key) s.person, of_source, s.part, s.key, s.kind, s.title, s.year, s.imdb_id, s.tmdb_id,
        s.tvdb_id, s.season, s.episode, s.is_wanted, s.rating, s.seen_at
    from staged_series s
    order by s.part, s.key, s.seen_at desc nulls last, s.line desc
    on conflict (person, source, part, key) do update set
        title = excluded.title, year = excluded.year, imdb_id = excluded.imdb_id, tmdb_id = excluded.tmdb_id,
        tvdb_id = excluded.tvdb_id, is_wanted = excluded.is_wanted, rating = excluded.rating, seen_at = excluded.seen_at
    where (e.title, e.year, e.imdb_id, e.tmdb_id, e.tvdb_id, e.is_wanted, e.rating, e.seen_at) is distinct from
        (excluded.title, excluded.year, excluded.imdb_id, excluded.tmdb_id, excluded.tvdb_id, excluded.is_wanted,
         excluded.rating, excluded.seen_at);
    select count(*) into stored from staged_series;
end
$$;

-- A decision applies at once to everybody's entries that wait for it; taking it back (status = 'open') lets them wait again.
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
