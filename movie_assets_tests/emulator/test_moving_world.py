import json
from datetime import date, timedelta

import numpy as np
import pytest

from movie_assets.emulator.bundled import MOVIES_FILE, read_movies
from movie_assets.emulator.details import PARTS
from movie_assets.emulator.lifecycle import Lifecycle
from movie_assets.emulator.made_up import IDS_FROM
from movie_assets.emulator.moving_world import MovingWorld
from movie_assets_tests.emulator.conftest import TODAY

Texts = tuple[str, str, tuple[str, ...], tuple[str, ...]]


def texts_of(world: MovingWorld, day: date) -> dict[int, Texts]:
    films = (world.movie(int(tmdb_id), day) for tmdb_id in world.columns(day).tmdb_id)
    return {film.tmdb_id: (film.title, film.overview, film.genres, film.keywords) for film in films if film}


def test_thirty_days_in_a_row_each_have_new_changed_and_deleted_films_and_the_feed_names_exactly_those(
    world: MovingWorld,
) -> None:
    before = texts_of(world, TODAY)
    for offset in range(1, 31):
        day = TODAY + timedelta(days=offset)
        after = texts_of(world, day)
        new, deleted = set(after) - set(before), set(before) - set(after)
        changed = {tmdb_id for tmdb_id in set(after) & set(before) if after[tmdb_id] != before[tmdb_id]}
        assert new
        assert deleted
        assert changed
        feed = world.changes(day)
        assert {change.tmdb_id for change in feed if change.adult is None} == deleted
        assert {change.tmdb_id for change in feed if change.adult is not None} == new | changed
        before = after


def test_the_size_of_the_world_does_not_move(world: MovingWorld) -> None:
    days = (date(2024, 6, 1), date(2025, 1, 1), date(2025, 4, 11), date(2027, 3, 3))
    assert [len(world.columns(day).tmdb_id) for day in days] == [600] * 4


def test_a_deleted_id_never_comes_back() -> None:
    life = Lifecycle(320)
    deleted = {int(number) for day in range(1, 400) for number in life.deleted(day)}
    assert deleted.isdisjoint(life.alive(400).tolist())
    assert not any(life.is_alive(number, 700) for number in deleted)


@pytest.mark.parametrize("slots", [1, 2, 3, 7, 99, 316, 1001])
def test_the_living_are_those_of_the_day_before_and_the_born_without_the_deleted(slots: int) -> None:
    life = Lifecycle(slots)
    for day in range(1, 230):
        today = set(life.alive(day).tolist())
        yesterday = set(life.alive(day - 1).tolist())
        assert today - yesterday == set(life.born(day).tolist())
        assert yesterday - today == set(life.deleted(day).tolist())


def test_whether_one_film_lives_agrees_with_the_list_of_the_living() -> None:
    life = Lifecycle(101)
    for day in (0, 1, 40, 41, 123, 500):
        alive = set(life.alive(day).tolist())
        assert {number for number in range(1500) if life.is_alive(number, day)} == alive


def test_the_same_seed_and_day_give_the_same_film_and_another_seed_another() -> None:
    parts = tuple(PARTS)
    one, same, other = MovingWorld(600, 7), MovingWorld(600, 7), MovingWorld(600, 8)
    assert one.body(IDS_FROM + 1, TODAY, parts) == same.body(IDS_FROM + 1, TODAY, parts)
    assert one.body(IDS_FROM + 1, TODAY, parts) != other.body(IDS_FROM + 1, TODAY, parts)


def test_popularity_moves_every_day_for_nearly_every_film(world: MovingWorld) -> None:
    today, tomorrow = world.columns(TODAY), world.columns(TODAY + timedelta(days=1))
    stayed = np.isin(today.tmdb_id, tomorrow.tmdb_id)
    stayed_tomorrow = np.isin(tomorrow.tmdb_id, today.tmdb_id)
    moved = today.popularity[stayed] != tomorrow.popularity[stayed_tomorrow]
    assert moved.mean() > 0.99


def test_votes_never_fall(world: MovingWorld) -> None:
    today, later = world.columns(TODAY), world.columns(TODAY + timedelta(days=40))
    stayed = np.isin(today.tmdb_id, later.tmdb_id)
    stayed_later = np.isin(later.tmdb_id, today.tmdb_id)
    assert (later.vote_count[stayed_later] >= today.vote_count[stayed]).all()
    assert (later.vote_count[stayed_later] > today.vote_count[stayed]).any()


