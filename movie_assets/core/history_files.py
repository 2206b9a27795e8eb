"""Which format a file of watched films has, told by how it begins; and which files of an export count."""

from dataclasses import dataclass
from typing import Literal

from movie_assets.core.film_list import is_a_bare_head, is_a_head
from movie_assets.core.history_rows import delimiter_of

Source = Literal["letterboxd", "imdb", "movielens", "list"]
LINES_LOOKED_AT = 40
# Folders of Letterboxd's archive with what somebody deleted or left behind, or what is no history.
NOT_READ = ("deleted", "orphaned", "likes", "lists", "__macosx")
KNOWN = (
    "Letterboxd's watched.csv, diary.csv, ratings.csv and watchlist.csv, IMDb's exports of ratings and lists, "
    "MovieLens' ratings.csv with links.csv, and lists with lines such as Title: YEAR | RATING | 1h 42m | 8.5 rating"
)


class UnknownFormatError(ValueError):
    """A file that is no history, or that does not say which; the message says so."""


@dataclass(frozen=True)
class Recognised:
    """What a file is. `part` names the kind of file, of which the newest counts; None for files of another purpose."""

    source: Source
    part: str | None
    delimiter: str = ","
    is_wanted: bool = False  # what is not rated is wanted, not seen


def is_read(member: str) -> bool:
    """Whether a file of an archive or folder is to be looked at."""
    folders = member.lower().split("/")[:-1]
    return not any(folder in NOT_READ for folder in folders) and not member.rpartition("/")[2].startswith(".")


def recognise(name: str, beginning: str, unrated: Literal["seen", "wanted"] | None = None) -> Recognised:
    """Which format a file has, from its first lines; its name only counts where two formats begin alike.

    `unrated` says what films without a rating are where a file does not tell. Raises UnknownFormatError.
    """
    lines = [line for line in beginning.lstrip("\ufeff").splitlines()[:LINES_LOOKED_AT] if line.strip()]
    if not lines:
        raise UnknownFormatError(f"{name} is empty")
    delimiter = delimiter_of(lines[0])
    columns = {cell.strip().strip('"') for cell in lines[0].split(delimiter)}
    if columns >= {"Name", "Letterboxd URI"}:
        return _letterboxd(name, columns, delimiter, unrated)
    if columns >= {"Const", "Title Type"}:
        return _imdb(name, columns, delimiter, unrated)
    if "movieId" in columns:
        parts = {("userId", "rating"): "ratings", ("imdbId", "tmdbId"): "links", ("title",): "movies"}
        fits = [part for needed, part in parts.items() if columns >= set(needed)]
        return Recognised("movielens", fits[0] if fits else None)
    if is_a_bare_head(lines[0]) or any(map(is_a_head, lines)):
        return Recognised("list", f"list: {stem(name)}", is_wanted=unrated == "wanted")
    raise UnknownFormatError(f"{name} is in no format that is known: it begins with “{lines[0][:80]}”")


def stem(name: str) -> str:
    """A file's own name, without folders and ending."""
    return name.rpartition("/")[2].rpartition(".")[0] or name.rpartition("/")[2]


def _letterboxd(name: str, columns: set[str], delimiter: str, unrated: str | None) -> Recognised:
    if "Review" in columns:
        return Recognised("letterboxd", None)  # reviews repeat what diary and ratings say
    if "Watched Date" in columns:
        return Recognised("letterboxd", "diary", delimiter)
    if "Rating" in columns:
        return Recognised("letterboxd", "ratings", delimiter)
    own = stem(name).lower()
    if unrated is None and not ("watchlist" in own or "watched" in own):
        raise UnknownFormatError(
            f"{name} can be Letterboxd's watched.csv or its watchlist.csv, which have the same columns; say --seen or "
            "--wanted, or give the file its name back"
        )
    is_wanted = unrated == "wanted" if unrated else "watchlist" in own
    return Recognised("letterboxd", "watchlist" if is_wanted else "watched", delimiter, is_wanted)


def _imdb(name: str, columns: set[str], delimiter: str, unrated: str | None) -> Recognised:
    if "Position" not in columns:
        return Recognised("imdb", "ratings", delimiter)
    own = stem(name)
    part = "watchlist" if "watchlist" in own.lower() else f"list: {own}"
    return Recognised("imdb", part, delimiter, is_wanted=unrated != "seen")
