"""The comparison of the other tests: an undisturbed run is true, and each kind of harm is noticed."""

import logging

import dagster as dg
import pytest

from movie_assets_tests.chaos.conftest import Chaos, Truth
from movie_assets_tests.chaos.truth import KEY, OF_SERIES, PASSWORD, TOKEN, Differences, compared, state_of
from movie_assets_tests.chaos.worlds import FILMS


def test_the_truth_is_the_world(truth: Truth, chaos: Chaos) -> None:
    accepted = {n for n in FILMS if n % 9}
    assert {int(key) for key, _ in truth.state["movies"]} == accepted == {int(key) for key, _ in truth.state["vectors"]}
    assert {int(key) for key, _ in truth.state["ids"]} == set(FILMS) == {int(key) for key, _ in truth.state["export"]}
    # A new film's numbers of a day come a day later, and nothing changed yet.
    assert {name for name, rows in truth.state.items() if not rows} == {"stats by day", "changes", *OF_SERIES}
    chaos.pipeline.run_all()
    assert chaos.compare("none", "all", 0).is_true
    assert chaos.asked == len(FILMS)


@pytest.mark.chaos
def test_the_truth_with_series_has_seasons_and_changes(truth_with_series: Truth) -> None:
    assert {name for name, rows in truth_with_series.state.items() if not rows} == {"stats by day"}
    assert 20 < len(truth_with_series.state["seasons"]) < len(truth_with_series.state["episodes"])


@pytest.mark.parametrize(
    ("harm", "differences"),
    [
        ("delete from catalog.rating_aggregates where scope = 'film' and key = '64'", Differences(1, 0, 0)),
        ("update catalog.movies set overview = 'another' where tmdb_id = 64", Differences(0, 0, 1)),
        ("insert into catalog.vocabulary (word, films, trigrams) values ('another', 1, '{}')", Differences(0, 1, 0)),
        ("update pipeline.embedding_costs set texts = texts + 1", Differences(0, 0, 1)),
        ("insert into pipeline.id_history select * from pipeline.id_history where tmdb_id = 64", Differences(0, 1, 0)),
    ],
)
def test_harm_is_noticed(harmed: Chaos, truth: Truth, harm: str, differences: Differences) -> None:
    with harmed.database.transaction() as connection:
        connection.exec_driver_sql(harm)
    assert compared(state_of(harmed.database), truth.state) == differences


@pytest.mark.parametrize("secret", [TOKEN, KEY, PASSWORD])
def test_a_secret_that_was_told_is_noticed(chaos: Chaos, secret: str, caplog: pytest.LogCaptureFixture) -> None:
    chaos.pipeline.run_all()
    chaos.pipeline.do(f"update pipeline.run_log set reason = 'refused: {secret}' where step = 'movie_details'")
    chaos.pipeline.instance.add_run(dg.DagsterRun(job_name="any", tags={"why": secret}))
    chaos.log.write_text(f"a worker says {secret}\n")
    logging.getLogger("any").warning(secret)
    differences = chaos.compare("none", "all", 0.0)
    assert (differences, differences.is_true) == (Differences(0, 0, 0, secrets=4), False), caplog.text


@pytest.fixture
def harmed(chaos: Chaos) -> Chaos:
    chaos.pipeline.run_all()
    return chaos
