"""Searches of a catalogue whose index finds too little: they are tuned by themselves until they find the nearest."""

import logging
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import numpy as np
import pytest
from pgvector import HalfVector
from sqlalchemy.exc import OperationalError

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, copy_rows
from movie_assets.database.sessions import SESSION_SETTINGS
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.search import vector_index
from movie_assets.search.vector_index import MIN_RECALL, SearchTuning, build_index, tune_searches
from movie_assets_tests.conftest import database_of_ones_own, figures_of
from movie_assets_tests.support.indexes import ALWAYS_INDEXED
from movie_assets_tests.support.small_pipelines import FIRST_DAY, SmallPipeline

FILMS = 5000
WIDTH = 256
NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
OLD_INDEX = "with (m = 4, ef_construction = 8)"
FEW_LINKS = f"""
drop index if exists catalog.title_vectors_1_nearest;
create index title_vectors_1_nearest on catalog.title_vectors_1 using hnsw (embedding halfvec_cosine_ops) {OLD_INDEX}
"""
OUT_OF_LINE = """
create table kept as select * from catalog.title_vectors_1;
truncate catalog.title_vectors_1;
alter table catalog.title_vectors_1 alter embedding set storage external;
insert into catalog.title_vectors_1 select * from kept
"""
FIRST = "select embedding::vector from catalog.title_vectors_1 where title_id = 64"
SEARCH = f"select count(*) from catalog.nearest_movies(({FIRST}), 10)"
LOG: Any = logging.getLogger(__name__)


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture(scope="module")
def scattered(server: str, template: str) -> Iterator[str]:
    """Name of a database with films of random words, which no graph with few links finds, in a set that is searched."""
    chance = np.random.default_rng(5)
    words = [" ".join(f"w{n}" for n in chance.integers(0, 3000, 30)) for _ in range(FILMS)]
    vectors = LocalEmbedder("hashing-v1", WIDTH).embed(words).vectors
    with database_of_ones_own(server, template) as database:
        with database.transaction() as connection:
            connection.exec_driver_sql(
                "insert into catalog.movies (tmdb_id, title, original_title, original_language, release_date, genres, "
                "keywords, directors, leading_cast, countries, overview, embedding_text, text_hash, changed_at) "
                "select 64 * n, 'Film ' || n, '', 'en', make_date(1920 + n::integer %% 100, 1, 1), "
                "array_remove(array['Any', case when n %% 2 = 0 then 'Half' end], null), "
                "'{}', '{}', '{}', '{}', w.words, w.words, n::text, now() "
                "from unnest(%(words)s::text[]) with ordinality w (words, n)",
                {"words": words},
            )
            connection.exec_driver_sql(
                "insert into pipeline.embedding_sets (provider, model, dimensions, template) "
                f"values ('local', 'hashing-v1', {WIDTH}, 'film-v1')"
            )
            copy_rows(
                connection, "pipeline.title_embeddings",
                {"set_id": "int2", "title_id": "int8", "text_hash": "text", "embedding": "halfvec",
                 "embedded_at": "timestamptz"},
                ((1, 64 * n, str(n), HalfVector(vector), NOW) for n, vector in enumerate(vectors, start=1)),
            )  # fmt: skip
            connection.exec_driver_sql("select pipeline.refresh_vectors(1)")
            connection.exec_driver_sql(OUT_OF_LINE)
            connection.exec_driver_sql(FEW_LINKS)
            connection.exec_driver_sql("analyze catalog.title_vectors_1")
            connection.exec_driver_sql("select pipeline.activate_set(1, true)")
        database.close()
        yield str(database.url.database)


@pytest.fixture
def catalogue(server: str, scattered: str) -> Iterator[Database]:
    """A copy of it."""
    with database_of_ones_own(server, scattered) as database:
        yield database


def least_recall(database: Database) -> float:
    """The least recall@10 of all filters, for films and for questions."""
    with database.transaction() as connection:
        return float(
            connection.exec_driver_sql("select min(recall_at_10) from pipeline.measure_filters(1)").scalar_one()
        )


def set_to(database: Database, statement: str) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql(statement)


def test_a_set_whose_searches_find_too_little_is_tuned_and_says_so(
    catalogue: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_index, "MAX_MS", float("inf"))  # however slow the machine is, the index stays
    assert least_recall(catalogue) < 0.9
    tune_searches(LOG, catalogue, 1, anew=True)
    tuned = catalogue.fetch_one(SearchTuning, "search_tuning", set_id=1)
    assert least_recall(catalogue) >= MIN_RECALL
    assert tuned.ef_search is not None
    assert tuned.ef_search > 100
    assert tuned.tuning is not None
    assert f"searches visit {tuned.ef_search} films of the graph instead of 100" in tuned.tuning


