"""What people have seen of series: rows of imported files match series and episodes, and what comes next is known."""

import json
from pathlib import Path
from typing import Any

import pytest

from movie_assets.database.database import Database
from movie_assets.histories.imports import match_waiting
from movie_assets_tests.histories.history_imports import IMDB, archive, file, run, taken

ALPHA, BETA = 1_000_000_001, 1_000_000_002  # the series 1 and 2; the films 1 and 2 are others
WATCHED = "select title_id, is_wanted, rating, seen_at::date::text from catalog.watched_titles order by 1"
EPISODES = "select episode_id, rating, seen_at::date::text from catalog.watched_episodes order by 1, source"
NEXT = "select tmdb_id, seen, aired, episode_id from catalog.next_episodes('me', date '2024-06-01') order by 1"


def put_series(database: Database) -> None:
    """Put Alpha, of two seasons of three episodes and a special; and Beta, of one episode."""
    run(database, f"""
        insert into catalog.titles (
            title_id, title, original_title, release_date, genres, keywords, directors, leading_cast,
            countries, embedding_text, text_hash, changed_at)
        select id, name, name, aired, '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', name, md5(name), now()
        from (
            values ({ALPHA}, 'Alpha: The Series', date '2023-01-01'), ({BETA}, 'Beta', date '2024-01-01')
        ) s (id, name, aired);
        insert into catalog.title_external_ids (title_id, source, value)
        values ({ALPHA}, 'imdb', 'tt0000900'), ({BETA}, 'tvdb', '77');
        insert into catalog.episodes (
            episode_id, title_id, season_number, episode_number, name, air_date, vote_average, vote_count
        )
        values (100, {ALPHA}, 0, 1, 'Special', '2023-06-01', 0, 0),
            (101, {ALPHA}, 1, 1, 'Pilot', '2023-01-01', 0, 0), (102, {ALPHA}, 1, 2, 'Part: Two', '2023-01-08', 0, 0),
            (103, {ALPHA}, 1, 3, 'Third', '2023-01-15', 0, 0), (104, {ALPHA}, 2, 1, 'Again', '2024-05-01', 0, 0),
            (105, {ALPHA}, 2, 2, 'Later', '2024-07-01', 0, 0), (106, {ALPHA}, 2, 3, 'Last', null, 0, 0),
            (201, {BETA}, 1, 1, 'Only', '2024-01-01', 0, 0)
    """)  # fmt: skip
    run(database, f"""
        insert into catalog.title_names (key, title_id, name, normalised, kind)
        select catalog.title_key(title), title_id, title, catalog.normalised(title), 'title' from catalog.titles
        where title_id in ({ALPHA}, {BETA}) on conflict do nothing
    """)  # fmt: skip


def trakt(series: dict[str, object], season: int, number: int, **more: object) -> dict[str, Any]:
    """An episode in a history file of Trakt's; `series` has its ids."""
    return {
        "watched_at": "2024-03-05T11:00:00.000Z", "type": "episode", "show": {"title": "?", "ids": series},
        "episode": {"season": season, "number": number, "title": "?", **more},
    }  # fmt: skip


def history(*items: dict[str, Any]) -> dict[str, str]:
    return {"watched-history-1.json": json.dumps(items)}


def test_episodes_are_known_by_the_ids_of_their_series(catalogue: Database, tmp_path: Path) -> None:
    put_series(catalogue)
    items = (trakt({"tmdb": 1}, 1, 1), trakt({"imdb": "tt0000900"}, 1, 2), trakt({"tvdb": 77}, 1, 1))
    report = taken(catalogue, archive(tmp_path, history(*items), "trakt.zip"))
    assert (report.series, report.series_matched, report.films) == (3, 3, 0)
    assert run(catalogue, EPISODES) == [(n, None, "2024-03-05") for n in (101, 102, 201)]
    assert run(catalogue, WATCHED) == [(ALPHA, False, None, "2024-03-05"), (BETA, False, None, "2024-03-05")]
    assert run(catalogue, "select * from catalog.watch_histories") == []  # the film 1 was not seen
    assert run(catalogue, NEXT) == [(1, 2, 4, 103), (2, 1, 1, None)]


