"""The measurement of the active set: when it is made, what it says, what its checks warn of."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.search import checks as quality_checks
from movie_assets_tests.conftest import database_of_ones_own, failed_checks, figures, figures_of
from movie_assets_tests.support.indexes import ALWAYS_INDEXED
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import FIRST_DAY, SmallPipeline

MEASUREMENTS = "select count(*) from pipeline.search_quality"
CHECKS = {check.check_key.name for check in quality_checks.CHECKS}


def pipeline_on(database: Database, instance: dg.DagsterInstance) -> SmallPipeline:
    """A pipeline that publishes; nothing is asked of TMDB here."""
    settings = Settings.model_validate({"tmdb_api_token": "a-token"})
    return SmallPipeline(database, settings, instance, LocalEmbedder("hashing-v1", 64), FIRST_DAY)


def with_films(pipeline: SmallPipeline, count: int) -> SmallPipeline:
    """Films of the batches that a run here looks at, in a set that is searched."""
    for n in range(count):
        tmdb_id = 64 * (1 + n // 4) + n % 4
        put_films(pipeline.database, tmdb_id, tmdb_id)
    pipeline.run_all("embed_texts", "publish")
    return pipeline


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture(scope="module")
def twelve_films(server: str, template: str, instance: dg.DagsterInstance) -> Iterator[str]:
    """Name of a database with twelve films that searches see, measured once."""
    with database_of_ones_own(server, template) as database:
        with_films(pipeline_on(database, instance), 12)
        database.close()
        yield str(database.url.database)


@pytest.fixture
def published(server: str, twelve_films: str, instance: dg.DagsterInstance) -> Iterator[SmallPipeline]:
    """A copy of it."""
    with database_of_ones_own(server, twelve_films) as database:
        yield pipeline_on(database, instance)


def told(result: Any) -> dict[str, Any]:
    return figures_of(result, "search_quality")


def check(pipeline: SmallPipeline, name: str) -> Any:
    """A check's evaluation in a publication."""
    (found,) = [e for e in pipeline.run("publish").get_asset_check_evaluations() if e.check_name == name]
    return found


def remember(pipeline: SmallPipeline, **changes: str) -> None:
    """Put three earlier measurements like the newest, but for some columns, before it, in time and in number."""
    columns = pipeline.column(
        "select column_name from information_schema.columns where table_name = 'search_quality' "
        "and column_name <> 'measurement_id' order by ordinal_position"
    )
    values = ", ".join(changes.get(column, column) for column in columns)
    pipeline.do(
        f"insert into pipeline.search_quality (measurement_id, {', '.join(columns)}) overriding system value "
        f"select -n, {values} from pipeline.search_quality, generate_series(1, 3) n "
        "where measurement_id = (select max(measurement_id) from pipeline.search_quality)"
    )


def test_a_set_is_measured_when_it_is_published(published: SmallPipeline) -> None:
    published.do("truncate pipeline.search_quality")
    said = told(published.run("publish"))
    assert said["is_new"] is True
    assert said["recall_at_10"] == 1.0
    assert 0 < said["p50_ms"] <= said["p95_ms"]
    assert said["loose"] <= said["related"] <= said["very_similar"]
    first = said["searches"][0]
    assert (first["filter"], first["searches"], first["recall@10"]) == ("nothing", 10, 1.0)
    assert [row["share below"] for row in said["similarities"]] == [
        "1.0%", "5.0%", "25.0%", "50.0%", "75.0%", "95.0%", "99.0%", "99.9%",
    ]  # fmt: skip
    assert all(row["pairs at random"] <= row["nearest"] for row in said["similarities"])


def test_more_films_are_measured_again(published: SmallPipeline) -> None:
    put_films(published.database, 512, 512)
    assert told(published.run_all("embed_texts", "publish")[1])["is_new"] is True
    assert published.one(MEASUREMENTS) == 2


def test_nothing_is_measured_again_while_nothing_changed(published: SmallPipeline) -> None:
    said = told(published.run("publish"))
    assert said["is_new"] is False
    assert said["recall_at_10"] == 1.0
    assert len(said["similarities"]) == 8
    assert published.one(MEASUREMENTS) == 1


def test_votes_and_popularity_are_no_reason_to_measure(published: SmallPipeline) -> None:
    published.do("update catalog.movie_stats set popularity = popularity + 1, vote_count = vote_count + 1")
    assert told(published.run("publish"))["is_new"] is False


