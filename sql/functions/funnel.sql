-- Applied after the migrations whenever it changes: how many ids are in each state, by reason.
create or replace view pipeline.funnel as
select
    state,
    reason,
    count(*)::integer as ids
from pipeline.movie_ids
group by state, reason;
