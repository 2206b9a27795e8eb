"""Films put straight into the catalogue, for stages that only read them."""

from movie_assets.database.database import Database

FILMS = """
insert into catalog.movies (
    tmdb_id, title, original_title, original_language, release_date, runtime_minutes, genres, keywords, directors,
    leading_cast, countries, embedding_text, text_hash, changed_at
)
select
    n, 'Film ' || n, 'Film ' || n, case when n % 3 = 0 then 'fr' else 'en' end, date '1990-01-01' + n, 100,
    array[case when n % 2 = 0 then 'Drama' else 'Comedy' end], '{}', '{}', '{}', '{}', t.words,
    encode(sha256(convert_to(E'film-v1\\n' || t.words, 'UTF8')), 'hex'), '2026-10-05 12:00+00'
from generate_series(cast(%(first)s as integer), cast(%(last)s as integer)) n
cross join lateral (select 'Story number ' || n || ' about ship ' || n * 7) t (words)
"""
STATS = """
insert into catalog.movie_stats (tmdb_id, popularity, vote_average, vote_count, seen_at)
select tmdb_id, 5, 6 + tmdb_id %% 30 / 10.0, 100 + tmdb_id, '2026-10-05 12:00+00' from catalog.movies
where tmdb_id between %(first)s and %(last)s
"""


def put_films(database: Database, first: int, last: int) -> None:
    """Put films of these ids into the catalogue, each with a text and votes of its own."""
    with database.transaction() as connection:
        connection.exec_driver_sql(FILMS.replace("%", "%%").replace("%%(", "%("), {"first": first, "last": last})
        connection.exec_driver_sql(STATS, {"first": first, "last": last})
