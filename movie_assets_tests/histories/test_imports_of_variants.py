"""Imports of the same films as other programs and countries write them: rows with ids are imported, others reported."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from movie_assets.database.database import Database
from movie_assets.histories.choices import ImportFailedError
from movie_assets_tests.histories.history_imports import DIARY, IMDB, RATINGS, archive, file, histories, run, taken
from movie_assets_tests.histories.test_imports import whole_tables

ALIEN = "tt0000079,9,2024-05-06,{title},u,{kind},7,100,1979,Horror\n"
DUNE = "tt0000021,8,2024-05-06,Dune,u,Film,7,1,2021,X\n"
RATED = [(1, False, 90, "2024-02-03")]
LETTERBOXD_LIST = (
    "Letterboxd list export v7\nDate,Name,Tags,URL,Description\n2024-01-02,Noir,,https://b/l,\n\n"
    "Position,Name,Year,URL,Description\n1,Alien,1979,https://b/1,\n"
    '2,Aliens,1986,https://b/2,"two\nlines, with ""quotes"""\n'
)


def written(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    (folder / name).write_bytes(text.encode(encoding))
    return folder / name


def emptied(database: Database) -> None:
    run(database, "truncate catalog.watched_titles, pipeline.watch_entries, pipeline.series_entries")


IMDB_FILES: dict[str, tuple[str, str]] = {
    "a Japanese title type": (ALIEN.format(title="Alien", kind="映画"), "utf-8"),
    "a word with a game in it": (ALIEN.format(title="Alien", kind="Spielfilm"), "utf-8"),
    "youth, not a game": (ALIEN.format(title="Alien", kind="Film jeunesse"), "utf-8"),
    "UTF-16 with its mark": (ALIEN.format(title="Alien", kind="Película"), "utf-16"),
    "UTF-16 without it": (ALIEN.format(title="Alien", kind="Filme"), "utf-16-le"),
    "big-endian UTF-16 without it": (ALIEN.format(title="Alien", kind="Film"), "utf-16-be"),
    "quotes within quotes": (ALIEN.format(title='"Alien "the first" one"', kind="Film"), "utf-8"),
    "quotes after backslashes": (ALIEN.format(title=r'"The \"Alien\", again"', kind="Film"), "utf-8"),
    "capital letters": (ALIEN.format(title="Alien", kind="Film").replace("tt", "TT"), "utf-8"),
}


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_imdb_in_other_languages_and_encodings(catalogue: Database, tmp_path: Path, ending: str) -> None:
    for what, (row, encoding) in IMDB_FILES.items():
        emptied(catalogue)
        text = (IMDB + row + DUNE).replace("\n", ending)
        report = taken(catalogue, written(tmp_path, "RATINGS.CSV", text, encoding))
        assert (what, report.by_id, report.rejected) == (what, 2, 0)
        assert histories(catalogue, "tmdb_id, rating") == [(1, 90), (7, 80)]


def test_a_guess_is_counted_and_named(catalogue: Database, tmp_path: Path) -> None:
    quoted = taken(catalogue, file(tmp_path, "ratings.csv", IMDB + ALIEN.format(title='"A "b" c"', kind="Film")))
    assert dict(quoted.assumed) == {"quotes within quotes: the row was read without them": 1}
    other = IMDB.replace("Your Rating", "Ihre Bewertung") + ALIEN.format(title="Alien", kind="Film")
    report = taken(catalogue, file(tmp_path, "ratings.csv", other))
    assert dict(report.assumed) == {"there is no column Your Rating: taken as seen, without a rating": 1}


@pytest.mark.parametrize(
    ("name", "text", "encoding"),
    [("ratings.csv", "Date;Name;Year;Letterboxd URI;Rating\r\n03.02.2024;Alien;1979;u1;4,50\r\n", "utf-8-sig"),
     ("ratings.csv", "Date\tName\tYear\tLetterboxd URI\tRating\n2024-02-03\tAlien\t1979\tu1\t4,5\n", "utf-16"),
     ("Ratings.CSV", "Date|Name|Year|Letterboxd URI|Rating\r2024-02-03|Alien|1979|u1|4,5\r", "utf-8"),
     ("ratings.csv", "sep=|\nDate|Name|Year|Letterboxd URI|Rating\n2024-02-03|Alien|1979|u1|4.5\n", "utf-8"),
     ("ratings.csv", RATINGS + '2024-02-03,Alien,"1,979",u1,"4,5"\n', "utf-8"),
     ("ratings.csv", RATINGS + "2024-02-03,Alien,1979.0,u1,4½\n", "utf-8"),
     ("ratings.csv", RATINGS + "2024-02-03,Alien,1979,u1,★★★★½\n", "utf-16-be"),
     ("ratings.csv", RATINGS + "2024-02-03,Alien,1979,u1,4.5\n" * 3, "utf-8"),
     ("ratings.csv", RATINGS.replace("\n", ",,\n") + "2024-02-03,Alien,1979,u1,4.5,,,,\n", "utf-8"),
     ("ratings.csv", RATINGS.replace("\n", ",Tags,Note\n") + "2024-02-03,Alien,1979,u1,4.5\n", "utf-8"),
     ("ratings.csv", RATINGS.replace("\n", ",Tags\n") + "2024-02-03,Alien,1979,u1,4.5", "utf-8"),
     ("ratings.csv", RATINGS.replace("\n", ",Tags\r\n") + '2024-02-03,"Alien",1979,u1,"4,5"\r\n,,,,,,,\r\n', "utf-8")],
)  # fmt: skip
def test_letterboxds_ratings_through_spreadsheets(
    catalogue: Database, tmp_path: Path, name: str, text: str, encoding: str
) -> None:  # fmt: skip
    report = taken(catalogue, written(tmp_path, name, text, encoding))
    assert histories(catalogue) == RATED
    assert report.rejected == 0


@pytest.mark.parametrize("row", ["2024-02-03,Alien,1979,u1,4.5,hello\n", "2024-02-03,Alien, the,1979,u1,4.5\n"])
def test_a_row_with_more_cells_is_counted_and_named_and_takes_nothing_out(
    catalogue: Database, tmp_path: Path, row: str
) -> None:  # fmt: skip
    whole = "2024-02-03,Alien,1979,u1,4.5\n2024-02-03,Aliens,1986,u2,4\n"
    taken(catalogue, file(tmp_path, "ratings.csv", RATINGS + whole))
    report = taken(catalogue, file(tmp_path, "ratings.csv", RATINGS + "2024-02-03,Aliens,1986,u2,4\n" + row))
    assert [(reject.line, reject.reason) for reject in report.rejects] == [(3, "has 6 cells, the header has 5")]
    assert (report.rejected, report.kept, report.removed) == (1, 1, 0)
    before = whole_tables(catalogue)
    with pytest.raises(ImportFailedError, match=r"none of the 1 rows .* nothing was imported or deleted"):
        taken(catalogue, file(tmp_path, "ratings.csv", RATINGS + row))
    assert whole_tables(catalogue) == before


@pytest.mark.parametrize("deleted", [r"me\Deleted\Diary.CSV", r"a/b\deleted\x\diary.csv", r".\orphaned\diary.csv"])
def test_folders_of_an_archive_may_be_divided_in_either_way(
    catalogue: Database, tmp_path: Path, deleted: str
) -> None:  # fmt: skip
    packed = {
        deleted: DIARY + "2023-01-01,Aliens,1986,d2,0.5,,,2023-01-01\n",
        r"a\b\Ratings.CSV": RATINGS + "2024-02-03,Alien,1979,u1,4.5\n",
        r"a\inner.zip": "PK", r"a\b\films.xlsx": "?",
    }  # fmt: skip
    report = taken(catalogue, archive(tmp_path, packed))
    assert histories(catalogue) == RATED
    named = " ".join(report.notes)
    assert all(name.replace("\\", "/") in named for name in packed if "Ratings" not in name)


@pytest.mark.parametrize(
    "text",
    ["Alien (1979)\nAkira\nSpirited Away\nPonyo\nTotoro\n",
     "Alien (1979)\r\nAkira\r\n\r\nSpirited Away\r\nPonyo\r\nTotoro",
     "- Alien [1979]\n- Akira\n- Spirited Away (2001)\n- Ponyo\n- Totoro\n",
     "\ufeffAkira\rAlien (1979)\rSpirited Away\rPonyo (2008)\rTotoro\r"],
)  # fmt: skip
def test_lines_without_a_year_are_films_among_dated_lines(
    catalogue: Database, tmp_path: Path, text: str
) -> None:  # fmt: skip
    report = taken(catalogue, file(tmp_path, "films.txt", text), unrated="seen")
    assert (report.rows, report.films, report.rejected, dict(report.passed_over)) == (5, 5, 0, {})
    assert (1, False, None, None) in histories(catalogue)
    assert {"Akira", "Totoro"} <= set(report.unknown_names)


def rated(**movie: object) -> dict[str, object]:
    """Return a rating of a Trakt export; `movie` replaces or adds keys of its movie."""
    return {"rated_at": "2024-02-03T11:00:00.000Z", "rating": 9, "movie": {"title": "Alien", "year": 1979} | movie}


TRAKT_FILES: dict[str, tuple[Mapping[str, object], str]] = {
    "no TMDB id": (rated(title=None, year=None, ids={"trakt": 1, "tmdb": None, "imdb": "tt0000079"}), "utf-8"),
    "numbers as text": (rated(year="1979.0", ids={"tmdb": "1.0"}), "utf-16"),
    "one bad id": (rated(ids={"tmdb": 1, "imdb": "nm12?"}), "utf-8-sig"),
    "another bad id": (rated(ids={"tmdb": -5, "imdb": "tt0000079", "tvdb": "?"}), "utf-8"),
    "no type, no title": ({"rated_at": "2024-02-03", "rating": 9, "movie": {"ids": {"tmdb": 1}}}, "utf-16-le"),
}


def test_trakts_items_are_taken_by_any_good_id(catalogue: Database, tmp_path: Path) -> None:
    show = {"rated_at": "2024-02-03", "rating": 8, "show": {"title": "Some", "ids": {"tvdb": 7}}}
    for what, (item, encoding) in TRAKT_FILES.items():
        emptied(catalogue)
        text = json.dumps([item, show], indent=1)
        report = taken(catalogue, written(tmp_path, "Ratings-Movies.JSON", text, encoding))
        assert (what, report.by_id, report.series, report.rejected) == (what, 1, 1, 0)
        assert histories(catalogue, "tmdb_id, rating") == [(1, 90)]
        assert any("for a" in guess for guess in report.assumed) == ("bad id" in what)


def test_trakts_lists_may_be_in_a_folder_and_a_rating_of_nothing_is_none(catalogue: Database, tmp_path: Path) -> None:
    wanted = {"listed_at": "2024-01-01T00:00:00Z", "type": "movie", "movie": {"title": "Dune", "ids": {"tmdb": 6}}}
    files = {"export/lists/watchlist.json": [wanted], "export/ratings/ratings-movies.json": [rated(ids={"tmdb": 1}) |
             {"rating": 0}], "export/lists/empty.json": []}  # fmt: skip
    report = taken(catalogue, archive(tmp_path, {name: json.dumps(items) for name, items in files.items()}))
    assert histories(catalogue, "tmdb_id, is_wanted, rating") == [(1, False, None), (6, True, None)]
    assert any("empty.json" in note for note in report.notes)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(LETTERBOXD_LIST.replace("v7", "v8").replace(",", ";"), "utf-16"), (LETTERBOXD_LIST.replace("\n", "\r"), "utf-8"),
     (LETTERBOXD_LIST.replace("v7", "v7,,,,").replace("\n", "\r\n"), "utf-8-sig"),
     (LETTERBOXD_LIST.replace("https://b/l,", 'https://b/l,"a long\n\ntext, with Position, Name"'), "utf-8"),
     (LETTERBOXD_LIST.split("\n\n")[1], "utf-8")],
)  # fmt: skip
def test_letterboxds_lists_as_other_programs_save_them(
    catalogue: Database, tmp_path: Path, text: str, encoding: str
) -> None:  # fmt: skip
    report = taken(catalogue, written(tmp_path, "noir.CSV", text, encoding))
    assert histories(catalogue, "tmdb_id, is_wanted") == [(1, True), (2, True)]
    assert report.notes == ["the films of the list: noir were taken as wanted; say --seen if they were seen"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [("ratings.csv", RATINGS, "a header and no row"),
     ("noir.csv", LETTERBOXD_LIST.partition("1,Alien")[0], "no row below"),
     ("ratings-movies.json", "[]", "no file with watched films"), ("ratings.csv", "", "is empty"),
     ("ratings.csv", RATINGS + "2024-02-03,Alien,1979,u1,11\n" * 2, "none of the 2 rows"),
     ("ratings.csv", IMDB + ALIEN.format(title="Alien", kind="Videospiel"), "passed over: Videospiel")],
)  # fmt: skip
def test_a_file_of_which_nothing_was_read_is_refused_and_takes_nothing_out(
    catalogue: Database, tmp_path: Path, name: str, text: str, message: str
) -> None:  # fmt: skip
    with pytest.raises(ImportFailedError, match=message):
        taken(catalogue, file(tmp_path, name, text))
    taken(catalogue, file(tmp_path, "watched.csv", RATINGS.replace(",Rating", "") + "2024-01-01,Aliens,1986,u2\n"))
    before = whole_tables(catalogue)
    with pytest.raises(ImportFailedError, match=message):
        taken(catalogue, file(tmp_path, name, text))
    assert whole_tables(catalogue) == before
