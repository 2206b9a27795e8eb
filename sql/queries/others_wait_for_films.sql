-- Run after an import: whether entries of other people or sources name films that were found or moved by it.
select exists (
    select from pipeline.watch_entries e
    join pipeline.named_films n using (name_id)
    where n.film_id = any(:films)
        and (e.source <> :source or cast(:person as text) is not null and e.person <> :person)
) as others_wait
