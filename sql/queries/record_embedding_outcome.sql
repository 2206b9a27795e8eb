-- Run by movie_embeddings at its end: what it met for its set. A run that met nothing leaves the outcome as it is. A
-- set keeps the name of the model that began it until every vector is of a run that was answered under another one.
with named as (
    select cast(:models as text[]) as names, (cast(:models as text[]))[cardinality(cast(:models as text[]))] as newest
), ended as (
    update pipeline.embedding_sets s
    set last_run_at = now(),
        answered_by = case
            when s.answered_by is null then n.names[1]
            when cardinality(n.names) = 1 and n.newest <> s.answered_by and not exists (
                select from pipeline.embeddings e where e.set_id = s.set_id and e.embedded_at < :moment)
            then n.newest
            else s.answered_by
        end
    from named n
    where s.set_id = :set_id
), met as (
    select
        cast(:embedded as integer) as embedded,
        cast(:refused as integer) as refused,
        cast(:problem as text) as problem,
        (
            select count(distinct t.text_hash)
            from pipeline.embedding_batch_texts t join pipeline.embedding_batches b using (bulk_id)
            where b.set_id = :set_id and t.text_hash = any(cast(:text_hashes as text[]))
        )::integer as in_flight
)
insert into pipeline.embedding_outcomes
    (set_id, run_id, texts, embedded, refused, in_flight, problem, ended_at, answered_by)
select
    :set_id, :run_id, cardinality(cast(:text_hashes as text[])), m.embedded, m.refused, m.in_flight, m.problem, now(),
    n.newest
from met m, named n
where cardinality(cast(:text_hashes as text[])) > 0
  and (m.embedded + m.refused + m.in_flight > 0 or m.problem is not null)
on conflict (set_id) do update set
    run_id = excluded.run_id, texts = excluded.texts, embedded = excluded.embedded, refused = excluded.refused,
    in_flight = excluded.in_flight, problem = excluded.problem, ended_at = excluded.ended_at,
    answered_by = coalesce(excluded.answered_by, embedding_outcomes.answered_by)