def test_a_real_film_never_vanishes_and_keeps_its_plot(world: MovingWorld) -> None:
    entry = read_movies(MOVIES_FILE)[0]
    for offset in (0, 150, 900):
        film = world.movie(entry["id"], TODAY + timedelta(days=offset))
        assert film is not None
        assert film.overview == entry["plot"]


def test_a_world_smaller_than_the_bundled_films_has_those_with_the_most_votes() -> None:
    ranked = sorted(read_movies(MOVIES_FILE), key=lambda film: -film["vote_count"])
    world = MovingWorld(10, 1)
    assert set(world.columns(TODAY).tmdb_id.tolist()) == {film["id"] for film in ranked[:10]}
    assert not any(change.adult is None for change in world.changes(TODAY))


def test_between_a_quarter_and_two_fifths_of_made_up_films_pass_the_usual_filter() -> None:
    columns = MovingWorld(20_000, 3, entries=()).columns(TODAY)
    passing = (
        (columns.vote_count >= 100)
        & (columns.vote_average >= 5.0)
        & (columns.release >= date(1990, 1, 1).toordinal())
        & (columns.runtime >= 60)
        & (columns.runtime <= 240)
        & np.isin(columns.language, ["en", "es", "fr", "de", "it", "ja", "ko"])
        & (columns.popularity >= 1)
    )
    assert 0.25 < passing.mean() < 0.42
    assert 0.55 < (columns.popularity >= 1).mean() < 0.65


def test_the_films_of_a_franchise_share_collection_director_leads_and_language() -> None:
    world = MovingWorld(3000, 1, entries=())
    films = [world.movie(int(tmdb_id), TODAY) for tmdb_id in world.columns(TODAY).tmdb_id]
    series: dict[int, list[tuple[str, str, str]]] = {}
    for film in films:
        if film and film.collection:
            lead = film.cast[0]
            director = film.crew[0].person.name
            series.setdefault(film.collection.collection_id, []).append(
                (director, f"{lead.person.name} as {lead.character}", film.language)
            )
    several = [members for members in series.values() if len(members) > 1]
    assert len(several) > 50
    assert all(len(set(members)) == 1 for members in several)


def test_a_director_works_in_one_to_three_themes() -> None:
    world = MovingWorld(5000, 1, entries=())
    themes: dict[int, set[int]] = {}
    for tmdb_id in world.columns(TODAY).tmdb_id.tolist():
        film = world.movie(tmdb_id, TODAY)
        assert film is not None
        theme = world._made_up.traits.theme(tmdb_id - IDS_FROM)
        themes.setdefault(film.crew[0].person.person_id, set()).add(theme)
    assert max(map(len, themes.values())) <= 3
    assert sum(len(known) == 1 for known in themes.values()) > len(themes) / 4


def test_the_columns_agree_with_the_details(world: MovingWorld) -> None:
    columns = world.columns(TODAY)
    for row, tmdb_id in enumerate(columns.tmdb_id.tolist()):
        detail = world.detail(tmdb_id, TODAY)
        assert detail is not None
        assert detail["popularity"] == columns.popularity[row]
        assert detail["vote_count"] == columns.vote_count[row]
        assert detail["vote_average"] == columns.vote_average[row]
        assert detail["runtime"] == columns.runtime[row]
        assert detail["original_language"] == columns.language[row]
        known = columns.release[row]
        assert detail["release_date"] == (date.fromordinal(int(known)).isoformat() if known else "")


def test_made_up_films_have_the_gaps_that_real_data_has() -> None:
    world = MovingWorld(4000, 1, entries=())
    bodies = [world.body(int(i), TODAY, ("keywords",)) for i in world.columns(TODAY).tmdb_id]
    films = [json.loads(body) for body in bodies if body]
    assert any(film["overview"] == "" for film in films)
    assert any(film["release_date"] == "" for film in films)
    assert any(film["genres"] == [] for film in films)
    assert any(film["keywords"]["keywords"] == [] for film in films)
    assert any(film["runtime"] == 0 for film in films)
    assert any(film["imdb_id"] is None for film in films)
    assert any(film["release_date"] > TODAY.isoformat() for film in films)
    assert any(film["adult"] for film in films)
    assert any(film["video"] for film in films)
    assert any(film["softcore"] for film in films)
    overviews = [film["overview"] for film in films if film["overview"]]
    assert len(set(overviews)) > 0.99 * len(overviews)
