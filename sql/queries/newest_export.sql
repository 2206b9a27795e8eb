-- Run by movie_ids: the newest loaded export up to a day, and the day that the ids stand on.
select
    (select max(export_date) from pipeline.exports where export_date <= :day) as loaded,
    (select export_date from pipeline.ids_as_of) as applied
