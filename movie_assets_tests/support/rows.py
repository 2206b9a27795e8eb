"""Films put straight into the catalogue, for stages that only read them."""

from movie_assets.database.database import Database

FILMS = """
insert into catalog.titles (
    title_id, title, original_title, original_language, release_date, runtime_minutes, genres, keywords, directors,
    leading_cast, countries, embedding_text, text_hash, changed_at
)
select
    k, 'Film ' || n, 'Film ' || n, case when n % 3 = 0 then 'fr' else 'en' end, date '1990-01-01' + n, 100,
    array[case when n % 2 = 0 then 'Drama' else 'Comedy' end], '{}', '{}', '{}', '{}', t.words,
    encode(sha256(convert_to(E'film-v1\\n' || t.words, 'UTF8')), 'hex'), '2026-10-05 12:00+00'
from generate_series(cast(%(first)s as bigint), cast(%(last)s as bigint)) k
cross join lateral (select catalog.tmdb_id(k)::integer as n) i
cross join lateral (select 'Story number ' || n || ' about ship ' || n * 7) t (words)
"""
STATS = """
insert into catalog.title_stats (title_id, popularity, vote_average, vote_count, seen_at)
select title_id, 5, 6 + title_id %% 1000000000 %% 30 / 10.0, 100 + title_id %% 1000000000, '2026-10-05 12:00+00'
from catalog.titles where title_id between %(first)s and %(last)s
"""


def put_films(database: Database, first: int, last: int) -> None:
    """Put titles of these title_ids into the catalogue, each with a text and votes of its own."""
    _put(database, first, last, FILMS, STATS)


def put_by_former_names(database: Database, first: int, last: int) -> None:
    """Put the same movies, as applications and releases before title_id do: through tables named after movies."""
    former = (("catalog.tmdb_id(k)", "k"), ("catalog.title", "catalog.movie"), ("title_id", "tmdb_id"))
    statements = [FILMS, STATS]
    for now, before in former:
        statements = [each.replace(now, before) for each in statements]
    _put(database, first, last, *statements)


def _put(database: Database, first: int, last: int, films: str, stats: str) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql(films.replace("%", "%%").replace("%%(", "%("), {"first": first, "last": last})
        connection.exec_driver_sql(stats, {"first": first, "last": last})
