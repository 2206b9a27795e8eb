"""Storing responses of TMDB, a chunk in one transaction, and counting the outcomes.

`catalog.movie_details` decides what is fetched and when. `catalog.eligibility` reads a response, and
sql/catalog/store_details.sql writes its rows.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from movie_assets.catalog.detail_checks import Figures
from movie_assets.catalog.eligibility import Derived, derivation_name, derive
from movie_assets.catalog.staged_rows import STAGED_COLUMNS, staged_row
from movie_assets.config.filter_profiles import FilterProfiles
from movie_assets.database.database import Database, copy_rows, execute, fetch_one, fetch_value
from movie_assets.runs.batch_runs import BatchContent, row_counts
from movie_assets.runs.metadata_tables import calls_table
from movie_assets.runs.run_log import log_work
from movie_assets.tmdb.json_values import JsonObject, UnusableResponseError
from movie_assets.tmdb.media import MediaType
from movie_assets.tmdb.responses import CallCounts, Failed, Fetched, NotFound, TmdbResponse
from movie_assets.tmdb.season_plan import NOTHING_KNOWN, RECENT, KnownCatalogue, known_series
from movie_assets.tmdb.series import read_series


class StoredResponse(NamedTuple):
    """A stored response that is to be read again."""

    title_id: int
    body: JsonObject


class KnownResponse(NamedTuple):
    """The seasons, last and next episode that a series had, and when the episodes of some seasons were fetched.

    Of the seasons in `moving`, an episode may still change.
    """

    title_id: int
    body: JsonObject
    numbers: list[int]
    times: list[datetime]
    moving: list[int]


class BatchFilms(NamedTuple):
    """A batch: the number of its films, a hash of their texts, and the number of films of all batches."""

    batch: int
    films: int
    content: str
    total: int


class StoredDetails(NamedTuple):
    """Counts of a stored chunk: films by their eligibility, and those new or changed in the catalogue."""

    accepted: int
    rejected: int
    added: int
    changed: int


class Evaluation(NamedTuple):
    """The number of ids whose eligibility an evaluation changed.

    `let_in` and `put_aside` are the ids that TMDB's lists no longer reject and newly reject, `now_pass` and `now_fail`
    those whose details newly pass and fail the profiles.
    """

    let_in: int
    put_aside: int
    now_pass: int
    now_fail: int


@dataclass
class DetailCounts:
    """Counts of a run, in films unless named otherwise."""

    due: int = 0
    deferred: int = 0
    fetched: int = 0
    accepted: int = 0
    rejected: int = 0
    added: int = 0
    changed: int = 0
    read_again: int = 0
    deleted: int = 0
    failed: int = 0
    repaired: int = 0
    successors: int = 0
    unknown_keys: set[str] = field(default_factory=set)
    calls: CallCounts = field(default_factory=CallCounts)

    @property
    def figures(self) -> Figures:
        """The counts as metadata."""
        return {
            "due": self.due,
            "put_off": self.deferred,
            "fetched": self.fetched,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "added": self.added,
            "changed": self.changed,
            "judged_again": self.read_again,
            "gone": self.deleted,
            "failed": self.failed,
            "repaired": self.repaired,
            "successors": self.successors,
            "calls_by_status": self.calls.by_status,
            "unknown_keys": sorted(self.unknown_keys),
            **({"calls": calls_table(self.calls)} if self.calls.kinds else {}),
        }


class DetailStore:
    """Writes responses for titles of a media type to the database, chunk by chunk, and counts the outcomes."""

    def __init__(
        self,
        database: Database,
        thresholds: FilterProfiles,
        as_of: datetime,
        run_id: str,
        media: MediaType,
        regions: Sequence[str],
    ) -> None:
        self.counts = DetailCounts()
        self.database = database
        self.media = media
        self.step = f"{media.name}_details"
        self._thresholds = thresholds
        self.as_of = as_of
        self.run_id = run_id
        self._regions = list(regions)

    def store(self, responses: Sequence[TmdbResponse]) -> list[Failed]:
        """Store a chunk in one transaction, and return the ids without a usable response."""
        titles: list[tuple[Derived, JsonObject | None]] = []
        deleted: list[int] = []
        failed: list[Failed] = []
        for response in responses:
            match response:
                case NotFound(tmdb_id):
                    deleted.append(tmdb_id)
                case Fetched(tmdb_id, body):
                    try:
                        titles.append((derive(body, tmdb_id, self.media), body))
                    except UnusableResponseError as error:
                        failed.append(Failed(tmdb_id, error.reason, f"{error}: {body!s:.400}"))
                case Failed():
                    failed.append(response)
        self._write(titles, deleted, failed)
        self.counts.fetched += len(titles)
        self.counts.deleted += len(deleted)
        self.counts.failed += len(failed)
        return failed

    def derive_stored_responses(self, batch_numbers: set[int]) -> None:
        """Read stored responses again: those read by another parser, and those of films that became eligible."""
        while chunk := self.database.fetch(
            StoredResponse, "responses_to_derive", batches=sorted(batch_numbers), media=self.media.name,
            derivation=derivation_name(self.media), as_of=self.as_of,
        ):  # fmt: skip
            self._write([(self._derived(response), None) for response in chunk], [], [])
            self.counts.read_again += len(chunk)

    def evaluate(self) -> None:
        """Evaluate all stored responses by the profiles in use, if they were not evaluated for this day yet."""
        self.database.once(lambda connection: evaluate(connection, self._thresholds, self.as_of, are_lists_new=False))

    def plan(self, batch_numbers: set[int], due: int, deferred: int) -> None:
        """Log the numbers of ids that a run checks and skips: `due` films are fetched, `deferred` ones another day."""
        self.counts.due, self.counts.deferred = due + deferred, deferred

        def work(connection: sa.Connection) -> None:
            batches = sorted(batch_numbers)
            open_ids = fetch_value(connection, int, "count_open_ids", batches=batches, media=self.media.name)
            checked = max(open_ids, due + deferred)  # a requested id is fetched although a rule rejects it
            log_work(connection, self.run_id, self.step, checked=checked, skipped=checked - due)

        self.database.once(work)

    def contents(self, batches: Collection[int]) -> dict[int, BatchContent]:
        """Return the content of finished batches: a hash of their texts, and counts of films."""
        rows = self.database.fetch(BatchFilms, "batch_contents", batches=list(batches), media=self.media.name)
        return {row.batch: BatchContent(row.content, row_counts(row.films, row.total)) for row in rows}

    def summary(self) -> str:
        """Return the counts of the run in one line."""
        c = self.counts
        return (
            f"{c.due:,} {self.media.noun} due: {c.fetched:,} fetched, {c.deleted:,} deleted at TMDB, "
            f"{c.failed:,} failed, {c.deferred:,} left for another day; "
            f"{c.read_again:,} stored responses evaluated again. Of these together, {c.accepted:,} accepted "
            f"({c.added:,} new, {c.changed:,} changed), {c.rejected:,} rejected"
        )

    def known(self, tmdb_ids: Sequence[int]) -> KnownCatalogue:
        """Return what the catalogue has of some titles, for the plan of the seasons that are fetched."""
        if not self.media.has_seasons:
            return NOTHING_KNOWN
        rows = self.database.fetch(
            KnownResponse, "known_series", title_ids=[self.media.title_id(tmdb_id) for tmdb_id in tmdb_ids],
            derivation=derivation_name(self.media), since=(self.as_of - RECENT).date(),
        )  # fmt: skip
        series = {}
        for row in rows:
            tmdb_id = self.media.tmdb_id(row.title_id)
            times = dict(zip(row.numbers, row.times, strict=True))
            series[tmdb_id] = known_series(read_series(row.body, tmdb_id), times, row.moving)
        return KnownCatalogue(series, self.as_of)

    def _derived(self, response: StoredResponse) -> Derived:
        return derive(response.body, self.media.tmdb_id(response.title_id), self.media)

    def _write(self, titles: list[tuple[Derived, JsonObject | None]], deleted: list[int], failed: list[Failed]) -> None:
        unknown = Counter(key for _, body in titles if body is not None for key in self.media.unknown_keys(body))
        title_id = self.media.title_id

        def work(connection: sa.Connection) -> StoredDetails:
            stored = StoredDetails(0, 0, 0, 0)
            if titles:
                execute(connection, "stage_films")
                copy_rows(connection, "incoming_films", STAGED_COLUMNS, (staged_row(*title) for title in titles))
                stored = fetch_one(
                    connection, StoredDetails, "store_details", as_of=self.as_of,
                    derivation=derivation_name(self.media), regions=self._regions,
                )  # fmt: skip
            if deleted:
                execute(connection, "mark_gone", title_ids=list(map(title_id, deleted)), as_of=self.as_of)
            if failed:
                self._record_failures(connection, failed)
            if unknown:
                execute(
                    connection, "record_unknown_keys", keys=list(unknown), responses=list(unknown.values()),
                    as_of=self.as_of,
                )  # fmt: skip
            ids = [derived.title.tmdb_id for derived, _ in titles] + deleted + [f.tmdb_id for f in failed]
            execute(connection, "answer_requests", title_ids=list(map(title_id, ids)), as_of=self.as_of)
            log_work(
                connection, self.run_id, self.step, fetched=sum(body is not None for _, body in titles),
                changed=stored.added + stored.changed, failed=len(failed), gone=len(deleted),
            )  # fmt: skip
            return stored

        self.counts.unknown_keys |= unknown.keys()
        stored = self.database.once(work)
        self.counts.accepted += stored.accepted
        self.counts.rejected += stored.rejected
        self.counts.added += stored.added
        self.counts.changed += stored.changed
        self.counts.repaired += sum(bool(derived.title.repairs) for derived, _ in titles)

    def _record_failures(self, connection: sa.Connection, failed: Sequence[Failed]) -> None:
        execute(
            connection, "record_failures", title_ids=[self.media.title_id(f.tmdb_id) for f in failed],
            reasons=[f.reason for f in failed], samples=[f.sample for f in failed], stage=self.step, run_id=self.run_id,
            as_of=self.as_of,
        )  # fmt: skip


def evaluate(
    connection: sa.Connection, thresholds: FilterProfiles, as_of: datetime, *, are_lists_new: bool
) -> Evaluation:  # fmt: skip
    """Evaluate all stored responses and listed films by the profiles, and return how many ids changed their state."""
    return fetch_one(
        connection, Evaluation, "evaluate", media=thresholds.media, day=as_of.date(), profiles=thresholds.as_json,
        rules=thresholds.name, as_of=as_of, are_lists_new=are_lists_new,
    )  # fmt: skip
