-- Applied after the migrations whenever it changes: how well an embedding set is searched.

-- Searches for some films of a set, the same ones while the catalogue stands, through the index and by comparing all:
-- the share of the ten nearest that were found (films at the distance of the tenth are as good as the tenth), and how
-- long both took.
create or replace function pipeline.measure_searches(which integer, samples integer, filters jsonb default '{}')
returns table (tmdb_id bigint, recall_at_10 double precision, milliseconds double precision, exact_ms double precision)
language plpgsql
as $$
#variable_conflict use_column
declare
    needle vector;
    exact double precision[];
    found double precision[];
    started timestamptz;
begin
    for tmdb_id, needle in execute format(
        'select v.title_id, v.embedding::vector from catalog.%I v order by md5(v.title_id::text) limit $1',
        'title_vectors_' || which) using samples
    loop
        started := clock_timestamp();
        found := array(select n.similarity from catalog.nearest_movies(needle, 10, filters, which) n (title_id));
        milliseconds := 1000 * extract(epoch from clock_timestamp() - started);
        started := clock_timestamp();
        exact := array(select n.similarity from catalog.nearest_movies(needle, 10, filters, which, exactly => true) n (title_id));
        exact_ms := 1000 * extract(epoch from clock_timestamp() - started);
        recall_at_10 := (select count(*) from unnest(found) f where f >= (select min(e) from unnest(exact) e) - 1e-6)
            ::double precision / nullif(cardinality(exact), 0);
        return next;
    end loop;
end
$$;

-- Golden pairs of which both films are in a set: the place of the other film among all, by similarity to the first.
create or replace function pipeline.golden_ranks(which integer)
returns table (title text, other_title text, within integer, place integer)
language plpgsql
as $$
begin
    return query execute format(
        'select p.title, p.other_title, p.within, (
             select count(*)::integer + 1 from catalog.%1$I v
             where v.title_id not in (a.title_id, b.title_id)
               and v.embedding <=> d.needle < d.distance)
         from pipeline.golden_pairs p
         join catalog.titles m on m.title = p.title and m.release_year = p.release_year
         join catalog.titles n on n.title = p.other_title and n.release_year = p.other_year
         join catalog.%1$I a on a.title_id = m.title_id
         join catalog.%1$I b on b.title_id = n.title_id
         cross join lateral ( -- read and computed once, not for each other film
             select c.needle, b.embedding <=> c.needle as distance
             from (select a.embedding::vector::halfvec as needle offset 0) c offset 0) d
         order by p.title', 'title_vectors_' || which);
end
$$;

-- Names what a measurement of a set depends on: versions of its rows (a row that is written anew has another xmin), its
-- index, which film is of which collection, the golden pairs. Equal names mean that nothing has to be measured again.
create or replace function pipeline.quality_content(which integer) returns table (vectors integer, content text)
language plpgsql stable
as $$
begin
    return query execute format(
        'select count(*)::integer, concat_ws(''-'', count(*), sum(hashint8extended(v.title_id, v.xmin::text::bigint)), $1,
             (select sum(hashint8extended(m.title_id, m.collection_id)) from catalog.titles m
              where m.collection_id is not null),
             (select md5(string_agg(p::text, '','' order by p)) from pipeline.golden_pairs p))
         from catalog.%I v', 'title_vectors_' || which)
    using pg_relation_filenode(to_regclass(format('catalog.%I', 'title_vectors_' || which || '_nearest')));
end
$$;

