-- Applied after the migrations whenever it changes: the index of an embedding model that movie-assets compare-models measures.

-- Searches for the ten nearest of some vectors in the temporary table compared_vectors (place, embedding): through an index
-- that is built here with the parameters of the active set's index, and by comparing all. The vector itself is left out.
create or replace function pipeline.search_compared_vectors(searches integer)
returns table (approximate double precision[], exact double precision[])
language plpgsql
set jit = off
set enable_seqscan = off
set enable_sort = off
as $$
#variable_conflict use_column
declare
    needle halfvec;
    itself integer;
    width integer := (select max(vector_dims(c.embedding)) from compared_vectors c);
    parameters text := (
        select ' with (' || array_to_string(i.reloptions, ', ') || ')'
        from catalog.embedding_sets s join pg_class i on i.relname = format('title_vectors_%s_nearest', s.set_id)
        where s.is_active and i.relnamespace = 'catalog'::regnamespace);
begin
    perform pipeline.build_index(format(
        'create index on compared_vectors using hnsw ((embedding::halfvec(%s)) halfvec_cosine_ops)%s', width, parameters));
    perform set_config('hnsw.ef_search', '100', true);
    for itself, needle in execute format(
        'select c.place, c.embedding::halfvec(%s) from compared_vectors c order by c.place + 0 limit $1', width)
        using searches
    loop
        execute format(
            'select array(select 1 - (c.embedding::halfvec(%1$s) <=> $1) from compared_vectors c where c.place <> $2
                          order by c.embedding::halfvec(%1$s) <=> $1 limit 10),
                 array(select 1 - (c.embedding::halfvec(%1$s) <=> $1) from compared_vectors c where c.place <> $2
                       order by (c.embedding::halfvec(%1$s) <=> $1) + 0 limit 10)', width)
        into approximate, exact using needle, itself;
        return next;
    end loop;
end
$$;
