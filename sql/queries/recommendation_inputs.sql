-- Run by recommendation_model: how much there is to learn from, a name for it, and whether a model is due: when there is
-- none by this method, when 2 % of the entries are new or gone since, or when any are and the model is a week old.
with histories as (
    select count(*) as entries, count(distinct h.person) filter (where not h.is_wanted) as persons,
        max(h.imported_at) as newest
    from catalog.watch_histories h
), known as (
    select h.*, concat_ws(' ', cast(:method as text), h.entries, h.persons, h.newest) as inputs from histories h
)
select k.entries, k.persons, k.newest, k.inputs, m.model_id,
    m.model_id is null or m.method_version <> cast(:method as text) or (k.inputs <> m.inputs and (
        m.fitted_at < cast(:moment as timestamptz) - interval '7 days'
        or greatest(
            abs(k.entries - m.entries),
            (select count(*) from catalog.watch_histories h where h.imported_at > m.newest_entry)) >= 0.02 * k.entries
    )) as is_due
from known k
left join pipeline.recommendation_models m on m.is_served
