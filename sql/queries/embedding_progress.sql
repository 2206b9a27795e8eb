-- Run by movie-assets sets and movie_vectors: every embedding set, how far it has come and what it cost.
select * from pipeline.embedding_progress order by set_id
