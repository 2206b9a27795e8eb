"""IMDb's daily file as the emulator serves it."""

import gzip
from datetime import timedelta

import numpy as np

from movie_assets.config.settings import Settings
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.orchestration.startup import pointed_at
from movie_assets_tests.emulator.conftest import TODAY, get


def titles(tmdb_emulator: TmdbEmulator) -> dict[str, tuple[float, int]]:
    header, *lines = gzip.decompress(get(tmdb_emulator.imdb_ratings_url).content).decode().splitlines()
    assert header == "tconst\taverageRating\tnumVotes"
    return {title: (float(value), int(votes)) for title, value, votes in (line.split("\t") for line in lines)}


def test_films_with_an_imdb_id_and_votes_have_a_rating(tmdb_emulator: TmdbEmulator) -> None:
    results = titles(tmdb_emulator)
    assert len(results) > 400
    assert all(title.startswith("tt") and title[2:].isdecimal() for title in results)
    assert all(1 <= value <= 10 and votes >= 60 for value, votes in results.values())


def test_another_audience_agrees_on_a_scale_of_its_own(tmdb_emulator: TmdbEmulator) -> None:
    results = titles(tmdb_emulator)
    films = [tmdb_emulator.world.detail(tmdb_emulator.world.id_of(title, TODAY) or 0, TODAY) or {} for title in results]
    theirs, ours = [film["vote_average"] for film in films], [value for value, _ in results.values()]
    assert np.corrcoef(theirs, ours)[0, 1] > 0.8
    assert np.std(ours) < np.std(theirs)


def test_the_same_day_gives_the_same_file_and_304_to_whoever_has_it(tmdb_emulator: TmdbEmulator) -> None:
    first = get(tmdb_emulator.imdb_ratings_url)
    assert get(tmdb_emulator.imdb_ratings_url).content == first.content
    again = get(tmdb_emulator.imdb_ratings_url, {"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    tmdb_emulator.today = TODAY + timedelta(days=1)
    assert get(tmdb_emulator.imdb_ratings_url, {"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_settings_that_point_at_a_stand_in_have_its_ratings(tmdb_emulator: TmdbEmulator) -> None:
    assert pointed_at(Settings.from_env({}), tmdb_emulator).rating_files.imdb == tmdb_emulator.imdb_ratings_url
    real = Settings.from_env({"MOVIE_ASSETS_IMDB_RATINGS": "https://datasets.imdbws.com/title.ratings.tsv.gz"})
    assert pointed_at(real, tmdb_emulator).rating_files.imdb == tmdb_emulator.imdb_ratings_url
