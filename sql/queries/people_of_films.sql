-- Run by rating_aggregates: who directed a film or had one of its first three roles.
select tmdb_id, person_id from catalog.movie_crew where job = 'Director'
union
select tmdb_id, person_id from (
    select tmdb_id, person_id, row_number() over (partition by tmdb_id order by billing, person_id) as place
    from catalog.movie_cast
) c where place <= :leads
order by tmdb_id, person_id
