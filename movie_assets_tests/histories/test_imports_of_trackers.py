"""Imports of other people's files: trackers, spreadsheets, archives of Windows, files that lost most, hostile files."""

import json
import logging
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from movie_assets.database.database import Database
from movie_assets.histories.choices import ImportFailedError
from movie_assets.histories.inbox import Inbox
from movie_assets_tests.histories.history_imports import (
    DIARY,
    IMDB,
    RATINGS,
    WATCHED,
    archive,
    file,
    histories,
    run,
    taken,
)
from movie_assets_tests.histories.test_imports import whole_tables

log = logging.getLogger(__name__)
MEMORY = 400 * 2**20  # bytes; what a process that refuses a hostile file may have at its highest


class DeletedRows(NamedTuple):
    """How many rows of a table were deleted with a person."""

    table_name: str
    rows_deleted: int


def trakt(kind: str, when: str, **more: object) -> dict[str, object]:
    """Return an item of a Trakt export: a movie, show, season or episode with a time under the key `when`."""
    ids = {"movie": {"imdb": "tt0000079", "tmdb": 1}, "show": {"tvdb": 7, "imdb": "tt0000900", "tmdb": 900}}
    title = {"title": "Alien" if kind == "movie" else "Some Series", "year": 1979}
    outer = "movie" if kind == "movie" else "show"
    inner = {"season": {"number": 2}, "episode": {"season": 2, "number": 3, "title": "Third"}}.get(kind)
    return {when: "2024-03-05T11:00:00.000Z", **more, outer: title | {"ids": ids[outer]}} | (
        {kind: inner} if inner else {}
    )


TRAKT = {
    "ratings-movies.json": [trakt("movie", "rated_at", rating=9, type="movie")],
    "ratings-episodes.json": [trakt("episode", "rated_at", rating=7, type="episode")],
    "watched-history-1.json": [trakt("movie", "watched_at", action="watch", type="movie"),
                               trakt("episode", "watched_at", action="watch", type="episode")],
    "watched-shows.json": [trakt("show", "last_watched_at", plays=3)],
    "lists-watchlist.json": [trakt("movie", "listed_at", type="movie") | {"movie": {"title": "Dune", "year": 2021,
                             "ids": {"tmdb": 6}}}, {"listed_at": "2024-01-01", "type": "person", "person": {}}],
    "user-profile.json": {"username": "me"},
}  # fmt: skip


def as_text(files: Mapping[str, object]) -> dict[str, str]:
    return {name: json.dumps(content) for name, content in files.items()}


def test_trakts_archive_is_imported_by_id_and_its_series_are_stored(catalogue: Database, tmp_path: Path) -> None:
    report = taken(catalogue, archive(tmp_path, as_text(TRAKT), "trakt.zip"))
    assert (report.source, report.films, report.by_id, report.series, report.rejected) == ("trakt", 2, 2, 3, 0)
    assert dict(report.passed_over) == {"person": 1}
    assert any("user-profile.json" in note for note in report.notes)
    assert histories(catalogue) == [(1, False, 90, "2024-03-05"), (6, True, None, None)]
    stored = "select part, kind, imdb_id, tvdb_id, season, episode, rating from pipeline.series_entries order by part"
    assert run(catalogue, stored) == [
        ("diary", "episode", "tt0000900", 7, 2, 3, None), ("ratings", "episode", "tt0000900", 7, 2, 3, 70),
        ("watched", "series", "tt0000900", 7, None, None, None),
    ]  # fmt: skip
    before = whole_tables(catalogue)
    assert taken(catalogue, archive(tmp_path, as_text(TRAKT), "trakt.zip")).changed == 0
    assert whole_tables(catalogue) == before


