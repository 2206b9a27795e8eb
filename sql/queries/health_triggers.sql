-- Run by health: what each trigger decided last, and since when it has given up.
select name, job, given_up_at, says from pipeline.triggers order by given_up_at, name
