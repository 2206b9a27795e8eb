"""The troubles of a soak's days, and what the emulator is given of them."""

import random
from collections import Counter

from movie_assets.emulator.faults import known_faults
from movie_assets_tests.soak.troubles import ALL_DAY, JOBS, MAX_A_DAY, TROUBLES, ErrorClass, dealt, faults_of, kind_of


def plan(seed: int, days: int = 30) -> list[list[ErrorClass]]:
    return dealt(random.Random(seed), days)  # noqa: S311  # repeatable


def test_thirty_days_have_every_trouble_and_the_ends_are_calm() -> None:
    for seed in range(20):
        days = plan(seed)
        dealt_out = Counter(kind_of(error_class.name) for day in days for error_class in day)
        assert len(days) == 30
        assert (days[0], days[-2:]) == ([], [[], []])
        assert all(dealt_out[kind_of(error_class.name)] in (1, 2, 3) for error_class in TROUBLES)


def test_a_day_has_no_two_troubles_in_one_job() -> None:
    for seed in range(20):
        for day in plan(seed):
            assert len(day) <= MAX_A_DAY
            assert {error_class.job for error_class in day} <= set(JOBS)
            assert len({error_class.job for error_class in day}) == len(day)


def test_the_same_seed_deals_the_same_troubles() -> None:
    assert plan(5) == plan(5) != plan(6)


def test_few_days_are_all_calm() -> None:
    assert plan(1, 3) == [[], [], []]


def test_every_fault_is_one_of_the_stand_ins() -> None:
    assert all(known_faults(error_class.faults) == error_class.faults for error_class in TROUBLES)


def test_a_trouble_is_over_after_its_tries() -> None:
    troubles = [ErrorClass("away", "publish", {"503": 1.0}), ErrorClass("slow", "publish", {"429s": 0.1}, ALL_DAY)]
    assert faults_of(troubles, 1) == {"503": 1.0, "429s": 0.1}
    assert faults_of(troubles, 2) == {"429s": 0.1}
    assert [error_class.lasts_all_day for error_class in troubles] == [False, False]
    assert ErrorClass("gone", "publish", {"503": 1.0}, ALL_DAY).lasts_all_day
