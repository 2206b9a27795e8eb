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
        'select v.tmdb_id, v.embedding::vector from catalog.%I v order by md5(v.tmdb_id::text) limit $1',
        'movie_vectors_' || which) using samples
    loop
        started := clock_timestamp();
        found := array(select n.similarity from catalog.nearest_movies(needle, 10, filters, which) n);
        milliseconds := 1000 * extract(epoch from clock_timestamp() - started);
        started := clock_timestamp();
        exact := array(select n.similarity from catalog.nearest_movies(needle, 10, filters, which, exactly => true) n);
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
             where v.tmdb_id not in (a.tmdb_id, b.tmdb_id)
               and v.embedding <=> d.needle < d.distance)
         from pipeline.golden_pairs p
         join catalog.movies m on m.title = p.title and m.release_year = p.release_year
         join catalog.movies n on n.title = p.other_title and n.release_year = p.other_year
         join catalog.%1$I a on a.tmdb_id = m.tmdb_id
         join catalog.%1$I b on b.tmdb_id = n.tmdb_id
         cross join lateral ( -- read and computed once, not for each other film
             select c.needle, b.embedding <=> c.needle as distance
             from (select a.embedding::vector::halfvec as needle offset 0) c offset 0) d
         order by p.title', 'movie_vectors_' || which);
end
$$;

-- Names what a measurement of a set depends on: versions of its rows (a row that is written anew has another xmin), its
-- index, which film is of which collection, the golden pairs. Equal names mean that nothing has to be measured again.
create or replace function pipeline.quality_content(which integer) returns table (vectors integer, content text)
language plpgsql stable
as $$
begin
    return query execute format(
        'select count(*)::integer, concat_ws(''-'', count(*), sum(hashint8extended(v.tmdb_id, v.xmin::text::bigint)), $1,
             (select sum(hashint8extended(m.tmdb_id, m.collection_id)) from catalog.movies m
              where m.collection_id is not null),
             (select md5(string_agg(p::text, '','' order by p)) from pipeline.golden_pairs p))
         from catalog.%I v', 'movie_vectors_' || which)
    using pg_relation_filenode(to_regclass(format('catalog.%I', 'movie_vectors_' || which || '_nearest')));
end
$$;

-- Filters with which a set's recall is measured: a common genre, a rare one, half of the years; at least ten films pass each.
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
             union all (select 2, genre, share from genres order by abs(ln(share / 0.05)), genre limit 1)
         )
         select * from (
             select format(''%%s, %%s %%%%'', p.genre, round((100 * p.share)::numeric, 1)),
                 jsonb_build_object(''genres'', jsonb_build_array(p.genre))
             from (select distinct on (genre) * from picked order by genre, place) p order by p.place) g
         union all
         select format(''since %%s'', y.half), jsonb_build_object(''year_from'', y.half)
         from (select percentile_disc(0.5) within group (order by v.release_year) as half
               from catalog.%1$I v having count(v.release_year) >= 20) y', 'movie_vectors_' || which);
end
$$;

-- Searches for the nearest films of a sample of films: random ones, and as many of films in collections. The sample stays
-- the same while the catalogue does not change. siblings is the number of other films in the collection; similarities are
-- those of the ten nearest films.
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
             select m.collection_id, array_agg(m.tmdb_id) as films from catalog.movies m join catalog.%1$I using (tmdb_id)
             where m.collection_id is not null group by 1 having count(*) > 1
         ), picked as (
             (select tmdb_id, true as is_random, null::bigint[] as others
              from catalog.%1$I order by md5(tmdb_id::text) limit $1)
             union all
             (select f, false, array_remove(s.films, f) from siblings s, unnest(s.films) f order by md5(f::text) limit $1)
         )
         select p.tmdb_id, p.is_random, p.others, v.embedding::vector
         from picked p join catalog.%1$I v using (tmdb_id) order by p.is_random, p.tmdb_id', 'movie_vectors_' || which)
        using samples
    loop
        started := clock_timestamp();
        select array_agg(n.tmdb_id), array_agg(n.similarity) into found, similarities
        from catalog.nearest_movies(needle, 11, '{}', which) n;
        milliseconds := 1000 * extract(epoch from clock_timestamp() - started);
        select array_agg(n.tmdb_id), array_agg(n.similarity order by n.similarity desc) into found, similarities
        from (select * from unnest(found, similarities) u (tmdb_id, similarity)
              where u.tmdb_id <> measure_neighbours.tmdb_id order by u.similarity desc limit 10) n;
        siblings := cardinality(others);
        siblings_found := (select count(*) from unnest(others) o where o = any (found));
        return next;
    end loop;
end
$$;

-- Vectors of a sample of films with their genres; the sample stays the same while the catalogue does not change. They are
-- in pgvector's binary format (four bytes, then big-endian four-byte floats), because text takes seconds to write and read.
create or replace function pipeline.sample_vectors(which integer, samples integer)
returns table (genres text[], embedding bytea)
language plpgsql stable
as $$
begin
    return query execute format(
        'select v.genres, vector_send(v.embedding::vector) from catalog.%I v order by md5(v.tmdb_id::text) limit $1',
        'movie_vectors_' || which) using samples;
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
