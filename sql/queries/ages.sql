-- Run by movie_details' age check and by health: how old copies are, by the age that they may have.
select
    (extract(epoch from allowed) / 3600)::integer as allowed_hours, films, within, overdue, oldest, median_hours, examples
from pipeline.ages_at(:moment)
