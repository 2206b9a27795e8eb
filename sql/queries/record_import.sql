-- Run after an import: keeps what came of it.
insert into pipeline.imports (imported_at, person, source, files, digest, counts, rejects)
values (:moment, :person, :source, :files, :digest, cast(:counts as jsonb), cast(:rejects as jsonb))
