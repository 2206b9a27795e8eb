-- Run by tmdb_discoveries: whether the lists were walked so lately that TMDB would answer the same again.
select count(*)::integer as walks from pipeline.discoveries
where day = :day and min_votes = :min_votes and walked_at > cast(:moment as timestamptz) - interval '8 hours'
  and not exists (select from pipeline.discoveries d where d.walked_at > discoveries.walked_at)
