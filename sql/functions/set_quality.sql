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
               and v.embedding <=> a.embedding < b.embedding <=> a.embedding)
         from pipeline.golden_pairs p
         join catalog.movies m on m.title = p.title and m.release_year = p.release_year
         join catalog.movies n on n.title = p.other_title and n.release_year = p.other_year
         join catalog.%1$I a on a.tmdb_id = m.tmdb_id
         join catalog.%1$I b on b.tmdb_id = n.tmdb_id
         order by p.title', 'movie_vectors_' || which);
end
$$;
