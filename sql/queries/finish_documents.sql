-- Run by search_documents last: vocabulary and indexes.
select pipeline.finish_documents() as words
