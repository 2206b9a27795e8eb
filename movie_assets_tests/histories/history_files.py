"""Reads files of watch histories for tests."""

from datetime import UTC, datetime

from movie_assets.histories.imdb import read_imdb
from movie_assets.histories.letterboxd import read_letterboxd
from movie_assets.histories.rows import Entry, Tally

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DIARY = "Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date\n"
RATINGS = "Date,Name,Year,Letterboxd URI,Rating\n"
IMDB_OLD = "Const,Your Rating,Date Rated,Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,Genres\n"
IMDB_NEW = "Const,Your Rating,Date Rated,Title,Original Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,Genres\n"
IMDB_LIST = "Position,Const,Created,Modified,Description,Title,Original Title,URL,Title Type,Year,Your Rating\n"


def letterboxd(text: str, *, is_wanted: bool = False) -> tuple[list[Entry], Tally]:
    tally = Tally("a.csv")
    return list(read_letterboxd(text.splitlines(keepends=True), tally, NOW, is_wanted=is_wanted)), tally


def imdb(text: str, *, unrated_is_wanted: bool = False) -> tuple[list[Entry], Tally]:
    tally = Tally("a.csv")
    read = read_imdb(text.splitlines(keepends=True), tally, NOW, unrated_is_wanted=unrated_is_wanted)
    return [entry for entry in read if isinstance(entry, Entry)], tally


def reasons(tally: Tally) -> list[tuple[int, str]]:
    return [(reject.line, reject.reason) for reject in tally.rejects]
