-- Run by tmdb_discoveries and movie_details: evaluates stored responses and listed films by the profiles in use.
select * from pipeline.evaluate(:day, cast(:profiles as jsonb), :rules, :moment, :are_lists_new)
