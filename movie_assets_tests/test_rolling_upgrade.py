"""An upgrade in place: applications of the last release can still read, and the new code repeats no finished work."""

import threading
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import psycopg
import pytest

from movie_assets.config.paths import CHECKOUT, SQL
from movie_assets.database.migrations import function_files
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.conftest import address_of
from movie_assets_tests.support.last_release import COMMAND, FUNCTIONS, TODAYS_COMMAND, Code, unpack

pytestmark = pytest.mark.release

DAY = date(2026, 11, 19)
HISTORY = "Date,Name,Year,Letterboxd URI,Rating\n2026-01-01,Knives Out,2019,u,4.5\n2026-01-02,The Dark Night,2008,v,4\n"
# What applications of the last release call. These rank films otherwise than the last release did, the best one first.
SEARCHES = (
    "select tmdb_id, title, release_year, score, found_by from catalog.search_movies('the drak knight', 10)",
    """select tmdb_id, title, score from catalog.search_movies('a murder', 5, '{"year_from": 1990}', query_embedding =>
        (select embedding::vector from catalog.movie_vectors order by tmdb_id limit 1))""",
)
CALLS = (
    *SEARCHES,
    "select * from catalog.find_movie('Knives Out', 2019)",
    "select * from catalog.complete_title('kni')",
    "select * from catalog.nearest_words('murdr')",
    "select * from catalog.query_terms('a murdr in a mansion')",
    "select * from catalog.similar_movies((select min(tmdb_id) from catalog.movies), 5)",
    """select * from catalog.match_movies(
        (select embedding::vector from catalog.movie_vectors order by tmdb_id limit 1),
        match_count => 5, filters => '{"genres": ["Drama"]}')""",
    "select catalog.shared_features(min(tmdb_id), max(tmdb_id)) from catalog.movies",
    "select catalog.hashed_vector('a murder in a mansion', 8)",
    """select tmdb_id, title, score, because, reasons from catalog.recommend_movies(
        loved => array(select min(tmdb_id) from catalog.movies), filters => '{"runtime_to": 500}', match_count => 5)""",
    "select tmdb_id, title, reasons from catalog.recommendations_for('me', match_count => 5)",
    "select catalog.normalised('Amélie'), catalog.title_key('The Heist'), catalog.folded('ÉÀ')",
)
BEST = f"select title from ({SEARCHES[0]}) s order by score desc limit 1"
# Tables and views with the columns that they have in the last release.
RELATIONS = """
select concat('select ', string_agg(quote_ident(a.attname), ', ' order by a.attnum), ' from ', c.oid::regclass)
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'catalog'::regnamespace and c.relkind in ('r', 'v')
group by c.oid
"""
# A second refresh of the same day changes none of these rows.
WORK = (
    "select tmdb_id, fetched_at from pipeline.raw_details",
    "select set_id, tmdb_id, text_hash, embedded_at from pipeline.embeddings",
    "select spent_at, run_id, texts, tokens from pipeline.embedding_costs",
    "select rules, day, evaluated_at from pipeline.evaluation",
    "select tmdb_id, fetched_at, state, reason, failed_rules from pipeline.movie_ids",
    "select count(*) from pipeline.id_history",
    "select review_id, status, decided_at from pipeline.match_reviews",
    "select tmdb_id, changed_at, text_hash from catalog.movies",
)
SCHEMA = "select file, digest, applied_at from movie_assets_schema"


@dataclass(frozen=True)
class Deployment:
    """A catalogue of the last release, with the code of the last release and of today."""

    address: str
    emulator: TmdbEmulator
    old: Code
    new: Code

    def rows(self, statements: Sequence[str]) -> dict[str, list[str]]:
        with psycopg.connect(self.address) as connection:
            return {each: sorted(map(str, connection.execute(each.encode()).fetchall())) for each in statements}

    def relations(self) -> list[str]:
        with psycopg.connect(self.address) as connection:
            return [statement for (statement,) in connection.execute(RELATIONS).fetchall()]

    def read_until(self, stop: threading.Event, statements: Sequence[str]) -> int:
        """Run statements in a loop on one connection, as an application does; return the number of rounds."""
        rounds = 0
        with psycopg.connect(self.address, autocommit=True) as connection:
            while not stop.is_set():
                for statement in statements:
                    connection.execute(statement.encode()).fetchall()
                rounds += 1
        return rounds


@dataclass(frozen=True)
class Upgrade:
    """A deployment that was migrated while applications read, with the rows and searches from before."""

    deployment: Deployment
    rounds_meanwhile: list[int]
    rows: dict[str, list[str]]
    work: dict[str, list[str]]
    searches: dict[str, list[list[object]]]
    best: list[str]


@pytest.fixture(scope="module")
def last_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("last_release")
    unpack(folder)
    return folder


