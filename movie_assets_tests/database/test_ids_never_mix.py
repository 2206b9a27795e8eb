"""A movie and a series of one number are two titles to every table, view and function of the catalogue.

These are read from the system catalogs: a new function without a call here fails, a new table or view is compared.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from movie_assets.database.database import Database
from movie_assets_tests.conftest import address_of, database_of_ones_own
from movie_assets_tests.support.small_pipelines import SmallPipeline, small_pipelines

SERIES_FROM = 1_000_000_000
DICE = random.Random(20261203)  # noqa: S311  # repeatable
IDS = sorted(64 * DICE.randrange(1, 5_000_000) + batch for batch in range(4) for _ in range(12))
WORDS = (
    "lighthouse story",
    "lamp keeprs 3",
    "the lamp keepers 2",
    "ship 7",
    "a comedy with Ann Vale",
    "like The Lamp Keepers 1",
)
TITLES = """
insert into catalog.titles (
    title_id, title, original_title, original_language, release_date, runtime_minutes, genres, keywords, directors,
    leading_cast, countries, certification, embedding_text, text_hash, changed_at
)
select
    {offset} + n, t.name, t.name, 'en', date '1990-01-01' + (n % 9000)::integer, 100,
    array[case when n % 2 = 0 then 'Drama' else 'Comedy' end], array['sea'], array['Ida Quill'], array['Ann Vale'],
    array['GB'], '12', t.words, encode(sha256(convert_to(E'{template}\\n' || t.words, 'UTF8')), 'hex'),
    '2026-10-05 12:00+00'
from unnest(array{ids}::bigint[]) n
cross join lateral (select 'The Lamp Keepers ' || n % 7, 'Story about lighthouse ' || n || ' and ship ' || n % 9)
    t (name, words);
