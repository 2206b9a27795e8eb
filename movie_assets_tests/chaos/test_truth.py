"""The judge of the other tests: an undisturbed run is true, and each kind of harm is noticed."""

import pytest

from movie_assets_tests.chaos.conftest import FILMS, Chaos
from movie_assets_tests.chaos.truth import State, Verdict, compared, state_of


def test_the_truth_is_the_world(truth: State, chaos: Chaos) -> None:
    accepted = {n for n in FILMS if n % 9}
    assert {int(key) for key, _ in truth["movies"]} == accepted == {int(key) for key, _ in truth["vectors"]}
    assert {int(key) for key, _ in truth["ids"]} == set(FILMS) == {int(key) for key, _ in truth["export"]}
    assert all(rows for rows in truth.values())
    chaos.pipeline.run_all()
    assert compared(state_of(chaos.database), truth).is_true
    assert chaos.pipeline.world.asked.total() == len(FILMS)


@pytest.mark.chaos
@pytest.mark.parametrize(
    ("harm", "verdict"),
    [
        ("delete from catalog.rating_aggregates where scope = 'film' and key = '64'", Verdict(1, 0, 0)),
        ("update catalog.movies set overview = 'another' where tmdb_id = 64", Verdict(0, 0, 1)),
        ("insert into pipeline.movie_ids (tmdb_id, state) values (999, 'candidate')", Verdict(0, 1, 0)),
        ("update pipeline.embedding_costs set texts = texts + 1", Verdict(0, 0, 1)),
    ],
)
def test_harm_is_noticed(harmed: Chaos, truth: State, harm: str, verdict: Verdict) -> None:
    with harmed.database.transaction() as connection:
        connection.exec_driver_sql(harm)
    assert compared(state_of(harmed.database), truth) == verdict


@pytest.fixture
def harmed(chaos: Chaos) -> Chaos:
    chaos.pipeline.run_all()
    return chaos