def test_simkls_backup_and_its_csv_are_imported_by_id(catalogue: Database, tmp_path: Path) -> None:
    backup = {
        "movies": [
            {"status": "completed", "user_rating": 8, "last_watched_at": "2024-02-03T00:00:00Z",
             "movie": {"title": "Alien", "year": 1979, "ids": {"simkl": 5, "tmdb": "1", "imdb": "tt0000079"}}},
            {"status": "plantowatch", "user_rating": None, "movie": {"title": "Dune", "ids": {"tmdb": "6"}}},
            {"status": "completed", "movie": "?"},
        ],
        "shows": [{"status": "watching", "user_rating": 0, "show": {"title": "Some", "ids": {"tvdb": "7"}}}],
    }  # fmt: skip
    report = taken(catalogue, file(tmp_path, "SimklBackup.json", json.dumps(backup)))
    assert (report.films, report.series, report.rejected, report.rejects[0].line) == (2, 1, 1, 3)
    assert histories(catalogue) == [(1, False, 80, "2024-02-03"), (6, True, None, None)]
    table = (
        "SIMKL_ID,Title,Type,Year,Watchlist,LastEpWatched,WatchedDate,Rating,Memo,TVDB,TMDB,IMDB\n"
        "5,Alien,movie,1979,completed,,2024-02-04,9,,,1,tt0000079\n7,Some,tv,2001,watching,s1e1,,,,7,,\n"
    )
    report = taken(catalogue, file(tmp_path, "SimklBackup.csv", table), replace=True)
    assert (report.films, report.series, report.updated, report.removed) == (1, 1, 1, 1)


def test_what_movielens_site_exports_is_the_persons(catalogue: Database, tmp_path: Path) -> None:
    text = "movie_id,imdb_id,tmdb_id,rating,average_rating,title\n10,0000079,1,4.5,3.9,Alien (1979)\n"
    report = taken(catalogue, file(tmp_path, "movielens-ratings.csv", text), person="ann")
    assert (report.person, report.by_id) == ("ann", 1)
    assert histories(catalogue, "person, tmdb_id, source, rating") == [("ann", 1, "movielens", 90)]


def test_a_list_of_letterboxds_is_wanted_unless_seen_is_given(catalogue: Database, tmp_path: Path) -> None:
    text = (
        "Letterboxd list export v7\nDate,Name,Tags,URL,Description\n2024-01-02,Noir,,https://b/l,\n\n"
        "Position,Name,Year,URL,Description\n1,Alien,1979,https://b/1,\n2,,1999,https://b/2,\n"
    )
    path = file(tmp_path, "noir.csv", text)
    report = taken(catalogue, path)
    assert report.notes == ["the films of the list: noir were taken as wanted; say --seen if they were seen"]
    assert [(reject.line, reject.reason) for reject in report.rejects] == [(7, "has no title")]
    assert histories(catalogue) == [(1, True, None, None)]
    assert taken(catalogue, path, unrated="seen").updated == 1
    assert histories(catalogue) == [(1, False, None, None)]


def test_an_archive_of_windows_has_its_folders_behind_backslashes(catalogue: Database, tmp_path: Path) -> None:
    packed = {
        "me\\ratings.csv": RATINGS + "2024-01-01,Alien,1979,u1,4.5\n",
        "me\\deleted\\diary.csv": DIARY + "2023-01-01,Aliens,1986,d2,0.5,,,2023-01-01\n",
    }
    report = taken(catalogue, archive(tmp_path, packed))
    assert report.files == ["me/ratings.csv"]
    assert any("me/deleted/diary.csv" in note for note in report.notes)
    assert histories(catalogue, "tmdb_id, rating") == [(1, 90)]


def test_a_spreadsheets_semicolons_and_decimal_commas_are_read(catalogue: Database, tmp_path: Path) -> None:
    header = "sep=;\r\nDate;Name;Year;Letterboxd URI;Rating\r\n"
    text = header + "03.02.2024;Alien;1979;u1;4,5\r\n03.02.2024;Aliens;1986;u2;x\r\n"
    report = taken(catalogue, file(tmp_path, "ratings.csv", text))
    assert histories(catalogue) == [(1, False, 90, "2024-02-03")]
    assert [(reject.line, reject.reason) for reject in report.rejects] == [(4, "has “x” for a rating")]


