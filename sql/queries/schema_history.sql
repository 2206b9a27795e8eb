-- Run before a run's first step: the files that were applied to the database.
select file, digest from public.movie_assets_schema
