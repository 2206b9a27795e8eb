-- Run by movie_details: ids that are gone, were a film with an IMDb id, and whose successor was never sought.
select i.tmdb_id, r.body ->> 'imdb_id' as imdb_id
from pipeline.movie_ids i join pipeline.raw_details r using (tmdb_id)
where i.state = 'gone' and i.successor_sought_at is null and r.body ->> 'imdb_id' ~ '^tt\d{7,10}$'
order by i.gone_since desc, i.tmdb_id
limit :most