@pytest.mark.parametrize("title_type", ["Videospiel", "Video Game"])
def test_a_file_of_which_nothing_is_a_film_is_refused_and_takes_nothing_out(
    catalogue: Database, tmp_path: Path, title_type: str
) -> None:  # fmt: skip
    films = "tt0000079,9,2024-05-06,Alien,u,{},7,100,1979,Horror\ntt0000021,8,2024-05-06,Dune,u,{},7,1,2021,X\n"
    taken(catalogue, file(tmp_path, "ratings.csv", IMDB + films.format("Movie", "Movie")))
    german = taken(catalogue, file(tmp_path, "ratings.csv", IMDB + films.format("Movie", "TV-Film")))
    assert (german.films, german.changed) == (2, 0)
    unknown = taken(catalogue, file(tmp_path, "ratings.csv", IMDB + films.format("?", "Movie")))
    assert (unknown.films, unknown.removed, dict(unknown.assumed)) == (
        2, 0, {"title type “?” is not known: taken for a film": 1},
    )  # fmt: skip
    before = whole_tables(catalogue)
    with pytest.raises(ImportFailedError, match=rf"none of the 2 rows .*passed over: {title_type}"):
        taken(catalogue, file(tmp_path, "ratings.csv", IMDB + films.format(title_type, title_type)))
    assert whole_tables(catalogue) == before


def test_a_small_file_that_lost_most_of_its_films_is_refused(catalogue: Database, tmp_path: Path) -> None:
    taken(
        catalogue, file(tmp_path, "ratings.csv", RATINGS + "2023-01-01,Alien,1979,u1,4\n2023-01-01,Aliens,1986,u2,4\n")
    )
    for rows in ("", "2023-01-01,WALL-E,2008,u7,4\n"):
        with pytest.raises(ImportFailedError, match=r"would delete 2 of the 2 stored entries; .* say --replace"):
            taken(catalogue, file(tmp_path, "ratings.csv", RATINGS + rows))
    assert taken(catalogue, file(tmp_path, "ratings.csv", RATINGS), replace=True).removed == 2


def test_a_film_that_moved_from_the_watchlist_to_the_diary_is_not_lost(catalogue: Database, tmp_path: Path) -> None:
    taken(catalogue, archive(tmp_path, {"watchlist.csv": WATCHED + "2024-01-01,Alien,1979,u1\n"}))
    seen = {"watchlist.csv": WATCHED, "watched.csv": WATCHED + "2024-02-01,Alien,1979,u1\n"}
    report = taken(catalogue, archive(tmp_path, seen))
    assert (report.updated, report.removed) == (1, 0)
    assert histories(catalogue) == [(1, False, None, "2024-02-01")]


def test_a_person_is_forgotten_in_every_table(catalogue: Database, tmp_path: Path) -> None:
    who = "quentin-of-the-canaries"
    rated = RATINGS + "2023-01-01,Alien,1979,u1,4\n2023-01-01,A Film of Mine,2001,u2,4\n2023-01-01,Dune,,u3,4\n"
    taken(catalogue, file(tmp_path, "ratings.csv", rated), person=who)
    taken(catalogue, archive(tmp_path, as_text(TRAKT), "trakt.zip"), person=who)
    taken(catalogue, file(tmp_path, "watched.csv", WATCHED + "2023-01-01,Dune,,u3\n"), person="other")
    others = run(catalogue, "select count(*) from pipeline.watch_entries where person = 'other'")
    assert tables_with(catalogue, who) >= {"catalog.watched_titles", "pipeline.watch_entries", "pipeline.imports"}
    deleted = {
        row.table_name: row.rows_deleted
        for row in catalogue.execute_returning(DeletedRows, "forget_person", person=who)
    }
    assert deleted["pipeline.series_entries"] == 3
    assert deleted["catalog.watched_titles"] == 3
    assert tables_with(catalogue, who) == set()
    assert tables_with(catalogue, "A Film of Mine") == set()
    assert run(catalogue, "select count(*) from pipeline.named_films where name = 'Dune'") == [(1,)]
    assert run(catalogue, "select count(*) from pipeline.watch_entries where person = 'other'") == others
    assert catalogue.execute_returning(DeletedRows, "forget_person", person=who) == []


