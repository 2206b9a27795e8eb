-- Run by reconciliation, chunk by chunk: documents and names made anew, compared with the stored ones.
select last_id, looked_at, tmdb_id, table_name, column_names, what
from pipeline.compare_documents(cast(:after as bigint), cast(:films as integer))
