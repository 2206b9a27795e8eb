-- Run by recommendations: people whose history changed since their list was made, or whose list is another model's.
select coalesce(c.person, l.person) as person, c.changes
from pipeline.changed_histories c
full join pipeline.recommendation_lists l using (person)
where c.person is not null
   or l.model_id is distinct from (select m.model_id from pipeline.recommendation_models m where m.is_served)
order by 1