-- Filters with which a set's recall is measured: a common genre, a genre of about a tenth of the films, the newer half
-- of the years and the newest hundredth; at least ten films pass each.
create or replace function pipeline.filters_to_measure(which integer) returns table (says text, filters jsonb)
language plpgsql stable
as $$
begin
    return query execute format(
        'with genres as (
             select g.genre, count(*)::double precision / (select count(*) from catalog.%1$I) as share
             from catalog.%1$I v, unnest(v.genres) g (genre) group by 1 having count(*) >= 10
         ), picked as (
             (select 1 as place, genre, share from genres order by share desc, genre limit 1)
             union all (select 2, genre, share from genres order by abs(ln(share / 0.1)), genre limit 1)
         )
         select * from (
             select format(''%%s, %%s %%%%'', p.genre, round((100 * p.share)::numeric, 1)),
                 jsonb_build_object(''genres'', jsonb_build_array(p.genre))
             from (select distinct on (genre) * from picked order by genre, place) p order by p.place) g
         union all
         select distinct format(''since %%s'', y.since), jsonb_build_object(''year_from'', y.since)
         from (
             select s.share, percentile_disc(s.share) within group (order by v.release_year) as since
             from (values (0.5), (0.99)) s (share), catalog.%1$I v
             group by s.share having count(v.release_year) * (1 - s.share) >= 10) y', 'title_vectors_' || which);
end
$$;

-- Vectors to search for, the same ones while the catalogue stands: those of random films, and those of short
-- questions, which are made of six words from the overview of each of two films. Where SQL cannot make the vectors of
-- texts, the vectors halfway between the two stand for them: like real questions, they are near no film in particular.
create or replace function pipeline.search_samples(which integer, samples integer)
returns table (is_question boolean, needle vector)
language plpgsql
as $$
declare
    words text;
    film vector;
    other vector;
    other_words text;
    has_model boolean := true;
