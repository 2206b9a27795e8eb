"""The order of tests on several workers: slow modules come first, so that no worker is left alone with one."""

from itertools import chain, islice

import pytest

# Most seconds first, as `pytest --durations` has them.
SLOW = (
    "refresh/test_overlap.py",
    "refresh/test_power_cut.py",
    "webserver/test_dagster_commands.py",
    "orchestration/test_pool_waits.py",
    "rehearsal/test_rehearsal.py",
    "refresh/test_sixteen_days.py",
    "cli/test_dev.py",
    "webserver/test_runs_in_the_web_ui.py",
    "database/test_full_disk.py",
    "search/test_embedding_quality.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order the tests of a worker; all workers have the same order. Without workers the order stays."""
    if hasattr(config, "workerinput"):
        modules = [item.nodeid.partition("::")[0].partition("/")[2] for item in items]
        items[:] = [items[place] for place in slow_first(modules, config.workerinput["workercount"])]


def slow_first(modules: list[str], workers: int) -> list[int]:
    """Return the places of tests in another order, given the module of each.

    Each worker begins with an equal share of the order, from its front, and takes from the end of another's share when
    it has done its own. So slow modules are dealt to the fronts of the shares.
    """
    fronts: list[list[int]] = [[] for _ in range(workers)]
    for number, slow in enumerate(SLOW):
        fronts[number % workers] += [place for place, module in enumerate(modules) if module == slow]
    quick = iter([place for place, module in enumerate(modules) if module not in SLOW])
    edges = [len(modules) * number // workers for number in range(workers + 1)]
    shares = [
        [*front, *islice(quick, max(0, end - begin - len(front)))]
        for front, begin, end in zip(fronts, edges, edges[1:], strict=False)
    ]
    return [*chain(*shares), *quick]
