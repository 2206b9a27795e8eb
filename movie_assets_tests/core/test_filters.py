"""Each rule of the detail stage, their order, and what an unknown value means."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from movie_assets.core.films import Film
from movie_assets.core.filters import DETAIL_RULES, EXPORT_RULES, RULES, Thresholds
from movie_assets.settings import Settings
from movie_assets_tests.core.bodies import film

THRESHOLDS = Thresholds(
    min_popularity=1.0,
    min_vote_count=100,
    min_vote_average=5.0,
    released_since=date(1990, 1, 1),
    min_runtime=60,
    max_runtime=240,
    languages=("en", "fr"),
)
FAILING: dict[str, dict[str, Any]] = {
    "adult": {"adult": True},
    "video": {"video": True},
    "softcore": {"softcore": True},
    "vote_count": {"vote_count": 99},
    "vote_average": {"vote_average": 4.999},
    "release_date": {"release_date": date(1989, 12, 31)},
    "runtime": {"runtime_minutes": 59},
    "language": {"original_language": "xx"},
}


def with_facts(**facts: Any) -> Film:
    return replace(film(), **facts)


def test_a_film_that_reaches_everything_is_accepted() -> None:
    assert THRESHOLDS.reason_to_reject(film()) is None


@pytest.mark.parametrize("rule", DETAIL_RULES)
def test_each_rule_rejects_by_its_name(rule: str) -> None:
    assert THRESHOLDS.reason_to_reject(with_facts(**FAILING[rule])) == rule


@pytest.mark.parametrize(
    "facts",
    [
        {"vote_count": 100},
        {"vote_average": 5.0},
        {"release_date": date(1990, 1, 1)},
        {"runtime_minutes": 60},
        {"runtime_minutes": 240},
        {"original_language": "fr"},
    ],
)
def test_what_just_reaches_a_threshold_passes(facts: dict[str, Any]) -> None:
    assert THRESHOLDS.reason_to_reject(with_facts(**facts)) is None


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"release_date": None}, "release_date"),
        ({"runtime_minutes": None}, "runtime"),
        ({"runtime_minutes": 241}, "runtime"),
        ({"original_language": None}, "language"),
    ],
)
def test_what_is_not_known_or_too_much_fails(facts: dict[str, Any], rule: str) -> None:
    assert THRESHOLDS.reason_to_reject(with_facts(**facts)) == rule


@pytest.mark.parametrize("first", range(len(DETAIL_RULES)))
def test_the_first_rule_that_fails_gives_the_reason(first: int) -> None:
    failing = DETAIL_RULES[first:]
    facts = {key: value for rule in failing for key, value in FAILING[rule].items()}
    assert THRESHOLDS.reason_to_reject(with_facts(**facts)) == failing[0]


def test_popularity_is_not_asked_again() -> None:
    assert THRESHOLDS.reason_to_reject(with_facts(popularity=0.0)) is None


def test_the_funnel_asks_the_exports_rules_first_and_each_rule_once() -> None:
    assert RULES == (
        "adult", "video", "softcore", "popularity", "vote_count", "vote_average", "release_date", "runtime", "language",
    )  # fmt: skip
    assert RULES[: len(EXPORT_RULES)] == EXPORT_RULES


def test_every_rule_has_words_in_the_order_of_the_funnel() -> None:
    assert tuple(THRESHOLDS.describe()) == RULES


def test_the_words_tell_the_thresholds() -> None:
    words = THRESHOLDS.describe()
    assert words["vote_count"] == "votes ≥ 100"
    assert words["runtime"] == "60-240 minutes"
    assert words["language"] == "language in en fr"


def test_the_settings_default_to_the_briefs_rules() -> None:
    assert Settings.model_validate({}).thresholds == replace(
        THRESHOLDS, languages=("en", "es", "fr", "de", "it", "ja", "ko")
    )
