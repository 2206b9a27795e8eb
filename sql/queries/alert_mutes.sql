-- Run by `movie-assets alert list`: what nobody hears of, and until when.
select name, until from pipeline.alert_mutes where until > :moment order by name
