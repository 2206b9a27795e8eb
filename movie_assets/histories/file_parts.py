"""The files of an import: which of them are histories, and the entries that they contain.

The formats are recognised in `histories.file_formats`; each has a module that reads it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from movie_assets.histories.bundles import Bundle, Member
from movie_assets.histories.choices import Choices, ImportFailedError
from movie_assets.histories.file_formats import KNOWN, Recognised, UnknownFormatError, recognise
from movie_assets.histories.imdb import read_imdb
from movie_assets.histories.letterboxd import read_letterboxd
from movie_assets.histories.movie_list import read_movie_list
from movie_assets.histories.movielens import read_movielens, read_movies, read_site_export
from movie_assets.histories.rows import MAX_ROWS, Entry, SeriesEntry, Tally
from movie_assets.histories.trackers import read_simkl, read_simkl_csv, read_trakt

MAX_RELEASE_ROWS = 200_000_000  # ratings of a release of MovieLens; the largest has 33 million
WITHOUT_ENTRIES = ("links", "movies")  # parts that are read with others


@dataclass(frozen=True)
class FilePart:
    """A file that is imported, with its format and the counts of reading it."""

    member: Member
    kind: Recognised
    tally: Tally

    @property
    def name(self) -> str:
        """Return the kind of file, of which the newest one counts."""
        return str(self.kind.part)

    @property
    def is_of_a_release(self) -> bool:
        """Return whether the file belongs to a release of MovieLens, with ratings of many people."""
        return is_of_a_release(self.kind)

    @property
    def has_entries(self) -> bool:
        """Return whether the rows of the file are entries of their own."""
        return self.kind.part not in WITHOUT_ENTRIES


def is_of_a_release(kind: Recognised) -> bool:
    """Return whether a format is that of a release of MovieLens."""
    return kind.source == "movielens" and kind.form != "site"


def parts_of(bundle: Bundle, choices: Choices) -> tuple[list[FilePart], list[str]]:
    """Return the files of a bundle that are histories, and a note for each of the others.

    Raises UnknownFormatError when there is none, HistoryFileError when one is too large.
    """
    parts: list[FilePart] = []
    notes = list(bundle.left_out)
    for member in bundle.members:
        try:
            kind = recognise(member.name, member.beginning(), choices.unrated)
        except UnknownFormatError as error:
            if len(bundle.members) == 1:
                raise UnknownFormatError(f"{error}. Known are {KNOWN}") from None
            notes.append(f"passed over: {error}")
            continue
        if kind.part is None:
            notes.append(f"passed over: {member.name} has no films that other files do not have")
            continue
        max_rows = MAX_RELEASE_ROWS if is_of_a_release(kind) else MAX_ROWS
        if not is_of_a_release(kind):
            member.require_text()
        if kind.guess:
            notes.append(kind.guess)
        parts.append(FilePart(member, kind, Tally(member.name, kind.lines_before, max_rows)))
    if not parts:
        raise UnknownFormatError(f"{bundle.name} has no file with watched films in it. Known are {KNOWN}")
    return parts, notes


def require_entries(parts: Sequence[FilePart]) -> None:
    """Raise ImportFailedError when a file has rows and none of them could be read: its format is another one."""
    for part in parts:
        tally = part.tally
        if tally.rows and not tally.taken and part.has_entries:
            first = (tally.rejects or tally.remarks)[0]
            raise ImportFailedError(
                f"none of the {tally.rows:,} rows of {tally.file} could be read (line {first.line}: {first.reason}); "
                "nothing was imported or deleted"
            )


def entries_of(
    parts: Sequence[FilePart], stack: ExitStack, as_of: datetime, notes: list[str]
) -> Iterator[tuple[str, Entry | SeriesEntry]]:
    """Yield the entries of a source's files, each with the kind of its file. Notes for the report are added to `notes`.

    Raises ImportFailedError when the files cannot be imported together.
    """
    release = [part for part in parts if part.is_of_a_release]
    if release:
        if len(release) < len(parts):
            raise ImportFailedError("a release of MovieLens and what its site exports for a person are imported apart")
        yield from (("ratings", entry) for entry in _entries_of_release(release, stack, as_of, notes))
        return
    for part in parts:
        yield from ((part.name, entry) for entry in _entries_of_file(part, as_of))


def _entries_of_file(part: FilePart, as_of: datetime) -> Iterator[Entry | SeriesEntry]:
    """Return the entries of one file of a person."""
    kind, tally, delimiter = part.kind, part.tally, part.kind.delimiter
    if kind.form == "json":
        text = part.member.text()
        if kind.source == "simkl":
            return read_simkl(text, tally, as_of)
        return read_trakt(text, tally, as_of, is_wanted=kind.is_wanted)
    lines = islice(part.member.text_lines(), kind.lines_before, None)
    readers: dict[str, Callable[[], Iterator[Entry | SeriesEntry]]] = {
        "simkl": lambda: read_simkl_csv(lines, tally, as_of, delimiter=delimiter),
        "movielens": lambda: read_site_export(lines, tally, is_wanted=kind.is_wanted, delimiter=delimiter),
        "letterboxd": lambda: read_letterboxd(lines, tally, as_of, is_wanted=kind.is_wanted, delimiter=delimiter),
        "imdb": lambda: read_imdb(lines, tally, as_of, unrated_is_wanted=kind.is_wanted, delimiter=delimiter),
        "list": lambda: read_movie_list(lines, tally, is_wanted=kind.is_wanted),
    }
    return readers[kind.source]()


def _entries_of_release(
    parts: Sequence[FilePart], stack: ExitStack, as_of: datetime, notes: list[str]
) -> Iterator[Entry]:
    """Yield the ratings of a release of MovieLens; its files are closed with the stack."""
    by_name = {part.name: part for part in parts}
    if len(by_name) < len(parts):
        raise ImportFailedError("there are several releases of MovieLens here; import one at a time")
    if not {"ratings", "links"} <= by_name.keys():
        raise ImportFailedError("MovieLens' ratings.csv is read with the links.csv of its release; put them together")
    links, titles = by_name["links"], by_name.get("movies")
    movies = read_movies(
        links.member.text_lines(), links.tally, titles.member.text_lines() if titles else [],
        titles.tally if titles else Tally(""),
    )  # fmt: skip
    tmdb_ids = [movie.tmdb_id for movie in movies.values() if movie.tmdb_id]
    notes.append(
        f"{len(movies) - len(tmdb_ids):,} of {len(movies):,} MovieLens films have no TMDB id; "
        f"{len(tmdb_ids) - len(set(tmdb_ids)):,} have the one of another"
    )
    lines = stack.enter_context(by_name["ratings"].member.lines())
    yield from read_movielens(lines, movies, by_name["ratings"].tally, as_of)
