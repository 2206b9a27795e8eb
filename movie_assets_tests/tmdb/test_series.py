"""TMDB's responses for a series: what is a series, what is none, and its own fields."""

from datetime import date
from typing import Any

import pytest

from movie_assets.tmdb.json_values import UnusableResponseError
from movie_assets.tmdb.series import read_series
from movie_assets.tmdb.titles import LEADS, LONGEST_TEXT, LONGEST_TITLE
from movie_assets_tests.tmdb.bodies import details
from movie_assets_tests.tmdb.series_bodies import SERIES_ID, season, sent_series, series, series_details

# Responses


def test_a_whole_response_becomes_a_series_without_repairs() -> None:
    read = series(**{"season/1": season(1), "season/2": season(2)})
    assert (read.tmdb_id, read.imdb_id, read.tvdb_id) == (SERIES_ID, "tt7654321", 654_321)
    assert (read.title, read.original_title, read.original_language) == ("The Lamp Keepers", "The Lamp Keepers", "en")
    assert (read.release_date, read.last_air_date) == (date(2020, 3, 1), date(2021, 3, 3))
    assert (read.status, read.type, read.in_production) == ("Returning Series", "Scripted", True)
    assert (read.number_of_seasons, read.number_of_episodes) == (2, 6)
    assert (read.countries, read.languages, read.certification) == (("GB",), ("en", "cy"), "TV-14")
    assert (read.genres, read.keywords) == (("Drama", "Mystery"), ("lighthouse", "sisters"))
    assert (read.networks, read.creators) == (("Sea TV",), ("Ida Quill", "Tom Reed"))
    assert read.leading_cast == ("Ann Vale", "Bea Marsh")
    assert (read.vote_average, read.vote_count, read.popularity) == (7.9, 340, 12.5)
    assert (read.homepage, read.poster_path, read.backdrop_path) == (
        "https://example.org/lamp",
        "/poster.jpg",
        "/back.jpg",
    )
    assert (read.tagline, read.overview) == ("Keep it burning.", "Two sisters keep a lighthouse.")
    assert [each.season.season_number for each in read.fetched] == [1, 2]
    assert (read.repairs, read.rejects) == ((), ())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (None, "not_a_series"),
        ([], "not_a_series"),
        ({"success": False, "status_code": 34, "status_message": "not found"}, "not_a_series"),
        ({"results": [], "page": 1}, "not_a_series"),
        ({"id": SERIES_ID, "cast": [], "crew": []}, "no_name"),
        ({"id": SERIES_ID, "name": None, "original_name": ""}, "no_name"),
        ({"id": None, "name": None}, "other_id"),
    ],
    ids=["null", "array", "404 with 200", "list", "credits", "no names", "null stub"],
)
def test_a_body_that_is_no_series_is_refused(body: Any, reason: str) -> None:
    with pytest.raises(UnusableResponseError) as refused:
        read_series(body, SERIES_ID)
    assert refused.value.reason == reason


def test_a_movie_with_the_id_of_the_series_is_refused() -> None:
    with pytest.raises(UnusableResponseError, match="neither a name") as refused:
        sent_series(details(id=SERIES_ID))
    assert refused.value.reason == "no_name"


@pytest.mark.parametrize("other", [SERIES_ID + 1, str(SERIES_ID), None, True, SERIES_ID + 0.5, [SERIES_ID]])
def test_a_response_with_another_id_is_refused(other: Any) -> None:
    with pytest.raises(UnusableResponseError) as refused:
        series(id=other)
    assert refused.value.reason == "other_id"


def test_a_response_of_an_id_and_a_name_is_a_series() -> None:
    read = sent_series({"id": SERIES_ID, "name": "Lamp"})
    assert (read.original_title, read.genres, read.networks, read.creators, read.countries) == ("Lamp", (), (), (), ())
    assert (read.release_date, read.runtime_minutes, read.certification, read.tvdb_id, read.type) == (None,) * 5
    assert (read.number_of_seasons, read.last_episode, read.next_episode, read.seasons) == (None, None, None, ())
    assert (read.vote_average, read.vote_count, read.in_production, read.repairs) == (0.0, 0, False, ())


def test_unknown_keys_change_nothing() -> None:
    assert series(hologram={"available": True}, mood="blue") == series()


def test_only_the_original_name_is_a_name_too() -> None:
    assert series(name="", original_name="Ceidwaid").title == "Ceidwaid"


# Texts


@pytest.mark.parametrize(
    ("sent", "stored"),
    [("One\u2028two", "One\u2028two"), ("a\0b", "ab"), ("Cafe\u0301", "Café"), (" Half \ud83d ", "Half \ufffd")],
    ids=["line separator", "NUL", "decomposed", "lone surrogate"],
)
def test_odd_characters_of_a_text(sent: str, stored: str) -> None:
    assert series(overview=sent).overview == stored
    assert series(name=sent).title == stored


