-- Run by movie_ids and the reports: how many ids are in each state, by reason.
select state, reason, ids from pipeline.id_states order by ids desc
