-- Run by movie-assets review: what a person has to decide, that of most people first.
select r.review_id, r.name, r.candidates, r.status, r.decision, count(distinct e.person) as people
from pipeline.match_reviews r
left join pipeline.watch_entries e on e.name_id = r.review_id
where r.status = 'open'
group by r.review_id
order by people desc, r.name
