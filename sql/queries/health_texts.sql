-- Run by health, for the set that is searched and the one that runs build, if it is another: films whose text has no
-- vector in the set, those of them that wait for six hours or were refused, and what the last run of the set met.
with sets as (
    select
        s.set_id, s.is_active, s.created_at, s.answered_by as begun_by,
        format('%s %s %s %s', s.provider, s.model, s.dimensions, s.template) as name
    from pipeline.embedding_sets s
    where s.is_active
       or s.last_run_at = (select max(o.last_run_at) from pipeline.embedding_sets o)
          and (s.retired_at is null or s.retired_at < s.last_run_at)
), counted as (
    select
        s.set_id,
        count(m.tmdb_id)::integer as movies,
        count(*) filter (where w.is_missing)::integer as missing,
        count(*) filter (where w.is_stale and r.text_hash is null)::integer as stale,
        count(*) filter (where w.is_stale and r.text_hash is not null)::integer as refused,
        (array_agg(m.tmdb_id order by m.changed_at, m.tmdb_id) filter (where w.is_stale))[1:5] as examples
    from (values (1)) one (row)
    left join sets s on true
    left join catalog.movies m on true
    left join pipeline.embeddings e on e.set_id = s.set_id and e.tmdb_id = m.tmdb_id
    left join pipeline.refused_texts r on r.set_id = s.set_id and r.text_hash = m.text_hash
    cross join lateral (
        select
            e.text_hash is distinct from m.text_hash as is_missing,
            e.text_hash is distinct from m.text_hash
                -- Texts wait for a set that is built only since there is one.
                and greatest(m.changed_at, case when not s.is_active then s.created_at end)
                    < cast(:moment as timestamptz) - interval '6 hours' as is_stale
    ) w
    group by s.set_id
)
select
    c.*, s.name, coalesce(s.is_active, false) as is_active, s.begun_by, o.answered_by,
    o.texts as run_texts, o.embedded as run_embedded, o.refused as run_refused, o.in_flight as run_in_flight,
    o.problem, o.ended_at, o.run_id
from counted c
left join sets s using (set_id)
left join pipeline.embedding_outcomes o using (set_id)
order by is_active desc, c.set_id
