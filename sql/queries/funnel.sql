-- Run by movie_ids and the reports: what each rule dropped and left, in order.
select step, rule, says, dropped, kept, target from pipeline.funnel order by step
