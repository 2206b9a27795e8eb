"""From a response to what is stored of a title, and the name of the parser and template that did it."""

from dataclasses import replace

import pytest

from movie_assets.catalog.eligibility import derivation_name, derive
from movie_assets.catalog.embedding_text import TEMPLATES, embedding_text, text_hash
from movie_assets.tmdb.json_values import UnusableResponseError
from movie_assets.tmdb.media import ALL, SERIES
from movie_assets_tests.tmdb.bodies import details
from movie_assets_tests.tmdb.series_bodies import SERIES_ID, episode, listed_season, season, series_details


def test_the_text_and_its_hash_are_the_films() -> None:
    derived = derive(details(), 603)
    assert (derived.text, derived.text_hash) == (embedding_text(derived.title), text_hash(derived.text))


def test_a_response_about_another_film_is_refused() -> None:
    with pytest.raises(UnusableResponseError):
        derive(details(id=604), 603)


def test_the_text_of_a_series_has_nothing_that_changes_with_an_episode() -> None:
    text = derive(series_details(), SERIES_ID, SERIES).text
    assert text == (
        "The Lamp Keepers (2020). Two sisters keep a lighthouse. Genres: Drama, Mystery. Keywords: lighthouse, "
        "sisters. Created by Ida Quill, Tom Reed. Broadcast by Sea TV. Starring Ann Vale, Bea Marsh."
    )
    aired = series_details(
        status="Ended", in_production=False, last_air_date="2022-03-01", last_episode_to_air=episode(3, 1),
        next_episode_to_air=None, number_of_episodes=7, number_of_seasons=3, popularity=1, vote_count=9, vote_average=1,
        seasons=[listed_season(number) for number in (1, 2, 3)],
    ) | {"season/3": season(3)}  # fmt: skip
    assert derive(aired, SERIES_ID, SERIES).text == text


def test_parser_and_template_move_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {derivation_name(media) for media in ALL}
    assert len(before) == len(ALL)
    for media in ALL:
        assert derivation_name(replace(media, parser_version=99)) not in before
        monkeypatch.setitem(TEMPLATES, media.name, "v99")
        assert derivation_name(media) not in before
