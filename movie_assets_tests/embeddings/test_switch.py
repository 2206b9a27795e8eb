"""One embedding set takes another's place while applications search without a pause: no error, no mixed answer."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from movie_assets.database.database import Database
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.embeddings.registry import embedder_from
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.conftest import DAY, Pipeline, database_of_ones_own, settings_for
from movie_assets_tests.support.rows import put_films

FILMS = 300
SWITCHES = 40
NARROW, WIDE = 32, 64  # the width of each set
QUESTION = "a story about ship 777"
ALL_BATCHES = ("batch_00", "batch_63")


def of_a_film(database: Database) -> list[Any]:
    """What similar_movies finds."""
    return database_rows(database, "select tmdb_id, similarity from catalog.similar_movies(77, 10)")


def of_a_question(database: Database) -> list[Any]:
    """As an application does it: ask which model is active, embed, search in that set."""
    (active,) = database_rows(database, "select set_id, dimensions from catalog.embedding_sets where is_active")
    vector = LocalEmbedder("hashing-v1", active.dimensions).embed([QUESTION]).vectors[0]
    return database_rows(
        database, "select tmdb_id, similarity from catalog.match_movies(:v, -1, 10, '{}', :in_set)",
        v=str(vector.tolist()), in_set=active.set_id,
    )  # fmt: skip


def of_the_view(database: Database) -> list[Any]:
    """A query of the application's own on the view."""
    return database_rows(
        database,
        "select b.tmdb_id, 1 - (a.embedding <=> b.embedding) as similarity from catalog.movie_vectors a, "
        "catalog.movie_vectors b where a.tmdb_id = 77 order by 2 desc, 1 limit 10",
    )


def of_a_taste(database: Database) -> list[Any]:
    """What recommend_movies finds."""
    return database_rows(
        database, "select tmdb_id, similarity from catalog.recommend_movies('{77, 3}', '{9}', '{200}')"
    )


SEARCHES: tuple[Callable[[Database], list[Any]], ...] = (of_a_film, of_a_question, of_the_view, of_a_taste)


def database_rows(database: Database, sql: str, **parameters: Any) -> list[Any]:
    with database.transaction() as connection:
        return list(connection.execute(sa.text(sql), parameters))


@dataclass
class Searching:
    """A thread that searches, and what it was told."""

    answers: list[list[Any]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)


@contextmanager
def searching(database: Database, search: Callable[[Database], list[Any]]) -> Iterator[Searching]:
    """Search again and again until the block ends."""
    told, is_over = Searching(), threading.Event()

    def loop() -> None:
        while not is_over.is_set():
            try:
                told.answers.append(search(database))
            except Exception as error:  # noqa: BLE001  # the test asserts that there is none
                told.errors.append(error)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield told
    finally:
        is_over.set()
        thread.join()


