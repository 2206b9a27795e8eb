"""Recognises the format of a file of watched films by its first lines, and which files of an export are read."""

import io
import re
from dataclasses import dataclass
from typing import Literal

from movie_assets.histories.letterboxd import LIST_BEGINS
from movie_assets.histories.movie_list import is_list_of_titles, is_movie_line, is_title_with_year
from movie_assets.histories.rows import delimiter_of
from movie_assets.histories.trackers import is_simkl, trakt_part

Source = Literal["letterboxd", "imdb", "movielens", "trakt", "simkl", "list"]
Unrated = Literal["seen", "wanted"] | None
MAX_LINES = 40  # that are examined
LIST_COLUMNS = {"Position", "Name", "URL"}  # of the films of a list of Letterboxd's
# Folders of Letterboxd's archive with deleted or orphaned films, or with data that is no history.
NOT_READ = ("deleted", "orphaned", "__macosx")
NOT_READ_TABLES = ("likes", "lists")  # JSON in such folders is Trakt's
KNOWN = (
    "Letterboxd's watched.csv, diary.csv, ratings.csv, watchlist.csv and lists, IMDb's exports of ratings and lists, "
    "Trakt's and Simkl's JSON exports, Simkl's CSV, MovieLens' ratings.csv with links.csv, its site's exports, "
    "and lists with lines such as Title (YEAR) or Title: YEAR | RATING | 1h 42m | 8.5 rating"
)
AS_WANTED = "the films of the {} were taken as wanted; say --seen if they were seen"
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)  # names the delimiter for Excel


class UnknownFormatError(ValueError):
    """A file has no known format, or one that is ambiguous. The message names the file and the reason."""


@dataclass(frozen=True)
class Recognised:
    """The format of a file. `part` names its kind, of which the newest file counts; None for files without films."""

    source: Source
    part: str | None
    delimiter: str = ","
    is_wanted: bool = False  # films without a rating are wanted, not seen
    lines_before: int = 0  # lines before the table's header
    guess: str | None = None  # a note on what was assumed because the file does not say it
    form: str = ""  # the variant of the format, if a source has several


def is_read(member: str) -> bool:
    """Return whether a file of an archive or folder is read. Windows PowerShell separates folders by backslashes."""
    *folders, name = member.replace("\\", "/").lower().split("/")
    ignored = NOT_READ if name.endswith(".json") else NOT_READ + NOT_READ_TABLES
    return not any(folder in ignored for folder in folders) and not name.startswith(".")


def recognise(name: str, beginning: str, unrated: Unrated = None) -> Recognised:
    """Return the format of a file from its first lines. Its name decides only between formats with the same beginning.

    `unrated` is the meaning of films without a rating in files that do not define it. Raises UnknownFormatError.
    """
    lines = list(io.StringIO(beginning.lstrip("\ufeff"), newline=""))
    filled = [place for place, line in enumerate(lines) if line.strip()]
    if not filled:
        raise UnknownFormatError(f"{name} is empty")
    first = filled[0]
    if lines[first].lstrip().startswith(("[", "{")):
        return _json(name, beginning, unrated)
    separator = SEPARATOR_LINE.fullmatch(lines[first])
    if separator and len(filled) > 1:
        first = filled[1]
    if lines[first].strip().strip('"').startswith(LIST_BEGINS):
        return _letterboxd_list(name, lines, first, unrated)
    delimiter = separator[1] if separator else delimiter_of(lines[first])
    columns = {cell.strip().strip('"') for cell in lines[first].split(delimiter)}
    if table := _table(name, columns, delimiter, first, unrated):
        return table
    first_lines = [lines[place] for place in filled[:MAX_LINES]]
    is_text = not name.lower().endswith((".csv", ".tsv"))
    if (
        is_title_with_year(first_lines[0])
        or any(map(is_movie_line, first_lines))
        or (is_text and (unrated is not None or is_list_of_titles(first_lines)))
    ):
        return Recognised("list", f"list: {stem(name)}", is_wanted=unrated == "wanted")
    raise UnknownFormatError(f"{name} is in no format that is known: it begins with “{lines[first].strip()[:80]}”")


def stem(name: str) -> str:
    """Return a file's own name, without folders and ending."""
    own = name.replace("\\", "/").rpartition("/")[2]
    return own.rpartition(".")[0] or own


