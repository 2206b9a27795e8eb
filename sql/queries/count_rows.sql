-- Run when a step has ended: how many rows the table or view of its asset has.
select pipeline.count_rows(to_regclass(:table)) as rows
