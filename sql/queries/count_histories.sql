-- Run by watch_histories: what is stored, and what waits for a person or for the catalogue.
select (select count(*) from catalog.watch_histories) as histories,
    (select count(distinct person) from catalog.watch_histories) as people,
    (select count(*) from pipeline.match_reviews r where r.status = 'open') as reviews_open,
    (select count(*) from pipeline.named_films n where n.film_id is null and n.matched_by is null) as names_waiting
