-- Applied after the migrations whenever it changes: the function that forgets a person.

-- Deletes all rows of a person, from every table of catalog and pipeline with a column of that name, and the names that
-- only this person's files contain, in one transaction. Returns the tables with the number of deleted rows. The weights of
-- the recommendation model stay: they were learnt from all histories together, and change when it is learnt again.
create or replace function pipeline.forget_person(who text)
returns table (table_name text, rows_deleted bigint)
language plpgsql
as $$
declare
    place record;
    deleted bigint;
    names bigint[];
begin
    select coalesce(array_agg(distinct e.name_id), '{}') into names from pipeline.watch_entries e where e.person = who;
    -- Two rounds: deleting histories adds the person to those whose recommendations are due.
    for place in
        select c.oid::regclass as relation, round.number
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'person' and not a.attisdropped
        cross join generate_series(1, 2) round (number)
        where c.relnamespace in ('catalog'::regnamespace, 'pipeline'::regnamespace) and c.relkind in ('r', 'p')
        order by round.number, c.relname
    loop
        execute format('delete from %s where person = $1', place.relation) using who;
        get diagnostics deleted = row_count;
        if deleted > 0 and place.number = 1 then
            table_name := place.relation::text;
            rows_deleted := deleted;
            return next;
        end if;
    end loop;
    delete from pipeline.refusals r where r.step = 'watch_histories' and starts_with(r.subject, who || '/');
    get diagnostics deleted = row_count;
    if deleted > 0 then
        table_name := 'pipeline.refusals';
        rows_deleted := deleted;
        return next;
    end if;
    delete from pipeline.match_reviews r
    where r.review_id = any (names) and r.status = 'open'
        and not exists (select from pipeline.watch_entries e where e.name_id = r.review_id);
    delete from pipeline.named_films n
    where n.name_id = any (names)
        and not exists (select from pipeline.watch_entries e where e.name_id = n.name_id)
        and not exists (select from pipeline.match_reviews r where r.review_id = n.name_id);
    get diagnostics deleted = row_count;
    if deleted > 0 then
        table_name := 'pipeline.named_films';
        rows_deleted := deleted;
        return next;
    end if;
end
$$;
