-- Run by movie-assets review: a decision, null for none of the candidates; the trigger applies it.
update pipeline.match_reviews r
set decision = cast(:film as bigint), status = 'decided'
where r.review_id = :review_id
returning r.name, r.decision, (select m.title from catalog.movies m where m.tmdb_id = r.decision) as title,
    (select count(distinct e.person) from pipeline.watch_entries e where e.name_id = r.review_id) as people
