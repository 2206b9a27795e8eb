"""The report of an import, as it is stored, printed as JSON and shown to people."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import NamedTuple, TypedDict

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from movie_assets.histories.rows import Reject

MAX_NAMES = 100  # in a report
NAMES_SHOWN = 10
SURE = 0.9  # the lowest confidence of a match by title and year


class ImportedName(NamedTuple):
    """A name of a movie in an import, with the movie that was matched, and the state of its review."""

    name_id: int
    name: str
    title_id: int | None
    matched_by: str | None
    confidence: float | None
    review: str | None
    is_in_catalogue: bool


class NameCounts(TypedDict):
    """The fields of a report that count the names of an import by how they were matched."""

    films: int
    by_id: int
    by_title: int
    by_decision: int
    ambiguous: int
    unknown: int
    decided_none: int
    year_off: int
    not_in_catalogue: int
    same_film: int
    ambiguous_names: Sequence[str]
    unknown_names: Sequence[str]


@dataclass(frozen=True)
class ImportReport:
    """The counts of importing one source's files. A film that a file names several times counts once."""

    source: str
    person: str | None
    files: Sequence[str]
    rows: int = 0
    films: int = 0
    by_id: int = 0
    by_title: int = 0
    year_off: int = 0  # of those: the only film of that title, released the year before or after (0.85 to 0.88 sure)
    by_decision: int = 0
    not_in_catalogue: int = 0  # of those: the id is exact, the catalogue does not have the film
    same_film: int = 0  # of those: names that mean the same film as another
    ambiguous: int = 0
    unknown: int = 0
    decided_none: int = 0
    series: int = 0  # rows on series, seasons and episodes
    series_matched: int = 0  # stored rows of the person and source whose series the catalogue has
    passed_over: Mapping[str, int] = field(default_factory=dict)  # rows that are no film, by kind
    assumed: Mapping[str, int] = field(default_factory=dict)  # rows that were taken by a guess, by the guess
    rejected: int = 0
    dates_unread: int = 0
    added: int = 0
    updated: int = 0
    removed: int = 0
    unchanged: int = 0
    kept: int = 0  # entries that the file no longer has
    requested: int = 0
    requests: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()
    rejects: Sequence[Reject] = ()
    remarks: Sequence[Reject] = ()  # the first rows that were passed over or taken by a guess
    ambiguous_names: Sequence[str] = ()
    unknown_names: Sequence[str] = ()

    @property
    def changed(self) -> int:
        """Return how many rows of catalog.watched_titles were added, updated or removed."""
        return self.added + self.updated + self.removed

    def as_json(self) -> dict[str, object]:
        """Return all fields, as the command line prints them."""
        return {**asdict(self), "changed": self.changed}

    def counts(self) -> dict[str, object]:
        """Return the counts and notes, as they are stored in pipeline.imports."""
        left_out = ("rejects", "remarks", "ambiguous_names", "unknown_names", "files", "source", "person")
        return {name: value for name, value in self.as_json().items() if name not in left_out}

    def without_names(self) -> dict[str, object]:
        """Return the counts and the source, without names of persons, files or films."""
        return {"source": self.source, **{name: value for name, value in self.counts().items() if name != "notes"}}


def count_names(names: Sequence[ImportedName]) -> NameCounts:
    """Count the names of an import by how they were matched."""
    kinds = Counter(_kind_of(name) for name in names)
    title_ids = [name.title_id for name in names if name.title_id is not None]
    return NameCounts(
        films=len(names), by_id=kinds["by_id"], by_title=kinds["by_title"], by_decision=kinds["by_decision"],
        ambiguous=kinds["ambiguous"], unknown=kinds["unknown"], decided_none=kinds["decided_none"],
        year_off=sum(_kind_of(name) == "by_title" and (name.confidence or 0) < SURE for name in names),
        not_in_catalogue=sum(name.title_id is not None and not name.is_in_catalogue for name in names),
        same_film=len(title_ids) - len(set(title_ids)),
        ambiguous_names=[name.name for name in names if _kind_of(name) == "ambiguous"][:MAX_NAMES],
        unknown_names=[name.name for name in names if _kind_of(name) == "unknown"][:MAX_NAMES],
    )  # fmt: skip


def _kind_of(name: ImportedName) -> str:
    """Return the field of the report that counts a name."""
    if name.matched_by == "decision":
        return "decided_none" if name.title_id is None else "by_decision"
    if name.title_id is not None:
        return "by_id" if name.matched_by in ("tmdb id", "imdb id") else "by_title"
    return "ambiguous" if name.review == "open" else "unknown"


def show_import(console: Console, report: ImportReport) -> None:
    """Print a report for people: a table of the counts, then samples of rows and names, then the notes."""
    owner = f" of {report.person}" if report.person else ""
    table = Table(
        title=escape(f"{report.source}{owner}: {', '.join(report.files)}"), title_justify="left", show_header=False
    )
    table.add_column()
    table.add_column(justify="right")
    for label, value in (
        ("rows", report.rows), ("films", report.films), ("  matched by id", report.by_id),
        ("  matched by title", report.by_title), ("    a year off", report.year_off),
        ("  decided by a person", report.by_decision),
        ("  … not in the catalogue", report.not_in_catalogue), ("  … named twice", report.same_film),
        ("  ambiguous (movie-assets review)", report.ambiguous), ("  unknown", report.unknown),
        ("  decided to be none", report.decided_none),
        ("series, seasons and episodes (stored)", report.series),
        ("  … of series in the catalogue", report.series_matched),
        *((f"passed over: {kind}", rows) for kind, rows in report.passed_over.items()),
        *report.assumed.items(),
        ("rows rejected", report.rejected), ("dates that cannot be right", report.dates_unread),
        ("histories added", report.added), ("histories updated", report.updated), ("histories removed", report.removed),
        ("histories unchanged", report.unchanged), ("requested from TMDB", report.requested),
        *((f"  requests: {outcome}", films) for outcome, films in report.requests.items()),
    ):  # fmt: skip
        if value or label in ("rows", "films", "histories added", "histories unchanged"):
            table.add_row(escape(label), f"{value:,}")
    console.print(table)
    for reject in [*report.rejects[:NAMES_SHOWN], *report.remarks[:NAMES_SHOWN]]:
        console.print(
            escape(f"  {reject.file}, line {reject.line}: {reject.reason}  {reject.sample[:80]}"), highlight=False
        )
    for label, names in (("ambiguous", report.ambiguous_names), ("unknown", report.unknown_names)):
        if names:
            more = " …" if len(names) > NAMES_SHOWN else ""
            console.print(escape(f"  {label}: {'; '.join(names[:NAMES_SHOWN])}{more}"), highlight=False)
    for note in report.notes:
        console.print(escape(f"  {note}"), highlight=False)