@pytest.fixture(scope="module")
def built(server: str, template: str) -> Iterator[Pipeline]:
    """Films with vectors in two sets that can both be searched."""
    with (
        database_of_ones_own(server, template) as database,
        TmdbEmulator(EmulatorOptions(movies=1, today=DAY)) as tmdb_emulator,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        put_films(database, 1, FILMS)
        pipeline = Pipeline(database, settings_for(tmdb_emulator), instance, LocalEmbedder("hashing-v1", NARROW))
        for width in (NARROW, WIDE):
            change_model(pipeline, width)
        yield pipeline


@pytest.fixture
def two_sets(built: Pipeline) -> Pipeline:
    """The same, the wide set active."""
    switch(built, WIDE)
    return built


def change_model(pipeline: Pipeline, width: int) -> None:
    """Embed and publish with another model, as the day after a change of settings does."""
    pipeline.embedder = LocalEmbedder("hashing-v1", width)
    assert pipeline.run("embed_texts", batches=ALL_BATCHES).success
    assert pipeline.run("publish").success


def switch(pipeline: Pipeline, width: int) -> None:
    pipeline.do(f"select pipeline.activate_set(set_id) from pipeline.embedding_sets where dimensions = {width}")


@pytest.mark.parametrize("search", SEARCHES)
def test_no_search_fails_or_mixes_sets_while_they_are_switched(
    two_sets: Pipeline, search: Callable[[Database], list[Any]]
) -> None:
    expected = []
    for width in (NARROW, WIDE):
        switch(two_sets, width)
        expected.append(search(two_sets.database))
    assert expected[0] != expected[1]
    with searching(two_sets.database, search) as one, searching(two_sets.database, search) as other:
        for number in range(SWITCHES):
            answered = len(one.answers) + len(one.errors)
            switch(two_sets, (NARROW, WIDE)[number % 2])
            while len(one.answers) + len(one.errors) == answered:
                time.sleep(0.002)
    for told in (one, other):
        assert told.errors == []
        assert all(answer in expected for answer in told.answers)
    assert {expected.index(answer) for told in (one, other) for answer in told.answers} == {0, 1}


def test_a_model_is_changed_by_the_pipeline_under_a_running_search(two_sets: Pipeline) -> None:
    with searching(two_sets.database, of_a_film) as told:
        change_model(two_sets, 16)
    assert told.errors == []
    assert all(len(answer) == 10 for answer in told.answers)
    assert two_sets.one("select dimensions from catalog.embedding_sets where is_active") == 16


def test_an_application_that_names_the_old_set_goes_on_finding_films_in_it(two_sets: Pipeline) -> None:
    vector = LocalEmbedder("hashing-v1", NARROW).embed([QUESTION]).vectors[0]
    found = database_rows(
        two_sets.database,
        "select n.tmdb_id from catalog.embedding_sets s, catalog.match_movies(:v, -1, 10, '{}', s.set_id) n "
        "where s.dimensions = :width and not s.is_active",
        v=str(vector.tolist()), width=NARROW,
    )  # fmt: skip
    assert len(found) == 10


def test_a_vector_of_another_model_is_refused_with_the_remedy(two_sets: Pipeline) -> None:
    with pytest.raises(sa.exc.DBAPIError, match="in_set => number"):
        database_rows(two_sets.database, "select * from catalog.match_movies(:v)", v=str([1.0] * NARROW))


def test_rights_on_the_view_and_views_upon_it_outlive_a_switch(two_sets: Pipeline) -> None:
    two_sets.do("create view public.mine as select tmdb_id from catalog.movie_vectors")
    two_sets.do("grant select on catalog.movie_vectors to public")
    switch(two_sets, NARROW)
    assert two_sets.one("select count(*) from public.mine") == FILMS
    assert two_sets.one("select has_table_privilege('public', 'catalog.movie_vectors', 'select')") is True


def test_a_role_that_may_read_the_catalogue_and_nothing_else_can_search(two_sets: Pipeline) -> None:
    two_sets.do("create role reader_of_films nologin")
    two_sets.do("grant usage on schema catalog to reader_of_films")
    two_sets.do("grant select on all tables in schema catalog to reader_of_films")
    vector = str(LocalEmbedder("hashing-v1", WIDE).embed([QUESTION]).vectors[0].tolist())
    try:
        with two_sets.database.transaction() as connection:
            connection.exec_driver_sql("set local role reader_of_films")
            for call in (
                f"match_movies('{vector}', filters => '{{\"min_votes\": 10, \"people\": []}}')",
                "similar_movies(77)", "recommend_movies('{77}')", "recommend_movies()", "search_movies('90s sci-fi')",
                "search_movies('a murdr in a mansion')", "search_movies('films like memento')",
                "find_movie('memento 2')", "why_found('a murder', 77)", "complete_title('mem')",
            ):  # fmt: skip
                connection.exec_driver_sql(f"select * from catalog.{call}")
            with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
                connection.exec_driver_sql("select * from pipeline.embeddings")
    finally:
        two_sets.do("drop owned by reader_of_films")
        two_sets.do("drop role reader_of_films")


def of_the_settings(database: Database) -> list[Any]:
    """As an application does it that embeds its questions in SQL, whatever keyless model is active."""
    return database_rows(
        database,
        "select s.model, n.tmdb_id from catalog.embedding_sets s, catalog.search_movies(:text, 10, "
        "query_embedding => catalog.question_vector(:text)) n where s.is_active",
        text=QUESTION,
    )


def test_an_upgrade_to_the_new_keyless_default_switches_when_it_is_complete(server: str, template: str) -> None:
    with (
        database_of_ones_own(server, template) as database,
        TmdbEmulator(EmulatorOptions(movies=150, today=DAY, rate_limit=0)) as tmdb_emulator,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        settings = settings_for(tmdb_emulator)  # they name no model
        pipeline = Pipeline(database, settings, instance, LocalEmbedder("hashing-v1", 1536))
        assert all(run.success for run in pipeline.run_day())
        before = database_rows(database, "select tmdb_id from pipeline.embeddings order by 1")
        pipeline.embedder = embedder_from(settings)
        with searching(database, of_the_settings) as told, searching(database, of_a_stored_film) as other:
            assert pipeline.run("embed_texts", batches=("batch_00", "batch_31")).success
            assert pipeline.run("publish").success
            halfway = pipeline.one("select model from catalog.embedding_sets where is_active")
            assert all(run.success for run in pipeline.run_day())
        assert halfway == "hashing-v1"
        active = pipeline.one("select model || ' ' || dimensions from catalog.embedding_sets where is_active")
        assert active == "hashing-v2 4000"
        assert database_rows(database, "select tmdb_id from catalog.movie_vectors order by 1") == before
        assert (told.errors, other.errors) == ([], [])
        assert {len(answer) for answer in [*told.answers, *other.answers]} == {10}
        models = [answer[0].model for answer in told.answers]
        assert models == sorted(models)
        assert set(models) == {"hashing-v1", "hashing-v2"}


def of_a_stored_film(database: Database) -> list[Any]:
    """What similar_movies finds for the first film."""
    return database_rows(
        database, "select n.* from catalog.similar_movies((select min(tmdb_id) from catalog.movies), 10) n"
    )
