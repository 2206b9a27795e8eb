-- Run by the sensor recommendations_are_due: people whose list is to be made, and a model that is a week old while
-- histories changed.
select (
    (select count(*) from pipeline.changed_histories)
    + (select count(*) from pipeline.recommendation_lists l
       where l.model_id is distinct from (select m.model_id from pipeline.recommendation_models m where m.is_served)
         and not exists (select from pipeline.changed_histories c where c.person = l.person))
    + (select count(*) from pipeline.recommendation_models m
       where m.is_served and m.fitted_at < cast(:moment as timestamptz) - interval '7 days'
         and exists (select from catalog.watch_histories h where h.imported_at > m.newest_entry))
)::integer as work