begin
    is_question := false;
    for needle in execute format(
        'select v.embedding::vector from catalog.%I v order by md5(v.title_id::text) limit $1', 'title_vectors_' || which)
        using samples
    loop
        return next;
    end loop;
    is_question := true;
    for film, words in execute format(
        'select v.embedding::vector, left(w.words, 500)
         from (select * from catalog.%I order by md5(title_id::text) desc limit $1) v
         join catalog.titles m using (title_id)
         cross join lateral (
             select string_agg(t.word, '' '') as words
             from (select s.*, count(*) over () as words
                   from regexp_split_to_table(coalesce(nullif(m.overview, ''''), m.embedding_text), ''\s+'')
                       with ordinality s (word, place)) t
             where (t.place - 1) %% greatest(1, t.words / 6) = 0) w
         order by md5(v.title_id::text) desc', 'title_vectors_' || which) using samples + 1
    loop
        if other is not null then
            needle := film;
            if has_model then
                begin
                    needle := catalog.question_vector(words || ' ' || other_words, which);
                exception when feature_not_supported then
                    has_model := false;
                end;
            end if;
            if not has_model and vector_norm(l2_normalize(film) + l2_normalize(other)) > 0 then
                needle := l2_normalize(l2_normalize(film) + l2_normalize(other));
            end if;
            return next;
        end if;
        other := film;
        other_words := words;
    end loop;
end
$$;

-- Fills the temporary table search_targets: what pipeline.measure_targets searches for, and the similarity of the
-- tenth film that comparing all finds. Questions are twice as many as films, as a graph misses more of what is near
-- them. Sets of fewer than 2,000 films are asked less, as their searches always compare all.
create or replace function pipeline.choose_targets(which integer) returns void
language plpgsql
as $$
declare
    target record;
    exact double precision[];
    started timestamptz;
    samples integer := 20;
begin
    create temp table if not exists search_targets (
        number integer, place integer, says text, is_question boolean, filters jsonb, needle vector,
        films integer, tenth double precision, exact_ms double precision, found integer, ms double precision
    ) on commit drop;
    truncate search_targets;
    execute format(
        'select case when count(*) < 2000 then 10 else 20 end from (select from catalog.%I limit 2000) v',
        'title_vectors_' || which) into samples;
    for target in
        with asked as (
            select s.*, row_number() over (partition by s.is_question) as number
            from pipeline.search_samples(which, 2 * samples) s
        ), filters as (
            select 0 as place, 'nothing' as says, '{}'::jsonb as filters
            union all
            select row_number() over (), f.says, f.filters from pipeline.filters_to_measure(which) f
        )
        select row_number() over () as number, f.*, a.is_question, a.needle
        from filters f join asked a
            on a.number <= samples / case when f.place = 0 then 1 else 2 end * case when a.is_question then 2 else 1 end
    loop
        started := clock_timestamp();
        exact := array(
            select n.similarity from catalog.nearest_movies(target.needle, 10, target.filters, which, true) n (title_id));
        insert into search_targets values (
            target.number, target.place, target.says, target.is_question, target.filters, target.needle,
            cardinality(exact), (select min(e) from unnest(exact) e),
            1000 * extract(epoch from clock_timestamp() - started));
    end loop;
    delete from search_targets where films = 0;
end
$$;

-- Searches for what pipeline.choose_targets chose. A row is a filter, with films or questions searched for: the share
-- of the ten nearest that were found (films at the distance of the tenth are as good as the tenth), and how long it
-- took.
create or replace function pipeline.measure_targets(which integer)
returns table (
    says text, is_question boolean, searches integer, recall_at_10 double precision, ms double precision,
    p95_ms double precision, exact_ms double precision
)
language plpgsql
as $$
#variable_conflict use_column
declare
    target record;
    hits integer;
    started timestamptz;
begin
    for target in select * from search_targets loop
        started := clock_timestamp();
        hits := (select count(*) from catalog.nearest_movies(target.needle, 10, target.filters, which) n (title_id)
                 where n.similarity >= target.tenth - 1e-6);
        update search_targets set found = hits, ms = 1000 * extract(epoch from clock_timestamp() - started)
        where number = target.number;
    end loop;
    return query
    select t.says, t.is_question, count(*)::integer, avg(t.found::numeric / t.films)::double precision,
        percentile_cont(0.5) within group (order by t.ms), percentile_cont(0.95) within group (order by t.ms),
        percentile_cont(0.5) within group (order by t.exact_ms)
    from search_targets t group by t.place, t.says, t.is_question order by t.place, t.is_question;
end
$$;

-- Measures the searches of a set as it is; see pipeline.measure_targets.
create or replace function pipeline.measure_filters(which integer)
returns table (
    says text, is_question boolean, searches integer, recall_at_10 double precision, ms double precision,
    exact_ms double precision
)
language plpgsql
as $$
begin
    perform pipeline.choose_targets(which);
    return query
    select m.says, m.is_question, m.searches, m.recall_at_10, m.ms, m.exact_ms from pipeline.measure_targets(which) m;
end
$$;

-- Raises the number of films that searches of a set visit until they find the share `goal` of the ten nearest, with
-- films and with questions, with each filter and without. Where more are visited, more films are compared without the
-- graph, too: see catalog.nearest_movies. Returns each number that was tried, the least recall of all filters, the
-- filter, and the 95th percentile of the times. Begins with the present number, or with `anew` from the first, as for
-- another index. If none is enough, it is set back to the least with which hardly less is found than with any: what
-- 1,000 do not find is often a film that no link of the graph leads to.
create or replace function pipeline.tune_searches(which integer, goal double precision, anew boolean default false)
returns table (ef_search integer, recall_at_10 double precision, says text, p95_ms double precision)
language plpgsql
as $$
#variable_conflict use_column
declare
    tried integer;
    step record;
    steps jsonb := '[]';
    present integer := (select coalesce(s.ef_search, 100) from pipeline.embedding_sets s where s.set_id = which);
begin
    perform pipeline.choose_targets(which);
    foreach tried in array array[100, 150, 200, 300, 400, 600, 800, 1000] loop
        continue when tried < present and not anew;
        update pipeline.embedding_sets set ef_search = tried where set_id = which;
        ef_search := tried;
        select m.recall_at_10, m.says || case when m.is_question then ', questions' else '' end
        into recall_at_10, says
        from pipeline.measure_targets(which) m order by m.recall_at_10 limit 1;
        p95_ms := (select percentile_cont(0.95) within group (order by t.ms) from search_targets t);
        return next;
        if recall_at_10 is null or recall_at_10 >= goal then
            return;
        end if;
        steps := steps || jsonb_build_object('ef', tried, 'recall', recall_at_10, 'says', says, 'ms', p95_ms);
    end loop;
    select s.* into step from jsonb_to_recordset(steps) s (ef integer, recall float8, says text, ms float8)
    where s.recall >= (select max((t -> 'recall')::float8) from jsonb_array_elements(steps) t) - 0.005
    order by s.ef limit 1;
    if step.ef < ef_search then
        update pipeline.embedding_sets set ef_search = step.ef where set_id = which;
        ef_search := step.ef;
        recall_at_10 := step.recall;
        says := step.says;
        p95_ms := step.ms;
        return next;
    end if;
end
$$;

-- Searches for the nearest films of a sample of films: random ones, and as many of films in collections. The sample
-- stays the same while the catalogue does not change. siblings is the number of other films in the collection;
-- similarities are those of the ten nearest films.
create or replace function pipeline.measure_neighbours(which integer, samples integer)
returns table (
    tmdb_id bigint, is_random boolean, milliseconds double precision, siblings integer, siblings_found integer,
    similarities double precision[]
)
language plpgsql
as $$
#variable_conflict use_column
declare
    needle vector;
    started timestamptz;
    found bigint[];
    others bigint[];
begin
    for tmdb_id, is_random, others, needle in execute format(
        'with siblings as (
             select m.collection_id, array_agg(m.title_id) as films from catalog.titles m join catalog.%1$I using (title_id)
             where m.collection_id is not null group by 1 having count(*) > 1
         ), picked as (
             (select title_id, true as is_random, null::bigint[] as others
              from catalog.%1$I order by md5(title_id::text) limit $1)
             union all
             (select f, false, array_remove(s.films, f) from siblings s, unnest(s.films) f order by md5(f::text) limit $1)
         )
         select p.title_id, p.is_random, p.others, v.embedding::vector
         from picked p join catalog.%1$I v using (title_id) order by p.is_random, p.title_id', 'title_vectors_' || which)
        using samples
    loop
        started := clock_timestamp();
        select array_agg(n.title_id), array_agg(n.similarity) into found, similarities
        from catalog.nearest_movies(needle, 11, '{}', which) n (title_id);
        milliseconds := 1000 * extract(epoch from clock_timestamp() - started);
        select array_agg(n.title_id), array_agg(n.similarity order by n.similarity desc) into found, similarities
        from (select * from unnest(found, similarities) u (title_id, similarity)
              where u.title_id <> measure_neighbours.tmdb_id order by u.similarity desc limit 10) n;
        siblings := cardinality(others);
        siblings_found := (select count(*) from unnest(others) o where o = any (found));
        return next;
    end loop;
end
$$;

-- Vectors of a sample of films, in the form of pipeline.searched_vectors; the sample stays the same while the catalogue does
-- not change.
drop function if exists pipeline.sample_vectors;
create function pipeline.sample_vectors(which integer, samples integer) returns table (embedding bytea, is_short boolean)
language plpgsql stable
as $$
declare
    target regclass := format('catalog.%I', 'title_vectors_' || which);
    is_short boolean := catalog.is_short(target);
begin
    return query execute format(
        'select %s_send(v.embedding), $2 from %s v order by md5(v.title_id::text) limit $1',
        case when is_short then 'sparsevec' else 'halfvec' end, target) using samples, is_short;
end
$$;

-- The meaning of a similarity in each measured set; the values of different models cannot be compared.
--   loose          99 of 100 random pairs of films are less similar
--   related        half of the films have ten others of at least this similarity
--   very_similar   a quarter of the films have another one of at least this similarity
-- These are for films compared with films. A question is less similar to every film, because it has fewer words.
create or replace view catalog.similarity_thresholds as
select s.set_id, s.name, s.is_active, q.loose, q.related, q.very_similar, q.vectors as films, q.measured_at
from catalog.embedding_sets s
join lateral (
    select * from pipeline.search_quality q
    where q.set_id = s.set_id and q.loose is not null order by q.measurement_id desc limit 1
) q on true;
