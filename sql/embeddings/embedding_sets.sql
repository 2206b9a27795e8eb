-- Applied after the migrations whenever it changes: embedding sets as applications and the pipeline see them.

-- One row is a set of vectors that may be compared with one another, and that can be searched.
create or replace view catalog.embedding_sets as
select
    s.set_id,
    format('%s %s %s %s', s.provider, s.model, s.dimensions, s.template) as name,
    s.provider,
    s.model,
    s.dimensions,
    s.template,
    s.is_active,
    s.activated_at,
    s.retired_at,
    s.ef_search
from pipeline.embedding_sets s
where to_regclass('catalog.title_vectors_' || s.set_id) is not null;

-- The progress of each set: films of the catalogue, films with the vector of their text, and the cost so far.
create or replace view pipeline.embedding_progress as
select
    s.set_id,
    s.provider,
    s.model,
    s.dimensions,
    s.template,
    case
        when s.is_active and s.held_since is not null then 'active, held'
        when s.is_active then 'active'
        when s.retired_at is not null then 'retired'
        else 'building'
    end as state,
    (select count(*) from catalog.titles)::integer as films,
    (select count(*) from catalog.titles m join pipeline.title_embeddings e on e.title_id = m.title_id
     where e.set_id = s.set_id and e.text_hash = m.text_hash)::integer as films_embedded,
    coalesce(c.tokens, 0)::bigint as tokens,
    coalesce(c.dollars, 0)::double precision as dollars,
    s.created_at,
    s.activated_at,
    s.retired_at
from pipeline.embedding_sets s
left join (
    select set_id, sum(tokens) as tokens, sum(dollars) as dollars from pipeline.embedding_costs group by set_id
) c using (set_id);

-- Makes a set the active one, which searches see, in the caller's transaction: a search sees exactly one set. A set that a
-- person chose is held: the pipeline does not replace it by another.
create or replace function pipeline.activate_set(which integer, hold boolean default false) returns void
language plpgsql
as $$
begin
    update pipeline.embedding_sets
    set is_active = false, retired_at = now(), held_since = null
    where is_active and set_id <> which;
    update pipeline.embedding_sets
    set is_active = true, retired_at = null, activated_at = case when is_active then activated_at else now() end,
        held_since = case when hold then coalesce(held_since, now()) end
    where set_id = which;
    if not found then
        raise exception 'there is no embedding set %', which;
    end if;
    -- Replaced, not dropped, so that applications keep their rights on the view and their own views of it. Without the
    -- cast the column's type would include the width, which `create or replace view` cannot change.
    execute format(
        'create or replace view catalog.movie_vectors as
         select title_id as tmdb_id, text_hash, embedding::halfvec as embedding from catalog.%I',
        'title_vectors_' || which);
end
$$;
drop function if exists pipeline.activate_set(smallint);

-- Drops the tables of a set's vectors.
create or replace function pipeline.drop_vector_tables(which integer) returns void
language plpgsql
as $$
declare
    media text;
begin
    foreach media in array catalog.media_types() loop
        execute format('drop table if exists catalog.%I', catalog.vector_table(which, media));
    end loop;
end
$$;

-- Drops the vectors of sets that were neither searched nor built since a time, and returns their names. The active set,
-- which the view catalog.movie_vectors reads, is never dropped.
create or replace function pipeline.drop_old_sets(since timestamptz, wanted integer) returns setof text
language plpgsql
as $$
declare
    old record;
begin
    for old in
        select s.set_id, format('%s %s %s %s', s.provider, s.model, s.dimensions, s.template) as name
        from pipeline.embedding_sets s
        where not s.is_active and s.set_id <> wanted
          and not exists (select from pipeline.embedding_batches b where b.set_id = s.set_id and b.ended_at is null)
          and greatest(
              s.created_at, s.activated_at, s.retired_at,
              (select max(e.embedded_at) from pipeline.title_embeddings e where e.set_id = s.set_id)) < since
    loop
        execute format('drop view if exists catalog.%I', 'movie_vectors_' || old.set_id);
        perform pipeline.drop_vector_tables(old.set_id);
        delete from pipeline.title_embeddings e where e.set_id = old.set_id;
        if found then
            return next old.name;
        end if;
        update pipeline.embedding_sets s set retired_at = coalesce(s.retired_at, now()) where s.set_id = old.set_id;
    end loop;
end
$$;
