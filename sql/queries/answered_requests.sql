-- Run by movie-assets fetch: what became of the ids that were asked for.
select q.tmdb_id, m.title, m.release_year, i.state, i.reason, q.served_at is not null as is_served, i.successor_id
from pipeline.requested_ids q
join pipeline.movie_ids i using (tmdb_id)
left join catalog.movies m using (tmdb_id)
where q.tmdb_id = any(:tmdb_ids)
order by q.tmdb_id