insert into catalog.title_stats (title_id, popularity, vote_average, vote_count, seen_at)
select {offset} + n, 5 + n % 3, 6 + n % 30 / 10.0, 100 + n % 1000, '2026-10-05 12:00+00'
from unnest(array{ids}::bigint[]) n;
insert into pipeline.title_ids (title_id, original_title, first_seen)
select {offset} + n, 'The Lamp Keepers', '2026-01-01' from unnest(array{ids}::bigint[]) n;
insert into catalog.people (person_id, name) values (7, 'Ann Vale') on conflict do nothing;
insert into catalog.title_cast (title_id, person_id, billing, character)
select {offset} + n, 7, 0, 'Mary' from unnest(array{ids}::bigint[]) n;
insert into catalog.watched_titles (person, title_id, source, is_wanted, rating, imported_at)
select 'ann', {offset} + n, 'imdb', false, 20 + n % 80, '2026-10-05 12:00+00'
from unnest(array{ids}::bigint[]) n where n % 3 = 0;
"""
SOME = "array[{id}, {other}]::bigint[]"
WEIGHTS = "array[1, 0.5]::double precision[]"
MOVIES = "catalog.condition_of('{{}}')"
ONE = "catalog.vector_of({id}, 1)"
# By function, what is selected; {id} and {other} are movies, {words} a question. Rows are the same with series.
CALLS = {
    "calendar": "catalog.calendar('US', media_types => array['movie'])",
    "calendar_ics": "catalog.calendar_ics('US', media_types => array['movie'])",
    "candidates_for": "catalog.candidates_for('{words}', null, 5, '{{}}')",
    "certification_age": "catalog.certification_age('movie', 'US', 'PG')",
    "cards": f"catalog.cards({SOME})",
    "centred_weights": f"catalog.centred_weights({SOME}, {SOME}, '{{{{}}}}', '{{{{}}}}', {SOME}, array[90, 10])",
    "competing_films": f"catalog.competing_films({ONE}, {SOME}, {WEIGHTS}, '{{{{}}}}', '{{{{}}}}', 10, 1)",
    "complete_title": "catalog.complete_title('the lamp', 10)",
    "compared_below": "catalog.compared_below('{vectors}')",
    "direction_of": f"catalog.direction_of({SOME}, {WEIGHTS}, '{{{{}}}}', '{{{{}}}}', 0, 1)",
    "directions_of": f"catalog.directions_of({SOME}, 1)",
    "events_after": "catalog.events_after(0, 1000, media_types => array['movie'])",
    "film_called": "catalog.film_called('{words}')",
    "films_by_histories": f"catalog.films_by_histories({SOME}, {WEIGHTS})",
    "films_of_question": f"catalog.films_of_question('{{words}}', {MOVIES}, 10)",
    "films_with_words": f"catalog.films_with_words(array['ship'], array[1.0], {MOVIES}, '{{{{}}}}', 10)",
    "find_movie": "catalog.find_movie('{words}', null, 20)",
    "image_url": "catalog.image_url('/{id}.jpg', 'w342')",
    "is_short": "catalog.is_short('{vectors}')",
    "known_words": "catalog.known_words('{words}')",
    "list": "catalog.list('popular')",
    "localized": f"catalog.localized({SOME})",
    "match_movies": f"catalog.match_movies({ONE}, -1, 30)",
    "nearest_movies": f"catalog.nearest_movies({ONE}, 30)",
    "nearest_of": f"catalog.nearest_of({{id}}, {SOME}, 1)",
    "nearest_words": "catalog.nearest_words('lightouse')",
    "offers_that_came": "catalog.offers_that_came('US', '2026-01-01')",
    "offers_that_left": "catalog.offers_that_left('US', '2026-01-01')",
    "query_terms": "catalog.query_terms('{words}')",
    "question_vector": "catalog.question_vector('{words}')",
    "read_likeness": "catalog.read_likeness('{words}')",
    "read_question": "catalog.read_question('{words}')",
    "reasons_of": f"catalog.reasons_of({{id}}, {SOME}, array[1, 1]::real[])",
    "recommend_movies": f"catalog.recommend_movies({SOME}, match_count => 20)",
    "recommendations_for": "catalog.recommendations_for('ann', '{{}}', 20)",
    "search_movies": "catalog.search_movies('{words}', 30)",
    "shared_features": "catalog.shared_features({id}, {other})",
    "shared_features_of_pairs": f"catalog.shared_features_of_pairs({SOME}, {SOME})",
    "similar_movies": "catalog.similar_movies({id}, 20)",
    "similarities": f"catalog.similarities({SOME}, 1)",
    "speakers_for": f"catalog.speakers_for({{id}}, {SOME}, {WEIGHTS}, true)",
    "speakers_of": f"catalog.speakers_of({SOME}, {SOME}, {WEIGHTS})",
    "strictest_age": "catalog.strictest_age({id}, 'US')",
    "strictest_label": "catalog.strictest_label('movie', 'US', array['PG', 'R'])",
    "suitable_age": "catalog.suitable_age({id}, 'US')",
    "vector_of": "catalog.vector_of({id}, 1)",
    "why_found": "catalog.why_found('{words}', {id})",
}  # fmt: skip
OF_ANOTHER_MODEL = {"joined_vector", "joined_vector_of"}  # they refuse vectors of hashed words
MAY_BE_EMPTY = {
    "calendar",
    "films_by_histories",
    "list",
    "nearest_words",
    "offers_that_came",
    "offers_that_left",
    "speakers_of",
    "strictest_age",
    "suitable_age",
}
# By function, a call for series alone, whose titles all have to be series.
SERIES = '\'{{"media_types": ["series"]}}\''
CALLS_FOR_SERIES = {
    "calendar": "catalog.calendar('US', media_types => array['series'])",
    "cards": "catalog.cards(array[{id}, {other}]::bigint[])",
    "complete_any_title": f"catalog.complete_any_title('the lamp', 10, {SERIES})",
    "find_title": f"catalog.find_title('The Lamp Keepers 1', null, 20, {SERIES})",
    "localized": "catalog.localized(array[{id}, {other}]::bigint[])",
    "match_titles": f"catalog.match_titles({ONE}, -1, 30, {SERIES})",
    "list": "catalog.list('popular', media => 'series')",
    "nearest_titles": f"catalog.nearest_titles({ONE}, 30, {SERIES})",
    "nearest_of_media": f"catalog.nearest_of_media('series', {ONE}, 30)",
    "recommend_titles": f"catalog.recommend_titles(array[{{id}}, {{other}}]::bigint[], filters => {SERIES})",
    "recommended_titles_for": f"catalog.recommended_titles_for('ann', {SERIES})",
    "search_titles": f"catalog.search_titles('{{words}}', 30, {SERIES})",
    "similar_titles": "catalog.similar_titles({id}, 20)",
    "next_episode": "catalog.next_episode({id}, '2026-01-01')",
    "next_episodes": "catalog.next_episodes('ann', '2026-01-01')",
}
FUNCTIONS = """
select p.proname, string_agg(p.prosrc, ' ') from pg_proc p
where p.pronamespace = 'catalog'::regnamespace and p.provolatile <> 'i'  -- an immutable function reads no table
  and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
group by p.proname
"""
TABLES = """
select distinct c.oid::regclass::text
from pg_attribute a join pg_class c on c.oid = a.attrelid
where c.relnamespace in ('catalog'::regnamespace, 'pipeline'::regnamespace) and c.relkind = 'r'
  and a.attname = 'title_id'
"""
IN_TURN = {"catalog.similar_titles", "pipeline.similar_title_lists"}  # lists are made again now and then
VIEWS = """
select c.oid::regclass::text from pg_class c join pg_attribute a on a.attrelid = c.oid
where c.relnamespace = 'catalog'::regnamespace and c.relkind = 'v' and a.attname = 'tmdb_id'
  and not exists (select from pg_attribute t where t.attrelid = c.oid and t.attname = 'title_id')