def test_long_texts_are_cut() -> None:
    read = series(name="x" * 10_000, overview="y" * 1_000_000)
    assert (len(read.title), len(read.overview or "")) == (LONGEST_TITLE, LONGEST_TEXT)


@pytest.mark.parametrize(
    "field", ["overview", "tagline", "status", "type", "homepage", "poster_path", "original_language"]
)
@pytest.mark.parametrize("value", [5, ["a"], {"a": 1}, True])
def test_a_text_of_another_type_is_unknown_and_noted(field: str, value: Any) -> None:
    read = series(**{field: value})
    assert (getattr(read, field), read.repairs) == (None, (field,))


@pytest.mark.parametrize(("key", "field"), [("origin_country", "countries"), ("languages", "languages")])
def test_lists_of_texts_in_every_shape(key: str, field: str) -> None:
    assert getattr(series(**{key: []}), field) == ()
    assert getattr(series(**{key: None}), field) == ()
    odd = series(**{key: ["GB", None, 5, "GB", " ", {"iso": "DE"}, "US"]})
    assert (getattr(odd, field), odd.repairs) == (("GB", "US"), ())
    wrong = series(**{key: "GB"})
    assert (getattr(wrong, field), wrong.repairs) == ((), (key,))


# Numbers, dates and flags


@pytest.mark.parametrize("field", ["number_of_seasons", "number_of_episodes"])
@pytest.mark.parametrize(("value", "read"), [(0, 0), (8.0, 8), (None, None)])
def test_numbers_of_seasons_and_episodes_are_those_of_tmdb(field: str, value: Any, read: int | None) -> None:
    assert getattr(series(**{field: value}), field) == read


@pytest.mark.parametrize("field", ["number_of_seasons", "number_of_episodes"])
@pytest.mark.parametrize("value", [-1, "8", True, 8.5, 10**30, [8]])
def test_an_impossible_number_is_unknown_and_noted(field: str, value: Any) -> None:
    read = series(**{field: value})
    assert (getattr(read, field), read.repairs) == (None, (field,))


@pytest.mark.parametrize(("key", "field"), [("first_air_date", "release_date"), ("last_air_date", "last_air_date")])
@pytest.mark.parametrize(
    ("value", "noted"), [("", False), (None, False), ("soon", True), (2020, True), ("0000-00-00", True)]
)
def test_a_date_that_is_none(key: str, field: str, value: Any, noted: bool) -> None:
    read = series(**{key: value})
    assert (getattr(read, field), read.repairs) == (None, (key,) if noted else ())


def test_an_average_without_votes_is_none() -> None:
    assert series(vote_average=7.5, vote_count=0).vote_average == 0.0


@pytest.mark.parametrize("flag", ["adult", "softcore", "in_production"])
def test_a_flag_is_what_tmdb_says(flag: str) -> None:
    assert getattr(series(**{flag: True}), flag) is True
    assert getattr(series(**{flag: None}), flag) is False
    assert series(**{flag: "false"}).repairs == (flag,)


@pytest.mark.parametrize("run_time", [[], [60], None, 60])
def test_the_run_time_that_tmdb_states_for_all_episodes_is_not_used(run_time: Any) -> None:
    assert series(episode_run_time=run_time).runtime_minutes is None


# What is around it


def test_people_are_billed_by_their_order() -> None:
    cast = [{"id": n, "name": f"Person {n:02d}", "order": 30 - n} for n in range(1, 31)]
    assert series(aggregate_credits={"cast": cast}).leading_cast == tuple(
        f"Person {n}" for n in range(30, 30 - LEADS, -1)
    )


@pytest.mark.parametrize("ids", [None, [], {"imdb_id": "nm0000001"}, {"imdb_id": 7, "tvdb_id": "7"}, {"tvdb_id": 0}])
def test_external_ids_that_are_none(ids: Any) -> None:
    read = series(external_ids=ids)
    assert (read.imdb_id, read.tvdb_id) == (None, None)


@pytest.mark.parametrize(
    "ratings", [None, [], {"results": None}, {"results": [{"iso_3166_1": "US", "rating": ""}]}, {"results": ["TV-14"]}]
)
def test_without_an_american_rating_there_is_no_certification(ratings: Any) -> None:
    assert series(content_ratings=ratings).certification is None


def test_every_field_may_be_missing_but_id_and_name() -> None:
    whole = series_details()
    for key in whole.keys() - {"id"}:
        read = sent_series({each: value for each, value in whole.items() if each != key})
        assert (read.title, read.repairs) == ("The Lamp Keepers", ()), key


@pytest.mark.parametrize("value", [None, [], {}, "x", 5, True, [None], [[]], ["x"], [5], [{}], {"results": {}}])
def test_no_shape_of_a_field_costs_the_series_but_that_of_its_id_and_seasons(value: Any) -> None:
    for key in series_details().keys() - {"id", "seasons", "name"}:
        assert series(**{key: value}).title == "The Lamp Keepers", key
