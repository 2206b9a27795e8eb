-- Run by movie_details: what is due in some batches, batch by batch, the most urgent first. A person who launches
-- a run does not have to wait until the next attempt at a failed film is due.
select tmdb_id, batch, reason from pipeline.wanted_at(:moment)
where batch = any(:batches) and (not parked or :by_hand)
order by batch, priority, tmdb_id