@pytest.fixture(scope="module")
def deployment(server: str, last_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Refresh a day with the last release, with vectors of the emulator's service and a watch history."""
    name = f"rolling_{uuid.uuid4().hex[:8]}"
    history = tmp_path_factory.mktemp("files") / "ratings.csv"
    history.write_text(HISTORY)
    with TmdbEmulator(EmulatorOptions(today=DAY, movies=300, rate_limit=0)) as emulator:
        variables = {
            "MOVIE_ASSETS_DATABASE_URL": address_of(server, name),
            "MOVIE_ASSETS_HOME": str(tmp_path_factory.mktemp("home_of_both")),
            "MOVIE_ASSETS_TMDB_RATE": "0",
            "MOVIE_ASSETS_EMBEDDING_DIMENSIONS": "64",
            "OPENAI_API_KEY": "a-key",
            "OPENAI_BASE_URL": emulator.openai_url,
            "TMDB_API_TOKEN": "a-token",
            "TMDB_API_URL": emulator.tmdb_url,
            "TMDB_EXPORT_URL": emulator.export_url,
        }
        old, new = Code(last_release, COMMAND, variables), Code(CHECKOUT, TODAYS_COMMAND, variables)
        old.call("refresh", "--date", f"{DAY}")
        old.call("import", str(history))
        old.call("refresh", "--date", f"{DAY}")  # lists for the history
        yield Deployment(variables["MOVIE_ASSETS_DATABASE_URL"], emulator, old, new)
    with psycopg.connect(address_of(server, "postgres"), autocommit=True) as connection:
        for database in (name, f"{name}_dagster"):
            connection.execute(f"drop database if exists {database} with (force)".encode())


@pytest.fixture(scope="module")
def upgrade(deployment: Deployment) -> Upgrade:
    """Migrate with today's code while two applications read, one with functions and one from tables and views."""
    relations = deployment.relations()
    rows, work = deployment.rows([*CALLS, *relations]), deployment.rows(WORK)
    best, searches, stop = deployment.rows([BEST])[BEST], deployment.old.searches(), threading.Event()
    with ThreadPoolExecutor(2) as threads:
        readers = [threads.submit(deployment.read_until, stop, each) for each in (CALLS, relations)]
        try:
            deployment.new.call("migrate")
        finally:
            stop.set()
    return Upgrade(deployment, [reader.result() for reader in readers], rows, work, searches, best)


def test_applications_read_without_an_error_while_the_schema_is_migrated(upgrade: Upgrade) -> None:
    assert min(upgrade.rounds_meanwhile) > 0


def test_the_same_statements_return_the_same_rows_after_it(upgrade: Upgrade) -> None:
    assert all(upgrade.rows[call] for call in CALLS)
    rows = upgrade.deployment.rows(list(upgrade.rows))
    assert {call: rows[call] for call in rows if call not in SEARCHES} == {
        call: upgrade.rows[call] for call in rows if call not in SEARCHES
    }
    for search in SEARCHES:
        assert len(rows[search]) >= len(upgrade.rows[search]), search


def test_the_last_releases_own_searches_find_the_same(upgrade: Upgrade) -> None:
    searches, before = upgrade.deployment.old.searches(), upgrade.searches
    assert {name: searches[name] for name in before if name != "search"} == {
        name: before[name] for name in before if name != "search"
    }
    assert searches["search"][0][:2] == before["search"][0][:2]  # number and title of the best film


def test_a_misspelt_title_finds_its_film_first_before_and_after(upgrade: Upgrade) -> None:
    assert upgrade.deployment.rows([BEST])[BEST] == upgrade.best


@pytest.mark.parametrize("command", [["migrate"], ["refresh", "--date", f"{DAY}"], ["fetch", "603"], ["status"]])
def test_what_the_last_release_would_write_is_refused(upgrade: Upgrade, command: list[str]) -> None:
    schema = upgrade.deployment.rows([SCHEMA])
    refused = upgrade.deployment.old.run(*command)
    assert refused.returncode == 1
    assert "the database was migrated by a newer movie_assets" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert upgrade.deployment.rows([SCHEMA]) == schema


def test_a_day_that_is_done_is_not_done_again(upgrade: Upgrade) -> None:
    emulator = upgrade.deployment.emulator
    emulator.reset_counts()
    texts = emulator.embedded_inputs
    new = upgrade.deployment.new
    # TMDB's charts are new: they are read, and titles that the catalogue lacks are requested.
    without_charts = replace(new, variables={**new.variables, "MOVIE_ASSETS_LIST_PAGES": "0"})
    without_charts.call("refresh", "--date", f"{DAY}")
    # The lists are read once more, as the last release did not keep them in slices.
    assert set(emulator.requests) <= {"export", "changes", "discover"}
    assert emulator.embedded_inputs == texts
    assert upgrade.deployment.rows(WORK) == upgrade.work


def test_other_functions_come_with_a_new_migration(last_release: Path) -> None:
    """A new migration tells older code that the database is newer, so that it does not restore its own functions."""
    before = {path.name: path.read_text() for path in last_release.glob(FUNCTIONS)}
    before_migrations = {path.name for path in (last_release / "sql" / "migrations").glob("*.sql")}
    new_migrations = {path.name for path in (SQL / "migrations").glob("*.sql")} - before_migrations
    assert new_migrations or {path.name: path.read_text() for path in function_files(SQL)} == before
