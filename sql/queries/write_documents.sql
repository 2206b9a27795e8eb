-- Run by search_documents, chunk by chunk: makes the documents of the next films that are due.
select last_id, looked_at, documents_written, names_written
from pipeline.write_documents(cast(:after as bigint), cast(:films as integer))
