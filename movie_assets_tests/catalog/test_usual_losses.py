"""Which share of its ids an export usually lacks, learned over days, and what is held until it is usual."""

from collections.abc import Callable

import pytest

from movie_assets_tests.catalog.test_losses import LOSS, alive, held, lose, read_next_day
from movie_assets_tests.conftest import failed_checks
from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]


def small_world(small: Make) -> SmallPipeline:
    """A catalogue of 2,000 ids, 0.1 % of which are two."""
    pipeline = small(*(film(64 * n, popularity=5.0 if n % 50 == 0 else 0.1) for n in range(1, 2001)))
    pipeline.run_all("read_the_day")
    return pipeline


def test_what_is_usual_is_learned_from_the_last_loads(small: Make) -> None:
    pipeline = small_world(small)
    for _ in range(3):
        lose(pipeline, 3)
        read_next_day(pipeline)
    assert pipeline.one("select round(10000 * pipeline.usual_loss('2026-10-30'))") == 15
    lose(pipeline, 12)
    assert failed_checks(read_next_day(pipeline)) == set()
    lose(pipeline, 40)
    assert failed_checks(read_next_day(pipeline)) == {LOSS}


def test_a_loss_of_each_day_becomes_usual_once_it_was_confirmed(small: Make) -> None:
    pipeline = small_world(small)
    days_late = []
    for _ in range(7):
        lost = lose(pipeline, 8)
        days_late.append(failed_checks(read_next_day(pipeline)) == {LOSS})
        assert held(pipeline) == (lost if days_late[-1] else [])
    assert days_late == [True] * 4 + [False] * 3
    assert alive(pipeline) == len(pipeline.world.films)


def test_a_loss_that_grows_becomes_usual_within_days(small: Make) -> None:
    pipeline = small_world(small)
    days_late = []
    for lost in [1] * 7 + [16] * 6:
        lose(pipeline, lost)
        days_late.append(failed_checks(read_next_day(pipeline)) == {LOSS})
    assert days_late == [False] * 7 + [True] * 4 + [False] * 2


@pytest.mark.parametrize("days_before", [0, 1, 7])
def test_one_confirmed_loss_of_nine_percent_makes_the_next_no_usual_one(small: Make, days_before: int) -> None:
    pipeline = small_world(small)
    for _ in range(days_before):
        lose(pipeline, 1)
        read_next_day(pipeline)
    days_late = []
    for lost in (180, 1, 160, 1, 1, 1, 140):
        lose(pipeline, lost)
        days_late.append(failed_checks(read_next_day(pipeline)) == {LOSS})
    assert days_late == [True, False, True, False, False, False, True]
    assert len(held(pipeline)) == 140
    assert pipeline.one("select max(usual) from (select pipeline.usual_loss(export_date) as usual "
                        "from pipeline.exports) e") < 0.001  # fmt: skip


def test_a_loss_that_the_next_day_makes_good_is_not_learned_from(small: Make) -> None:
    pipeline = small_world(small)
    for _ in range(4):
        films = dict(pipeline.world.films)
        lose(pipeline, 180)
        assert failed_checks(read_next_day(pipeline)) == {LOSS}
        pipeline.world.films = films
        assert failed_checks(read_next_day(pipeline)) == set()
    assert pipeline.one("select sum(ids_confirmed) from pipeline.exports") == 0
    assert alive(pipeline) == 2000


def test_a_load_that_is_applied_again_is_counted_once(small: Make) -> None:
    pipeline = small_world(small)
    lose(pipeline, 180)
    read_next_day(pipeline)
    lose(pipeline, 1)
    read_next_day(pipeline)
    assert pipeline.run("read_the_day").success
    assert pipeline.column("select ids_confirmed from pipeline.exports order by export_date") == [0, 180, 0]