def test_tmdbs_id_of_an_episode_counts_more_than_numbers(catalogue: Database, tmp_path: Path) -> None:
    put_series(catalogue)
    moved = trakt({"tmdb": 1}, 9, 9, ids={"tmdb": 104})
    taken(catalogue, archive(tmp_path, history(moved), "trakt.zip"))
    assert run(catalogue, EPISODES) == [(104, None, "2024-03-05")]
    assert run(catalogue, NEXT) == [(1, 1, 4, 105)]  # which has not aired


def test_numbers_that_two_episodes_have_are_not_guessed(catalogue: Database, tmp_path: Path) -> None:
    put_series(catalogue)
    run(catalogue, "update catalog.episodes set episode_number = 1 where episode_id = 102")
    report = taken(catalogue, archive(tmp_path, history(trakt({"tmdb": 1}, 1, 1)), "trakt.zip"))
    assert (report.series_matched, run(catalogue, EPISODES)) == (1, [])
    run(catalogue, "update catalog.episodes set episode_number = 2 where episode_id = 102")
    match_waiting(catalogue)
    assert run(catalogue, EPISODES) == [(101, None, "2024-03-05")]


def test_specials_are_seen_and_counted_nowhere(catalogue: Database, tmp_path: Path) -> None:
    put_series(catalogue)
    taken(catalogue, archive(tmp_path, history(trakt({"tmdb": 1}, 0, 1)), "trakt.zip"))
    assert run(catalogue, EPISODES) == [(100, None, "2024-03-05")]
    assert run(catalogue, NEXT) == [(1, 0, 4, 101)]


def test_rows_of_imdb_name_episodes_by_their_series(catalogue: Database, tmp_path: Path) -> None:
    put_series(catalogue)
    rows = (
        'tt0000900,9,2024-01-02,"Alpha: The Series",u,TV Series,8,50,2023,Drama\n'
        'tt0000901,7,2024-01-03,"Alpha: The Series: Part: Two",u,TV Episode,8,50,2023,Drama\n'
        'tt0000902,6,2024-01-04,"Alpha: The Series: Nowhere",u,TV Episode,8,50,2023,Drama\n'
    )
    report = taken(catalogue, file(tmp_path, "ratings.csv", IMDB + rows))
    assert (report.series, report.series_matched) == (3, 2)
    assert run(catalogue, WATCHED) == [(ALPHA, False, 90.0, "2024-01-03")]
    assert run(catalogue, EPISODES) == [(102, 70.0, "2024-01-03")]


def test_a_series_that_comes_later_is_known_then(catalogue: Database, tmp_path: Path) -> None:
    report = taken(catalogue, archive(tmp_path, history(trakt({"tmdb": 1}, 1, 1)), "trakt.zip"))
    assert (report.series, report.series_matched, run(catalogue, WATCHED)) == (1, 0, [])
    put_series(catalogue)
    match_waiting(catalogue)
    assert run(catalogue, EPISODES) == [(101, None, "2024-03-05")]
    run(catalogue, "delete from catalog.titles where title_id > 1000000000")
    match_waiting(catalogue)
    assert (run(catalogue, EPISODES), run(catalogue, WATCHED)) == ([], [])


@pytest.mark.parametrize("seen_first", [True, False])
def test_what_was_seen_is_no_longer_wanted(catalogue: Database, tmp_path: Path, *, seen_first: bool) -> None:
    put_series(catalogue)
    wanted = {"listed_at": "2024-01-01T00:00:00.000Z", "type": "show", "show": {"title": "?", "ids": {"tmdb": 1}}}
    files = {"lists-watchlist.json": json.dumps([wanted])}, history(trakt({"tmdb": 1}, 1, 1))
    first, second = reversed(files) if seen_first else files
    taken(catalogue, archive(tmp_path, first, "trakt.zip"))
    taken(catalogue, archive(tmp_path, second, "trakt.zip"))
    assert run(catalogue, WATCHED) == [(ALPHA, False, None, "2024-03-05")]


def test_persons_have_their_own_episodes(catalogue: Database, tmp_path: Path) -> None:
    put_series(catalogue)
    taken(catalogue, archive(tmp_path, history(trakt({"tmdb": 1}, 1, 1)), "trakt.zip"))
    taken(catalogue, archive(tmp_path, history(trakt({"tmdb": 1}, 2, 1)), "trakt.zip"), person="ann")
    assert run(catalogue, NEXT) == [(1, 1, 4, 102)]
    run(catalogue, "select pipeline.forget_person('ann')")
    assert run(catalogue, EPISODES) == [(101, None, "2024-03-05")]
