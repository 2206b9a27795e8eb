"""Slow modules come first on each worker, and no test is lost or run twice."""

from pathlib import Path

import pytest

from movie_assets_tests.support.slow_first import SLOW, slow_first


def test_each_share_begins_with_slow_modules() -> None:
    modules = [f"quick_{number}" for number in range(30)]
    modules[10:10] = [slow for slow in sorted(SLOW) for _ in range(2)]
    order = [modules[place] for place in slow_first(modules, 2)]
    assert order[:10] == [slow for slow in SLOW[::2] for _ in range(2)]
    assert order[25:35] == [slow for slow in SLOW[1::2] for _ in range(2)]


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
@pytest.mark.parametrize("modules", [[], ["quick"], [SLOW[0]] * 9, ["quick", *SLOW, SLOW[0], "quick", "other"]])
def test_every_test_runs_once_in_the_order_of_its_module(modules: list[str], workers: int) -> None:
    order = slow_first(modules, workers)
    assert sorted(order) == list(range(len(modules)))
    for module in set(modules):
        places = [place for place in order if modules[place] == module]
        assert places == sorted(places)


def test_the_slow_modules_exist() -> None:
    assert [slow for slow in SLOW if not (Path(__file__).parent / slow).exists()] == []
