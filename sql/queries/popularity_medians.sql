-- Run by movie_ids' drift check: the median popularity of this export and of those before it.
select export_date, median_popularity, lines from pipeline.exports
where export_date <= :day order by export_date desc limit 14