"""


@dataclass(frozen=True)
class Catalogues:
    """A catalogue of movies and series of the same numbers, and what it was before the series came."""

    both: SmallPipeline
    movies: Database

    def differing(self, statement: str) -> bool:
        """Return whether a statement has other rows since the series came."""
        return rows(self.both.database, statement) != rows(self.movies, statement)


def rows(database: Database, statement: str) -> list[str]:
    with database.transaction() as connection:
        found = connection.exec_driver_sql(f"select r::text from ({statement}) r").scalars()
        return sorted(str(row) for row in found)


def put_titles(pipeline: SmallPipeline, offset: int, template: str) -> None:
    statements = TITLES.format(offset=offset, template=template, ids=IDS)
    for statement in filter(str.strip, statements.split(";\n")):
        pipeline.do(statement.replace("%", "%%"))
    pipeline.run_all("embed_texts", "publish")


@pytest.fixture(scope="module")
def catalogues(server: str, template: str) -> Iterator[Catalogues]:
    with database_of_ones_own(server, template) as first, small_pipelines(first) as make:
        pipeline = make()
        put_titles(pipeline, 0, "film-v1")
        first.close()
        with database_of_ones_own(server, str(first.url.database)) as before:
            pipeline.database = Database(address_of(server, str(first.url.database)))
            put_titles(pipeline, SERIES_FROM, "series-v1")
            yield Catalogues(pipeline, before)
            pipeline.database.close()


def call(template: str, number: int, offset: int = 0) -> str:
    """Fill in a call, for the movie (or the series) of a place among the ids."""
    values = {"id": offset + IDS[number], "other": offset + IDS[number - 1], "words": WORDS[number % len(WORDS)]}
    return "select * from " + template.format(**values, vectors="catalog.title_vectors_1") + " as f"


def test_every_function_that_reads_tables_is_called_here_or_by_one_that_is(catalogues: Catalogues) -> None:
    with catalogues.movies.transaction() as connection:
        sources: dict[str, str] = {row[0]: row[1] for row in connection.exec_driver_sql(FUNCTIONS)}
    called = (CALLS.keys() | CALLS_FOR_SERIES.keys()) & sources.keys()
    new = called
    while new:
        new = {name for name in sources.keys() - called if any(f"{name}(" in sources[caller] for caller in new)}
        called |= new
    assert sources.keys() == called | OF_ANOTHER_MODEL


@pytest.mark.parametrize("name", CALLS)
def test_a_function_of_movies_answers_as_if_there_were_no_series(catalogues: Catalogues, name: str) -> None:
    calls = [call(CALLS[name], number) for number in range(0, len(IDS), 8)]
    assert [each for each in calls if catalogues.differing(each)] == []
    assert name in MAY_BE_EMPTY or any(rows(catalogues.movies, each) for each in calls), "it answers nothing"


@pytest.mark.parametrize("name", CALLS_FOR_SERIES)
def test_a_function_for_series_returns_series_alone(catalogues: Catalogues, name: str) -> None:
    found: list[str] = []
    for number in range(0, len(IDS), 8):
        inner = call(CALLS_FOR_SERIES[name], number, SERIES_FROM)
        assert rows(catalogues.both.database, f"select 1 from ({inner}) f where f.title_id < {SERIES_FROM}") == []
        found += rows(catalogues.both.database, inner)
    assert found or name in {"calendar", "list", "next_episode", "next_episodes"}


def test_every_view_of_movies_is_as_if_there_were_no_series(catalogues: Catalogues) -> None:
    with catalogues.movies.transaction() as connection:
        views = list(connection.exec_driver_sql(VIEWS).scalars())
    assert len(views) > 20
    assert [view for view in views if catalogues.differing(f"select * from {view}")] == []


def versions_of(database: Database, media: str) -> dict[str, list[str]]:
    """By table, the place and version of each row of a media type, which any write changes; contents of lists."""
    with database.transaction() as connection:
        tables = list(connection.exec_driver_sql(TABLES).scalars())
    chosen = f"catalog.media_type(title_id) = '{media}'"
    return {
        table: rows(
            database, f"select {'*' if table in IN_TURN else 'ctid, xmin, title_id'} from {table} where {chosen}"
        )
        for table in tables
    }


def test_what_is_written_for_titles_of_one_type_touches_no_row_of_the_other(catalogues: Catalogues) -> None:
    """First series came, then movies change, leave and are read again from nothing; ids are the same in both."""
    before = versions_of(catalogues.movies, "movie")
    now = versions_of(catalogues.both.database, "movie")
    assert {table for table in before if before[table] != now[table]} == set()
    assert sum(map(bool, now.values())) > 8
    series = versions_of(catalogues.both.database, "series")
    assert {table for table, found in series.items() if found} >= {
        table for table, found in now.items() if found and "vectors" not in table
    }
    pipeline = catalogues.both
    pipeline.do(f"delete from catalog.titles where title_id in ({', '.join(map(str, IDS[::3]))})")
    pipeline.do(
        f"update catalog.titles set title = 'Another', embedding_text = 'x' || title_id, text_hash = title_id::text, "
        f"changed_at = '2026-10-06 12:00+00' where title_id in ({', '.join(map(str, IDS[1::3]))})"
    )
    pipeline.do(
        f"update pipeline.title_ids set gone_since = '2026-10-06' where title_id in ({', '.join(map(str, IDS[::3]))})"
    )
    pipeline.run_all("embed_texts", "publish")
    after = versions_of(pipeline.database, "series")
    assert {table for table in series if series[table] != after[table]} == set()