def test_the_check_passes_after_it_and_has_the_figures(catalogue: Database, instance: dg.DagsterInstance) -> None:
    set_to(catalogue, "update pipeline.embedding_sets set ef_search = 100")
    settings = Settings.model_validate({"tmdb_api_token": "a-token"})
    pipeline = SmallPipeline(catalogue, settings, instance, LocalEmbedder("hashing-v1", WIDTH), FIRST_DAY)
    result = pipeline.run("publish")
    (check,) = [e for e in result.get_asset_check_evaluations() if e.check_name == "searches_find_the_nearest"]
    assert check.passed
    assert "films of the graph instead of 100" in check.description
    assert "now with" in check.description
    assert check.metadata["visited_films"].value >= 100
    assert least_recall(catalogue) >= MIN_RECALL
    told = figures_of(result, "search_quality")
    assert {row["filter"] for row in told["searches"]} >= {"nothing", "nothing, questions", "since 2018, questions"}
    assert min(row["recall@10"] for row in told["searches"]) >= MIN_RECALL


def test_an_old_index_is_replaced_while_searches_use_it(catalogue: Database) -> None:
    set_to(catalogue, "update pipeline.embedding_sets set ef_search = 100")
    found: list[int] = []
    is_over = threading.Event()

    def search() -> None:
        while not is_over.is_set():
            with catalogue.transaction() as connection:
                found.append(connection.exec_driver_sql(SEARCH).scalar_one())

    searching = threading.Thread(target=search)
    searching.start()
    try:
        assert not catalogue.fetch_value(bool, "index_is_current", set_id=1)
        assert build_index(LOG, catalogue, 1, anew=True)
    finally:
        is_over.set()
        searching.join()
    assert catalogue.fetch_value(bool, "index_is_current", set_id=1)
    assert len(found) > 5
    assert set(found) == {10}


def test_an_index_may_take_longer_than_other_statements(catalogue: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SESSION_SETTINGS, "statement_timeout", "100")
    with Database(catalogue.url.render_as_string(hide_password=False)) as impatient:
        with pytest.raises(OperationalError, match="statement timeout"):
            set_to(impatient, "select pg_sleep(10)")
        started = time.monotonic()
        assert build_index(LOG, impatient, 1, anew=True)
        assert time.monotonic() - started > 0.1, "the limit would not have been exceeded"


@pytest.mark.parametrize(("ef_search", "is_exact"), [("null", False), ("100", False), ("600", True)])
def test_all_films_are_compared_where_that_takes_no_longer_than_the_graph(
    catalogue: Database, ef_search: str, is_exact: bool
) -> None:
    set_to(catalogue, f"update pipeline.embedding_sets set ef_search = {ef_search}")
    scans = "select pg_stat_get_xact_numscans('catalog.title_vectors_1_nearest'::regclass)"
    with catalogue.transaction() as connection:
        assert connection.exec_driver_sql(SEARCH).scalar_one() == 10
        assert (connection.exec_driver_sql(scans).scalar_one() == 0) is is_exact


def test_vectors_lie_in_their_rows_where_they_fit(database: Database) -> None:
    set_to(
        database,
        "insert into pipeline.embedding_sets (provider, model, dimensions, template) "
        "values ('test', 'narrow', 3072, 'none'), ('test', 'wide', 4000, 'none')",
    )
    set_to(database, "select pipeline.refresh_vectors(s.set_id) from pipeline.embedding_sets s")
    storage = "select attstorage from pg_attribute where attname = 'embedding' and attrelid = "
    with database.transaction() as connection:
        stored = [
            connection.exec_driver_sql(f"{storage} 'catalog.title_vectors_{n}'::regclass").scalar_one() for n in (1, 2)
        ]
        # The longest row that TMDB's films make: every genre, beside the widest vector.
        connection.exec_driver_sql(
            "insert into catalog.title_vectors_1 select 1, repeat('a', 64), "
            "array_fill(0.5, array[3072])::vector::halfvec, 2000, "
            "array_fill('Science Fiction'::text, array[19]), 'en', 1, 'R'"
        )
    assert stored == ["p", "e"]


def test_the_build_of_an_index_takes_at_most_twice_the_cache_of_the_embedded_server(database: Database) -> None:
    set_to(
        database,
        "insert into pipeline.embedding_sets (provider, model, dimensions, template) values ('openai', 'a', 8, 'none')",
    )
    set_to(database, "select pipeline.refresh_vectors(1)")
    set_to(database, ALWAYS_INDEXED)
    memory = "select current_setting('maintenance_work_mem')"
    for cache, taken in (("16", "32MB"), ("1024", "64MB")):
        with database.transaction() as connection:
            connection.exec_driver_sql(f"select set_config('movie_assets.memory_mb', '{cache}', true)")
            connection.exec_driver_sql("select pipeline.build_vector_index(1, true)")
            assert connection.exec_driver_sql(memory).scalar_one() == taken
