-- Run by the sensor texts_are_not_embedded: films whose text has no vector in the set of today's settings and is due,
-- their lowest id, and texts in batches at the service that nobody asked after for half an hour. Nothing but the batches
-- while the day's budget does not hold the largest text.
with money as (
    select :daily_dollars > 0 and spent_today + reserved_today + cast(:least_dollars as numeric) > :daily_dollars as is_spent
    from pipeline.embedding_dollars(:moment, '')
), due as (
    select count(*) as films, min(m.tmdb_id) as first_id
    from catalog.movies m
    left join pipeline.embeddings e on e.set_id = :set_id and e.tmdb_id = m.tmdb_id
    left join pipeline.refused_texts r on r.set_id = :set_id and r.text_hash = m.text_hash
    where e.text_hash is distinct from m.text_hash
      and (r.next_attempt_at is null or r.next_attempt_at <= :moment)
      and not exists (
          select from pipeline.embedding_batch_texts t join pipeline.embedding_batches b using (bulk_id)
          where b.set_id = :set_id and t.text_hash = m.text_hash)
), in_flight as (
    select coalesce(sum(b.texts), 0) as texts
    from pipeline.embedding_batches b
    where b.ended_at is null and coalesce(b.seen_at, b.moment) < cast(:moment as timestamptz) - interval '30 minutes'
)
select
    (case when is_spent then 0 else due.films end + in_flight.texts)::integer as work,
    case when not is_spent then due.first_id end as first_id,
    case when is_spent and due.films > 0 and in_flight.texts = 0 then
        due.films || ' texts wait: what the day may cost (MOVIE_ASSETS_DAILY_DOLLARS) is spent'
    end as held_by
from money, due, in_flight
