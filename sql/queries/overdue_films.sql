-- Run by movie_details' age check: accepted films that are wanted again, parked ones too, by reason.
select
    d.reason,
    count(*)::integer as films
from pipeline.wanted_at(:moment) d
join pipeline.movie_ids i using (tmdb_id)
where i.state = 'accepted'
group by d.reason
