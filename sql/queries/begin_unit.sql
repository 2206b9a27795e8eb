-- Run before all else in a unit of work: touches no row when the unit was committed and only the answer was lost.
with forgotten as (
    delete from pipeline.units where unit in (
        select unit from pipeline.units where begun_at < now() - interval '1 day'
        order by begun_at limit 10 for update skip locked
    )
)
insert into pipeline.units (unit) values (:unit) on conflict do nothing