def tables_with(database: Database, text: str) -> set[str]:
    """The tables of both schemas of which a row has a text anywhere."""
    names = run(database, "select oid::regclass::text from pg_class where relkind in ('r', 'p') and relnamespace in "
                "('catalog'::regnamespace, 'pipeline'::regnamespace)")  # fmt: skip
    return {
        name for (name,) in names if run(database, f"select 1 from {name} t where t::text like '%%{text}%%' limit 1")
    }


HOSTILE = {
    "a.zip": "declares",  # 300 MiB of zeros in 300 kB
    "b.zip": "300 MiB",  # the same, named as something that is streamed
    "big.csv": "MiB; a history of one person has at most 32",
    "one_line.csv": "line of more than",
    "endless.csv": "device, pipe or socket",
    "pipe.csv": "device, pipe or socket",
    "rows.csv": "more than 500,000 rows",
    "nested.json": "damaged JSON",
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    for name, member in (("a.zip", "ratings.csv"), ("b.zip", "ml/ratings.csv")):
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as packed, packed.open(member, "w") as opened:
            opened.write(RATINGS.encode() if name == "a.zip" else b"userId,movieId,rating,timestamp\n")
            for _ in range(300):
                opened.write(b"\0" * 2**20)
    for name, header in (("big.csv", RATINGS), ("one_line.csv", "userId,movieId,rating,timestamp\n")):
        with (folder / name).open("wb") as opened:
            opened.write(header.encode())
            opened.truncate(3 * 2**30)
    (folder / "links.csv").write_text("movieId,imdbId,tmdbId\n1,0000079,1\n")
    (folder / "endless.csv").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.csv")
    (folder / "rows.csv").write_text(RATINGS + ",A,,,\n" * 500_001)
    (folder / "nested.json").write_text('[{"rated_at": 1, "movie": {"ids": ' + "[" * 200_000)
    return folder


@pytest.mark.parametrize(("name", "reason"), HOSTILE.items())
def test_a_hostile_file_is_refused_in_flat_memory(
    catalogue: Database, hostile: Path, name: str, reason: str
) -> None:  # fmt: skip
    program = (
        "import sys\nfrom datetime import UTC, datetime\nfrom pathlib import Path\n"
        "from movie_assets.histories.choices import Choices, ImportFailedError\n"
        "from movie_assets.histories.imports import import_path\n"
        "from movie_assets.database.database import Database\n"
        "try:\n    import_path(Database(sys.argv[1]), Path(sys.argv[2]), Choices(), datetime.now(UTC))\n"
        "except ImportFailedError as error:\n    print(error)\n"
        "status = Path('/proc/self/status').read_text()\n"
        "print(int(status.split('VmHWM:')[1].split()[0]) * 1024)\n"  # not ru_maxrss, which begins with the parent's
    )
    address = catalogue.url.render_as_string(hide_password=False)
    ran = subprocess.run(
        [sys.executable, "-c", program, address, str(hostile / name)],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    message, memory = ran.stdout.rsplit("\n", 2)[:2]
    size = (hostile / name).stat().st_size if (hostile / name).is_file() else 0
    log.info("%-14s %13s bytes, refused with %3.0f MiB: %s", name, f"{size:,}", int(memory) / 2**20, message[-90:])
    assert reason in message
    assert int(memory) < MEMORY


def test_a_pipe_in_the_inbox_stops_no_look(hostile: Path) -> None:
    names = {path.name for _, path in Inbox(hostile).files()}
    assert not names & {"pipe.csv", "endless.csv"}
