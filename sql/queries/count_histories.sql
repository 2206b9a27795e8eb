-- Run by watch_histories and its check: what is stored, and whether it is what the entries say.
select (select count(*) from catalog.watch_histories) as histories,
    (select count(distinct person) from catalog.watch_histories) as people,
    (select count(*) from pipeline.match_reviews r where r.status = 'open') as reviews_open,
    (select count(*) from pipeline.named_films n where n.film_id is null and n.matched_by is null) as names_waiting
