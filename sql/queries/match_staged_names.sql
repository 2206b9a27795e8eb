-- Run after a file's names were stored: finds their films; tells whose histories that moves.
select unnest(pipeline.match_named_films(array(
    select n.name_id from pipeline.named_films n where n.name in (select s.name from staged_names s)
))) as tmdb_id
