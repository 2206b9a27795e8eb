-- Run by movie_embeddings' check: films whose text, hashed again here, is not the one that was embedded; apart from
-- them those whose text is in a batch at the service, or was refused and is tried again later, or came into one of the
-- run's batches after the run had read its list of texts, from a run that fetched at the same time.
select
    pipeline.batch_of(m.tmdb_id) as batch,
    count(*) filter (where not (w.is_in_flight or w.is_refused or w.came_later))::integer as films,
    count(*) filter (where w.is_in_flight)::integer as in_flight,
    count(*) filter (where w.is_refused and not w.is_in_flight)::integer as refused,
    count(*) filter (where w.came_later and not (w.is_in_flight or w.is_refused))::integer as came_later,
    min(m.tmdb_id) as example
from catalog.movies m
left join pipeline.embeddings e on e.set_id = :set_id and e.tmdb_id = m.tmdb_id
cross join (
    select exists (
        select from pipeline.run_log r
        where r.step = 'movie_details' and coalesce(r.ended_at, 'infinity') > (
            select min(e.started_at) from pipeline.run_log e where e.run_id = :run_id)) as is_fetching
) f
cross join lateral (
    select encode(sha256(convert_to(cast(:template as text) || E'\n' || m.embedding_text, 'UTF8')), 'hex') as text_hash
) h
cross join lateral (
    select
        pipeline.batch_of(m.tmdb_id) = any(:batches) and m.text_hash = h.text_hash
            and m.text_hash not in (select p.text_hash from unnest(cast(:planned as text[])) p (text_hash))
            and f.is_fetching as came_later,
        exists (
            select from pipeline.embedding_batch_texts t join pipeline.embedding_batches b using (bulk_id)
            where b.set_id = :set_id and t.text_hash = m.text_hash) as is_in_flight,
        exists (
            select from pipeline.refused_texts r
            where r.set_id = :set_id and r.text_hash = m.text_hash and r.next_attempt_at > :moment) as is_refused
) w
where e.text_hash is distinct from h.text_hash
group by 1
order by 1
