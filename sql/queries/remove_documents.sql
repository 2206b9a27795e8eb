-- Run by search_documents first: takes out the films that left the catalogue.
select pipeline.remove_documents() as removed
