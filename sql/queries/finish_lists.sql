-- Run by recommendations in the transaction that writes the lists of a chunk of people: by which model they are made. A
-- history that changed meanwhile stays due; who has no history any more has no list.
with done as (
    delete from pipeline.changed_histories c
    using unnest(cast(:people as text[]), cast(:changes as bigint[])) d (person, changes)
    where c.person = d.person and c.changes = d.changes
), gone as (
    delete from pipeline.recommendation_lists l
    where l.person = any (:people) and not exists (select from catalog.watch_histories h where h.person = l.person)
)
insert into pipeline.recommendation_lists (person, model_id, films, made_at)
select p.person, :model_id, (select count(*) from catalog.recommendations r where r.person = p.person), :moment
from unnest(cast(:people as text[])) p (person)
where exists (select from catalog.watch_histories h where h.person = p.person)
on conflict (person) do update
    set model_id = excluded.model_id, films = excluded.films, made_at = excluded.made_at
