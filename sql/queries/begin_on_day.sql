-- Run by tmdb_export when it begins: the catalogue begins on the earliest day that was ever read.
insert into pipeline.first_day as f (day) values (:day)
on conflict (only_row) do update set day = excluded.day where f.day > excluded.day
