"""Ratings of IMDb, Rotten Tomatoes and Metacritic from OMDb, within a number of calls a day.

`ratings.omdb_client` asks, `ratings.omdb_responses` reads a response. Each title is stored by itself, so that a run
that ends early keeps what it has.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import NamedTuple

import dagster as dg
import sqlalchemy as sa

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, execute, fetch_one
from movie_assets.ratings.omdb_client import OmdbClient, OmdbError, OmdbKeyError, OmdbQuotaError
from movie_assets.ratings.omdb_responses import OmdbTitle, UnusableOmdbResponseError, read_title
from movie_assets.ratings.store import Metadata
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of

MAX_FAILURES = 3  # titles in a row; then OMDb is treated as down
OFF = "off: set OMDB_API_KEY to switch it on"


class DueTitle(NamedTuple):
    """A title to ask OMDb about, and the number of all such titles."""

    title_id: int
    imdb_id: str
    titles_due: int


class ReservedCall(NamedTuple):
    """The number of a call in its day, which may be made."""

    calls: int


class StoredTitle(NamedTuple):
    """The number of ratings of a title that are new or changed, and of deleted ones."""

    changed: int
    deleted: int


class OmdbDay(NamedTuple):
    """The calls of a day and what came of them; `used_up_at` is when OMDb refused a call for its quota."""

    day: date
    calls: int
    titles_rated: int
    titles_without: int
    titles_failed: int
    values_read: int
    values_rejected: int
    used_up_at: datetime | None


@dg.asset(group_name="source", kinds={"python", "postgres"}, deps=["movie_details"], pool="omdb")
@logged(
    fetched="titles_asked", changed="ratings_changed", skipped="values_rejected", failed="titles_failed",
    gone="ratings_deleted",
)  # fmt: skip
def omdb_ratings(
    context: dg.AssetExecutionContext,
    database: dg.ResourceParam[Database],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """A title's rating at IMDb, Rotten Tomatoes and Metacritic, from OMDb. Off until OMDB_API_KEY is set.

    Titles are found by their IMDb ids, the most voted first, each again after 90 days (14 in the 90 days after its
    release, 30 when OMDb does not know it). MOVIE_ASSETS_OMDB_CALLS bounds the calls of a day; the next day goes on.
    IMDb's own file goes before the values that OMDb has of IMDb.
    """
    if settings.omdb_api_key is None:
        deleted = database.execute("delete_omdb_ratings")
        context.log.info(OFF)
        return dg.MaterializeResult(metadata={"state": OFF, "ratings_deleted": deleted})
    work = _Work(context, database, settings)
    with OmdbClient(settings.omdb_url, settings.omdb_api_key, work.reserve) as client, work.ending():
        for title in work.due:
            work.ask(client, title)
    context.log.info(work.summary)
    return dg.MaterializeResult(metadata=work.metadata())


class _Work:
    """The titles that are due, and the counts of a run."""

    def __init__(self, context: dg.AssetExecutionContext, database: Database, settings: Settings) -> None:
        self._run_id, self._step = context.run.run_id, context.asset_key.to_user_string()
        self._database = database
        self._as_of = run_time_of(context.run)
        self._most = settings.omdb_calls
        self.due = database.fetch(
            DueTitle, "due_omdb_titles", as_of=self._as_of, media=list(settings.media_types), most=self._most
        )
        self._titles_due = self.due[0].titles_due if self.due else 0
        self._counts = Counter[str]()
        self._failed_in_a_row = 0
        self._end = "all titles that are due were asked for"

    def reserve(self) -> bool:
        """Count a call, and return whether it may be made."""
        return bool(
            self._database.execute_returning(ReservedCall, "reserve_omdb_call", day=self._as_of.date(), most=self._most)
        )

    @contextmanager
    def ending(self) -> Iterator[None]:
        """End the work when the calls are used up. Raises Failure when OMDb refuses the key or is down."""
        problem = None
        try:
            yield
        except OmdbQuotaError as error:
            if error.by_omdb:
                self._database.execute("record_omdb_quota", day=self._as_of.date(), as_of=self._as_of)
            self._end = "the calls of the day are used up: the next day (UTC) goes on"
        except OmdbKeyError:
            problem = "OMDb refuses the key: is OMDB_API_KEY right, and was it activated by the link in OMDb's mail?"
        except OmdbError as error:
            problem = f"OMDb gave no usable response for {MAX_FAILURES} titles in a row ({error})"
        if problem:
            message = f"{problem} {self.summary}; what was stored stays"
            raise dg.Failure(message, self.metadata(), allow_retries=False)

    def ask(self, client: OmdbClient, title: DueTitle) -> None:
        """Ask OMDb about a title and store the response. Raises OmdbError after several failures in a row."""
        reason = ""
        try:
            response: OmdbTitle | None = read_title(client.title(title.imdb_id), title.imdb_id)
            self._failed_in_a_row = 0
        except (OmdbError, UnusableOmdbResponseError) as error:
            response, reason = None, str(error)
            self._failed_in_a_row += 1
        stored = self._database.once(lambda connection: self._store(connection, title, response, reason))
        self._counts.update({"titles_asked": 1, "ratings_changed": stored.changed, "ratings_deleted": stored.deleted})
        self._counts["titles_failed"] += response is None
        self._counts["values_rejected"] += len(response.rejected) if response else 0
        if self._failed_in_a_row >= MAX_FAILURES:
            raise OmdbError(reason)

    def _store(
        self, connection: sa.Connection, title: DueTitle, response: OmdbTitle | None, reason: str
    ) -> StoredTitle:
        stored = StoredTitle(0, 0)
        rejects = [("unusable_response", f"{title.imdb_id} {reason}")] if response is None else []
        if response is not None:
            rejects = [(value.reason, value.sample) for value in response.rejected]
            stored = fetch_one(
                connection, StoredTitle, "store_omdb_ratings", title_id=title.title_id, as_of=self._as_of,
                ratings=json.dumps([rating._asdict() for rating in response.ratings]),
                rejected=[value.source for value in response.rejected],
            )  # fmt: skip
        outcome = response.outcome if response else "failed"
        execute(
            connection, "record_omdb_title", title_id=title.title_id, imdb_id=title.imdb_id, outcome=outcome,
            as_of=self._as_of,
        )  # fmt: skip
        execute(
            connection, "count_omdb_title", day=self._as_of.date(), outcome=outcome,
            values=len(response.ratings) if response else 0, rejected=len(response.rejected) if response else 0,
        )  # fmt: skip
        if rejects:
            execute(
                connection, "record_rejects", stage=self._step, reasons=[why for why, _ in rejects],
                samples=[sample for _, sample in rejects], run_id=self._run_id, as_of=self._as_of,
            )  # fmt: skip
        return stored

    @property
    def summary(self) -> str:
        """The log line of the run."""
        counts = self._counts
        return (
            f"{counts['titles_asked']:,} of {self._titles_due:,} titles asked for, {counts['ratings_changed']:,} "
            f"ratings new or changed, {counts['values_rejected']:,} values rejected; {self._end}"
        )

    def metadata(self) -> Metadata:
        """Return the counts of the run."""
        names = ("titles_asked", "titles_failed", "ratings_changed", "ratings_deleted", "values_rejected")
        counts: Metadata = {name: self._counts[name] for name in names}
        return counts | {"titles_due": self._titles_due, "state": self._end}
