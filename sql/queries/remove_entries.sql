-- Run after files that are whole were stored: takes out what earlier ones of their kind had and they do not.
select removed from pipeline.remove_entries(cast(:source as text), cast(:person as text), cast(:parts as text[]))
