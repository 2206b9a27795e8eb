-- Run by the sensor the_catalogue_is_not_published: embedded films that searches do not see as they are (all
-- of them while the set of today's settings is not the active one, unless that is held), vectors whose film has left,
-- films whose words are not the ones that are searched, votes seen after the aggregates were computed, and ratings of
-- other sources that were read after that. Nothing while
-- texts wait for their vectors: that publication would only be the first of two. Texts that were refused, or that nobody
-- could embed for six hours, are not waited for: their films are found by their words.
with wanted as (
    select coalesce((select s.set_id from pipeline.embedding_sets s where s.held_since is not null), :set_id) as set_id
)
select case when exists (
    select from catalog.movies m
    left join pipeline.embeddings e on e.set_id = :set_id and e.tmdb_id = m.tmdb_id
    where e.text_hash is distinct from m.text_hash and m.changed_at > cast(:moment as timestamptz) - interval '6 hours'
      and not exists (select from pipeline.refused_texts r where r.set_id = :set_id and r.text_hash = m.text_hash)
) then 0 else (
    (select count(*)
     from catalog.movies m
     join pipeline.embeddings e
         on e.set_id = (select w.set_id from wanted w) and e.tmdb_id = m.tmdb_id and e.text_hash = m.text_hash
     left join catalog.movie_vectors v on v.tmdb_id = m.tmdb_id
     where v.text_hash is distinct from m.text_hash
        or e.is_replaced
        or not exists (select from pipeline.embedding_sets s where s.is_active and s.set_id = (select w.set_id from wanted w)))
    + (select count(*) from catalog.movie_vectors v
       where not exists (select from catalog.movies m where m.tmdb_id = v.tmdb_id))
    + (select count(*) from catalog.movies m
       full join pipeline.document_sources d using (tmdb_id)
       where d.source is distinct from
           pipeline.document_source(m.text_hash, m.facts_hash, m.original_title, m.tagline))
    + (select count(*) from catalog.movie_stats s
       where s.seen_at > coalesce((select max(computed_at) from catalog.rating_methods), '-infinity'))
    + (select coalesce(sum(l.changed), 0) from pipeline.rating_loads l
       where l.loaded_at > coalesce((select max(computed_at) from catalog.rating_methods), '-infinity'))
) end::integer as work
