-- Migration: the day that the catalogue begins on. What was before it is not missing.

create table pipeline.first_day (
    only_row boolean primary key default true check (only_row),
    day date not null
);
insert into pipeline.first_day (day)
select least(
    (select min(change_date) from pipeline.change_days),
    (select min(day) from pipeline.discoveries),
    (select min(loaded_at at time zone 'UTC')::date from pipeline.exports))
where exists (select from pipeline.exports);
