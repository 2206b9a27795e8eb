"""Each rule of the detail stage, their order, and what an unknown value means."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from movie_assets.config.filter_profiles import DETAIL_RULES, EXPORT_RULES, RULES, FilterProfile, FilterProfiles
from movie_assets.config.settings import Settings
from movie_assets.tmdb.movies import Movie
from movie_assets_tests.support.expected_eligibility import reason_to_reject
from movie_assets_tests.tmdb.bodies import film

DAY = date(2026, 11, 19)
QUALITY = FilterProfile(
    "quality",
    min_popularity=1.0,
    min_vote_count=100,
    min_vote_average=5.0,
    released_since=date(1990, 1, 1),
    min_runtime=60,
    max_runtime=240,
    languages=("en", "fr"),
)
FRESH = FilterProfile("fresh", min_vote_count=10, released_within_days=365)
THRESHOLDS = FilterProfiles((QUALITY,))
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


def with_facts(**facts: Any) -> Movie:
    return replace(film(), **facts)


def test_a_film_that_reaches_everything_is_accepted() -> None:
    assert reason_to_reject(THRESHOLDS, film(), DAY) is None


@pytest.mark.parametrize("rule", DETAIL_RULES)
def test_each_rule_rejects_by_its_name(rule: str) -> None:
    assert reason_to_reject(THRESHOLDS, with_facts(**FAILING[rule]), DAY) == rule


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
    assert reason_to_reject(THRESHOLDS, with_facts(**facts), DAY) is None


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
    assert reason_to_reject(THRESHOLDS, with_facts(**facts), DAY) == rule


@pytest.mark.parametrize("first", range(len(DETAIL_RULES)))
def test_the_first_rule_that_fails_gives_the_reason(first: int) -> None:
    failing = DETAIL_RULES[first:]
    facts = {key: value for rule in failing for key, value in FAILING[rule].items()}
    assert reason_to_reject(THRESHOLDS, with_facts(**facts), DAY) == failing[0]


def test_popularity_is_not_asked_again() -> None:
    assert reason_to_reject(THRESHOLDS, with_facts(popularity=0.0), DAY) is None


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
    languages = ("en", "es", "fr", "de", "it", "ja", "ko")
    assert Settings.model_validate({}).thresholds == FilterProfiles((replace(QUALITY, languages=languages),))


# Several profiles, and what they may leave open


def test_a_film_is_in_when_one_of_the_profiles_takes_it() -> None:
    both = FilterProfiles((QUALITY, FRESH))
    fresh = with_facts(vote_count=12, release_date=date(2026, 10, 1))
    assert reason_to_reject(THRESHOLDS, fresh, DAY) == "vote_count"
    assert reason_to_reject(both, fresh, DAY) is None
    assert reason_to_reject(both, with_facts(vote_count=9), DAY) == "vote_count"


def test_the_profile_in_which_a_film_came_furthest_gives_the_reason() -> None:
    both = FilterProfiles((QUALITY, FRESH))
    assert reason_to_reject(both, with_facts(vote_count=12, release_date=date(1999, 1, 1)), DAY) == "release_date"


@pytest.mark.parametrize(
    ("released", "reason"),
    [
        (date(2025, 11, 19), None),
        (date(2025, 11, 18), "release_date"),
        (date(2026, 11, 20), "release_date"),
        (None, "release_date"),
    ],
)
def test_a_new_release_is_out_of_date_after_its_days(released: date | None, reason: str | None) -> None:
    assert reason_to_reject(FilterProfiles((FRESH,)), with_facts(release_date=released), DAY) == reason


def test_what_a_profile_does_not_ask_for_may_be_unknown() -> None:
    film_of_nothing = with_facts(
        vote_count=0, vote_average=0.0, release_date=None, runtime_minutes=None, original_language=None
    )
    assert reason_to_reject(FilterProfiles((FilterProfile("all"),)), film_of_nothing, DAY) is None


@pytest.mark.parametrize("rule", DETAIL_RULES)
def test_a_film_that_is_kept_on_request_passes_all_but_the_rules_on_its_kind(rule: str) -> None:
    reason = reason_to_reject(THRESHOLDS, with_facts(**FAILING[rule]), DAY, is_kept=True)
    assert reason == (rule if rule in ("adult", "video", "softcore") else None)


def test_the_lowest_floor_of_votes_and_the_highest_target_count() -> None:
    both = FilterProfiles((replace(QUALITY, target=15_000), replace(FRESH, target=2_000)))
    assert (both.min_vote_count, both.target) == (10, 15_000)
    assert both.describe()["vote_count"] == "votes ≥ 100 | votes ≥ 10"


@pytest.mark.parametrize(
    "changes",
    [{"min_vote_count": 50}, {"languages": ("en",)}, {"released_since": date(1980, 1, 1)}, {"name": "mine"}],
    ids=str,
)
def test_the_name_of_the_profiles_changes_with_each_value(changes: dict[str, Any]) -> None:
    assert FilterProfiles((replace(QUALITY, **changes),)).name != THRESHOLDS.name
    assert FilterProfiles((replace(QUALITY),)).name == THRESHOLDS.name
