"""Profiles from TOML: those that come with the project, those of a user, and what is refused in which words."""

from datetime import date
from pathlib import Path

import pytest

from movie_assets.config.profiles import profiles_of
from movie_assets.config.settings import Settings, SettingsError

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


def test_a_profile_of_series_is_for_series_alone(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[ended]\nmedia = "series"\ntypes = ["Miniseries"]\nstatuses = ["Ended", "Canceled"]\n')
    (ended,) = profiles_of(["ended"], file, "series").profiles
    assert (ended.types, ended.statuses) == (("Miniseries",), ("Ended", "Canceled"))
    with pytest.raises(ValueError, match='profile ended has media = "series"; it has to be "movie" here'):
        profiles_of(["quality", "ended"], file)
    with pytest.raises(ValueError, match="there is no profile mine; known are series, new_series, miniseries, ended"):
        profiles_of(["mine"], file, "series")


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ('types = ["Miniseries"]', 'only series have types and statuses; add media = "series"'),
        ('media = "books"', "media is none of movie, series"),
        ('media = "series"\nstatuses = []', "statuses is empty, which no film passes; leave it out for any status"),
    ],
)
def test_a_profile_that_no_title_can_pass_is_refused(tmp_path: Path, table: str, sentence: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f"[mine]\n{table}\n")
    with pytest.raises(ValueError, match=sentence):
        profiles_of(["mine"], file, "series")


def test_the_hash_of_profiles_of_movies_is_that_of_earlier_releases() -> None:
    """Another one would have every stored response evaluated again."""
    assert profiles_of(["quality"]).name == "12d2fdc3c872"


@pytest.mark.parametrize(
    ("text", "media_types"), [("movies", ("movie",)), ("series, movies", ("movie", "series")), ("", ("movie",))]
)
def test_the_setting_names_media_types_movies_first(text: str, media_types: tuple[str, ...]) -> None:
    assert Settings.from_env({"MOVIE_ASSETS_MEDIA": text}).media_types == media_types


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"MOVIE_ASSETS_MEDIA": "films"}, "MOVIE_ASSETS_MEDIA: it is `movies` or `movies series`"),
        ({"MOVIE_ASSETS_MEDIA": "series"}, "MOVIE_ASSETS_MEDIA: a catalogue always has movies: write `movies series`"),
        ({"MOVIE_ASSETS_SERIES_PROFILES": "quality"}, "MOVIE_ASSETS_SERIES_PROFILES: profile quality has media"),
        ({"MOVIE_ASSETS_PROFILES": "series"}, "MOVIE_ASSETS_PROFILES: profile series has media"),
    ],
)
def test_a_wrong_media_type_is_named(variables: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        Settings.from_env(variables)
