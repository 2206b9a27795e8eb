"""Writing answers of TMDB to the database, a chunk in one transaction, and counting what became of them.

What is fetched and when is for `movie_details`; what an answer means, for `catalog.eligibility`; which rows follow from
it, for sql/catalog/store_details.sql.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from psycopg.types.json import Jsonb

from movie_assets.catalog.eligibility import Derived, derivation_name, derive
from movie_assets.config.filter_profiles import FilterProfiles
from movie_assets.database.database import Database, copy_rows, execute, rows
from movie_assets.runs.batch_runs import BatchContent, row_counts
from movie_assets.runs.run_log import log_work
from movie_assets.tmdb.movies import UnusableResponseError
from movie_assets.tmdb.related_rows import KNOWN_KEYS
from movie_assets.tmdb.responses import CallCounts, Failed, Fetched, NotFound, TmdbResponse

FILM_COLUMNS = {
    "tmdb_id": "int8", "imdb_id": "text", "title": "text", "original_title": "text", "original_language": "text",
    "release_date": "date", "runtime_minutes": "int2", "status": "text", "tagline": "text", "overview": "text",
    "genres": "text[]", "keywords": "text[]", "directors": "text[]", "leading_cast": "text[]", "countries": "text[]",
    "collection_id": "int8", "collection": "text", "certification": "text", "budget": "int8", "revenue": "int8",
    "poster_path": "text", "backdrop_path": "text", "popularity": "float8", "vote_average": "float8",
    "vote_count": "int4",
}  # fmt: skip
STAGED_COLUMNS = FILM_COLUMNS | {
    "adult": "bool", "video": "bool", "softcore": "bool", "body": "jsonb", "embedding_text": "text",
    "text_hash": "text", "facts": "jsonb", "facts_hash": "text",
}  # fmt: skip


@dataclass
class Counts:
    """What a run did, film by film."""

    due: int = 0
    put_off: int = 0
    fetched: int = 0
    accepted: int = 0
    rejected: int = 0
    added: int = 0
    changed: int = 0
    judged_again: int = 0
    gone: int = 0
    failed: int = 0
    repaired: int = 0
    successors: int = 0
    unknown_keys: set[str] = field(default_factory=set)
    calls: CallCounts = field(default_factory=CallCounts)


class DetailStore:
    """Writes answers to the database, chunk by chunk, and counts what became of them."""

    def __init__(self, database: Database, thresholds: FilterProfiles, as_of: datetime, run_id: str) -> None:
        self.counts = Counts()
        self.database = database
        self._thresholds = thresholds
        self.as_of = as_of
        self.run_id = run_id

    def store(self, answers: Sequence[TmdbResponse]) -> list[Failed]:
        """Store a chunk in one transaction; tells what had no usable answer."""
        films: list[tuple[Derived, Any]] = []
        gone: list[int] = []
        failed: list[Failed] = []
        for answer in answers:
            match answer:
                case NotFound(tmdb_id):
                    gone.append(tmdb_id)
                case Fetched(tmdb_id, body):
                    try:
                        films.append((derive(body, tmdb_id), body))
                    except UnusableResponseError as error:
                        failed.append(Failed(tmdb_id, error.reason, f"{error}: {body!s:.400}"))
                case Failed():
                    failed.append(answer)
        self._write(films, gone, failed)
        self.counts.fetched += len(films)
        self.counts.gone += len(gone)
        self.counts.failed += len(failed)
        return failed

    def derive_stored_responses(self, batch_numbers: set[int]) -> None:
        """Read stored responses again that another parser read, or whose film passes again or was asked for."""
        name = derivation_name()
        wanted = {"batches": sorted(batch_numbers), "derivation": name, "as_of": self.as_of}
        while again := self.database.rows("answers_to_judge", **wanted):
            self._write([(derive(r.body, r.tmdb_id), None) for r in again], [], [])
            self.counts.judged_again += len(again)

    def evaluate(self) -> None:
        """Evaluate all stored responses by the profiles in use, if that was not done for this day yet."""
        self.database.once(lambda connection: evaluate(connection, self._thresholds, self.as_of, are_lists_new=False))

    def plan(self, batch_numbers: set[int], due: int, put_off: int) -> None:
        """Count what a run has before it: ids that it looked at, and those of them that it leaves as they are."""
        self.counts.due, self.counts.put_off = due + put_off, put_off

        def work(connection: sa.Connection) -> None:
            (found,) = rows(connection, "work_at_hand", batches=sorted(batch_numbers))
            checked = max(found.ids, due + put_off)  # applications ask for ids that are not worth a look, too
            log_work(connection, self.run_id, "movie_details", checked=checked, skipped=checked - due)

        self.database.once(work)

    def contents(self, batches: Collection[int]) -> dict[int, BatchContent]:
        """What finished batches hold."""
        found = self.database.rows("batch_contents", batches=list(batches))
        return {row.batch: BatchContent(row.content, row_counts(row.films, row.total)) for row in found}

    def summary(self) -> str:
        """The run in one line."""
        c = self.counts
        return (
            f"{c.due:,} films due: {c.fetched:,} fetched ({c.accepted:,} accepted, {c.rejected:,} rejected, "
            f"{c.added:,} new, {c.changed:,} changed), {c.gone:,} gone, {c.failed:,} failed; "
            f"{c.judged_again:,} judged again; {c.put_off:,} put off"
        )

    def _write(self, films: list[tuple[Derived, Any]], gone: list[int], failed: list[Failed]) -> None:
        unknown = Counter(key for _, body in films if body is not None for key in body.keys() - KNOWN_KEYS)
        stored: Any = None

        def work(connection: sa.Connection) -> None:
            nonlocal stored
            if films:
                execute(connection, "stage_films")
                copy_rows(connection, "incoming_films", STAGED_COLUMNS, (staged_row(*film) for film in films))
                (stored,) = rows(connection, "store_details", as_of=self.as_of, derivation=derivation_name())
            if gone:
                execute(connection, "mark_gone", tmdb_ids=gone, as_of=self.as_of)
            if failed:
                execute(
                    connection,
                    "record_failures",
                    tmdb_ids=[f.tmdb_id for f in failed],
                    reasons=[f.reason for f in failed],
                    samples=[f.sample for f in failed],
                    run_id=self.run_id,
                    as_of=self.as_of,
                )
            if unknown:
                execute(
                    connection,
                    "record_unknown_keys",
                    keys=list(unknown),
                    answers=list(unknown.values()),
                    as_of=self.as_of,
                )
            asked = [derived.film.tmdb_id for derived, _ in films] + gone + [f.tmdb_id for f in failed]
            execute(connection, "answer_requests", tmdb_ids=asked, as_of=self.as_of)
            log_work(
                connection, self.run_id, "movie_details", fetched=sum(body is not None for _, body in films),
                changed=stored.added + stored.changed if films else 0, failed=len(failed), gone=len(gone),
            )  # fmt: skip

        self.counts.unknown_keys |= unknown.keys()
        self.database.once(work)
        if films:
            self.counts.accepted += stored.accepted
            self.counts.rejected += stored.rejected
            self.counts.added += stored.added
            self.counts.changed += stored.changed
            self.counts.repaired += sum(bool(derived.film.repairs) for derived, _ in films)


def evaluate(
    connection: sa.Connection, thresholds: FilterProfiles, as_of: datetime, *, are_lists_new: bool
) -> sa.Row[Any]:
    """Evaluate all stored responses and listed films by the profiles; return how many films each way moved."""
    (moved,) = rows(
        connection, "evaluate", day=as_of.date(), profiles=thresholds.as_json, rules=thresholds.name, as_of=as_of,
        are_lists_new=are_lists_new,
    )  # fmt: skip
    return moved


def staged_row(derived: Derived, body: Any) -> tuple[Any, ...]:
    """A film as a row of incoming_films; without a body it was read from the stored response."""
    film = derived.film
    facts = (getattr(film, column) for column in FILM_COLUMNS)
    listed = (list(fact) if isinstance(fact, tuple) else fact for fact in facts)
    stored_body = None if body is None else Jsonb(body)
    flags = (film.adult, film.video, film.softcore)
    return (*listed, *flags, stored_body, derived.text, derived.text_hash, Jsonb(derived.facts), derived.facts_hash)
