-- Run by reconciliation once all responses were compared.
select table_name, id, column_names, what from pipeline.compare_shared_rows()
