-- Run by watch_histories: whether this very file was imported before, for this person or for those in it.
select exists (
    select from pipeline.imports i where i.digest = :digest and (i.person is null or i.person = :person)
) as is_known
