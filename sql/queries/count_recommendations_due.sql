-- Run by the sensor recommendations_are_due: people whose list is to be made, a model that is a week old while histories
-- changed, and names in histories that wait for films while films came that they were not compared with.
select (
    (select count(*) from pipeline.changed_histories)
    + (select count(*) from pipeline.recommendation_lists l
       where l.model_id is distinct from (select m.model_id from pipeline.recommendation_models m where m.is_served)
         and not exists (select from pipeline.changed_histories c where c.person = l.person))
    + (select count(*) from pipeline.recommendation_models m
       where m.is_served and m.fitted_at < cast(:moment as timestamptz) - interval '7 days'
         and exists (select from catalog.watch_histories h where h.imported_at > m.newest_entry))
    + (select count(*) from (
        select max(l.ended_at) filter (where l.step = 'search_documents' and l.changed > 0) as films_came,
            max(l.started_at) filter (where l.step = 'watch_histories') as compared
        from pipeline.run_log l where l.step in ('search_documents', 'watch_histories') and l.status = 'succeeded'
    ) l
    where l.films_came > coalesce(l.compared, '-infinity')
        and exists (select from pipeline.named_films n where n.film_id is null and n.matched_by is null))
)::integer as work