def _table(name: str, columns: set[str], delimiter: str, first: int, unrated: Unrated) -> Recognised | None:
    """Recognise a table by its columns."""
    folded = {re.sub(r"[_\s]", "", column).lower() for column in columns}
    if columns >= {"Name", "Letterboxd URI"} or columns >= LIST_COLUMNS:
        return _letterboxd(name, columns, delimiter, first, unrated)
    if "const" in folded and folded & {"titletype", "title", "yourrating", "yourated"}:
        return _imdb(name, folded, delimiter, first, unrated)
    if folded >= {"simklid", "title", "type"}:
        return Recognised("simkl", "watched", delimiter, lines_before=first, form="csv")
    if folded >= {"movieid", "tmdbid"} and "title" in folded:
        part = "site ratings" if "rating" in folded else "site wishlist"
        return Recognised("movielens", part, delimiter, part == "site wishlist", first, form="site")
    if "movieId" in columns:
        parts = {("userId", "rating"): "ratings", ("imdbId", "tmdbId"): "links", ("title",): "movies"}
        fits = [part for needed, part in parts.items() if columns >= set(needed)]
        return Recognised("movielens", fits[0] if fits else None, delimiter, lines_before=first)
    return None


def _letterboxd(name: str, columns: set[str], delimiter: str, first: int, unrated: Unrated) -> Recognised:
    if columns >= LIST_COLUMNS:
        return _films_of_list(name, delimiter, first, unrated)
    if "Review" in columns:
        return Recognised("letterboxd", None)  # reviews repeat the films of diary and ratings
    if "Watched Date" in columns:
        return Recognised("letterboxd", "diary", delimiter, lines_before=first)
    if "Rating" in columns:
        return Recognised("letterboxd", "ratings", delimiter, lines_before=first)
    own = stem(name).lower()
    if unrated is None and not ("watchlist" in own or "watched" in own):
        raise UnknownFormatError(
            f"{name} can be Letterboxd's watched.csv or its watchlist.csv, which have the same columns; say --seen or "
            "--wanted, or give the file its name back"
        )
    is_wanted = unrated == "wanted" if unrated else "watchlist" in own
    return Recognised("letterboxd", "watchlist" if is_wanted else "watched", delimiter, is_wanted, first)


def _letterboxd_list(name: str, lines: list[str], first: int, unrated: Unrated) -> Recognised:
    """Find the table of films below the list's own name and description."""
    for place, line in enumerate(lines[first:], start=first):
        delimiter = delimiter_of(line)
        columns = {cell.strip().strip('"') for cell in line.split(delimiter)}
        if columns >= LIST_COLUMNS:
            return _films_of_list(name, delimiter, place, unrated)
    raise UnknownFormatError(f"{name} is a list of Letterboxd's without its table of films (Position, Name, Year, URL)")


def _films_of_list(name: str, delimiter: str, first: int, unrated: Unrated) -> Recognised:
    part = f"list: {stem(name)}"
    guess = None if unrated else AS_WANTED.format(part)
    return Recognised("letterboxd", part, delimiter, unrated != "seen", first, guess)


def _imdb(name: str, folded: set[str], delimiter: str, first: int, unrated: Unrated) -> Recognised:
    if "position" not in folded:
        return Recognised("imdb", "ratings", delimiter, lines_before=first)
    own = stem(name)
    part = "watchlist" if "watchlist" in own.lower() else f"list: {own}"
    return Recognised("imdb", part, delimiter, is_wanted=unrated != "seen", lines_before=first)


def _json(name: str, beginning: str, unrated: Unrated) -> Recognised:
    if is_simkl(beginning):
        return Recognised("simkl", "watched", form="json")
    part = trakt_part(stem(name), beginning)
    if part is None:
        raise UnknownFormatError(f"{name} is JSON, but neither Trakt's nor Simkl's; it begins with “{beginning[:80]}”")
    is_wanted = part == "watchlist" or (part.startswith("list:") and unrated != "seen")
    guess = None
    if part.startswith("list:") and unrated is None:
        guess = AS_WANTED.format(part)
    return Recognised("trakt", part or None, is_wanted=is_wanted, guess=guess, form="json")
