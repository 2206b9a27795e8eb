-- Run by movie-assets forget: deletes all that is stored of a person.
select table_name, rows_deleted from pipeline.forget_person(:person) order by table_name