@pytest.mark.parametrize(
    "change",
    [
        "delete from catalog.movies where tmdb_id = 64",
        "update catalog.movies set runtime_minutes = 99 where tmdb_id = 64",
        "update catalog.movies set collection_id = 7 where tmdb_id in (64, 65)",
        "insert into pipeline.golden_pairs values ('Film 64', 1990, 'Film 65', 1990)",
        ALWAYS_INDEXED,
    ],
)
def test_what_a_search_depends_on_is_measured_again(published: SmallPipeline, change: str) -> None:
    published.do(change)
    assert told(published.run("publish"))["is_new"] is True


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_a_catalogue_of_few_films_can_be_measured(database: Database, instance: dg.DagsterInstance, count: int) -> None:
    pipeline = with_films(pipeline_on(database, instance), count)
    result = pipeline.run("publish")
    assert result.success
    assert failed_checks(result) & CHECKS == set()
    assert told(result)["vectors"] == count
    assert pipeline.one("select count(*) from catalog.similarity_thresholds") == (1 if count > 1 else 0)


def test_films_of_a_collection_are_looked_for_among_the_ten_nearest(published: SmallPipeline) -> None:
    published.do("update catalog.movies set collection_id = 7 where tmdb_id in (64, 65, 66)")
    published.do("update catalog.movies set collection_id = 8 where tmdb_id = 67")
    said = told(published.run("publish"))
    assert said["collection_films"] == 3
    assert 0.5 <= said["collection_recall_at_10"] <= 1


def test_without_collections_there_is_no_such_figure(published: SmallPipeline) -> None:
    said = told(published.run("publish"))
    assert said["collection_films"] == 0
    assert "collection_recall_at_10" not in said


def test_an_index_that_finds_too_little_fails_its_check(published: SmallPipeline) -> None:
    published.do(
        "update pipeline.search_quality set searches = "
        '\'[{"filter": "nothing", "searches": 10, "recall_at_10": 0.99, "ms": 1, "exact_ms": 1},'
        ' {"filter": "Drama, 50 %%", "searches": 5, "recall_at_10": 0.9, "ms": 1, "exact_ms": 1}]\''
    )
    found = check(published, "searches_find_the_nearest")
    assert not found.passed
    assert found.severity.value == "ERROR"
    assert "Drama, 50 %: 0.90" in found.description


@pytest.mark.parametrize(("p95", "usual", "passes"), [(20, 1, True), (40, 20, True), (70, 20, False)])
def test_searches_may_be_three_times_as_slow_as_usual(
    published: SmallPipeline, p95: int, usual: int, passes: bool
) -> None:
    remember(published, p95_ms=str(usual))
    published.do(f"update pipeline.search_quality set p95_ms = {p95} where measurement_id > 0")
    assert check(published, "searches_are_as_fast_as_usual").passed is passes


def test_collections_that_come_apart_are_told(published: SmallPipeline) -> None:
    remember(published, collection_recall_at_10="0.9")
    published.do("update pipeline.search_quality set collection_recall_at_10 = 0.7 where measurement_id > 0")
    assert not check(published, "collections_stay_together").passed


def test_similarities_that_changed_are_reported(published: SmallPipeline) -> None:
    remember(published, nearest_similarity="array_fill(0.999::float8, array[8])")
    found = check(published, "similarities_mean_what_they_meant")
    assert not found.passed
    assert "nearest_similarity changed by -" in found.description


def test_the_figures_of_another_set_are_no_measure(published: SmallPipeline) -> None:
    remember(published, p95_ms="0.1")
    published.embedder = LocalEmbedder("hashing-v1", 32)
    published.run_all("embed_texts", "publish")
    result = published.run("publish")
    assert "usual_ms" not in figures(result, "searches_are_as_fast_as_usual")


def test_each_set_has_thresholds_of_its_own(published: SmallPipeline) -> None:
    published.embedder = LocalEmbedder("hashing-v1", 32)
    published.run_all("embed_texts", "publish")
    found = published.column(
        "select name || ' ' || is_active from catalog.similarity_thresholds "
        "where loose <= related and related <= very_similar order by set_id"
    )
    assert found == ["local hashing-v1 64 film-v1 false", "local hashing-v1 32 film-v1 true"]
