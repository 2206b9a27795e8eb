"""Profiles from TOML: those that come with the project, those of a user, and what is refused in which words."""

from datetime import date
from pathlib import Path

import pytest

from movie_assets.config.profiles import profiles_of

MINE = """
[noir]
min_vote_count = 50
released_since = 1940-01-01
languages = ["en"]
target = 500

[quality]
min_vote_count = 7
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    return path


def test_quality_is_the_briefs_filter() -> None:
    (quality,) = profiles_of(["quality"]).profiles
    assert (quality.min_popularity, quality.min_vote_count, quality.min_vote_average) == (1.0, 100, 5.0)
    assert (quality.released_since, quality.min_runtime, quality.max_runtime) == (date(1990, 1, 1), 60, 240)
    assert quality.languages == ("en", "es", "fr", "de", "it", "ja", "ko")


def test_broad_aims_at_fifty_thousand() -> None:
    assert profiles_of(["broad"]).target == 50_000


def test_a_profile_of_ones_own_joins_those_that_come_with_the_project(file: Path) -> None:
    both = profiles_of(["noir", "new_releases"], file)
    assert [profile.name for profile in both.profiles] == ["noir", "new_releases"]
    assert both.profiles[0].released_since == date(1940, 1, 1)
    assert both.profiles[0].max_runtime is None


def test_a_profile_of_ones_own_takes_the_place_of_one_of_the_same_name(file: Path) -> None:
    assert profiles_of(["quality"], file).min_vote_count == 7


def test_a_profile_that_is_named_twice_counts_once() -> None:
    assert len(profiles_of(["quality", "quality"]).profiles) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[mine]\nmin_votes = 3", "profile mine has min_votes; known are"),
        ("[mine]\nmin_vote_count = 'many'", "profile mine: min_vote_count: Input should be a valid integer"),
        ("[mine]\nmin_runtime = 90\nmax_runtime = 60", "profile mine: min_runtime is greater than max_runtime"),
        ("[mine]\nmin_popularity = nan", "profile mine: min_popularity is nan"),
        ("[mine]\nmin_vote_average = inf", "profile mine: min_vote_average is inf"),
        ("[mine]\nmin_vote_count = -1", "profile mine: min_vote_count is -1"),
        ("[mine]\nlanguages = []", "profile mine: languages is empty"),
        ("mine = 3", "mine is no table"),
        ("[mine", "is not TOML"),
        ("[other]", "there is no profile mine; known are quality, new_releases, broad, other"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_reason(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message.replace("[", r"\[")):
        profiles_of(["mine"], path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.toml cannot be read"):
        profiles_of(["quality"], tmp_path / "none.toml")


def test_no_profile_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="no profile is named"):
        profiles_of([])
