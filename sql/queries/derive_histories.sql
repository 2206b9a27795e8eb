-- Run after entries or their films moved: brings catalog.watch_histories in line.
select added, updated, removed, unchanged
from pipeline.derive_histories(cast(:source as text), cast(:person as text), cast(:films as bigint[]))
