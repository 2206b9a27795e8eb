"""Compares films and their related rows with the stored responses that they were made from.

Responses are read again in chunks, so that memory does not grow with the catalogue. `pipeline.response_tables` lists
the tables that responses fill, and sql/operations/compare_responses.sql compares them.
"""

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from movie_assets.catalog.eligibility import Derived, derivation_name, derive
from movie_assets.catalog.staged_rows import STAGED_COLUMNS, staged_row
from movie_assets.database.database import Database, copy_rows, execute, fetch
from movie_assets.operations.agreements import Agreement
from movie_assets.tmdb.json_values import JsonObject, UnusableResponseError
from movie_assets.tmdb.media import ALL, MediaType

CHUNK = 100  # films in one transaction
RESPONSES = "each film and each row around it is what its stored response says"
SHARED = "each person, genre, keyword, company, collection and provider is what a stored response says"


class StoredResponse(NamedTuple):
    """The stored response of an accepted film."""

    title_id: int
    body: JsonObject


class FilledBatch(NamedTuple):
    """A batch that has accepted titles of a media type."""

    media: str
    batch: int


class ResponseDifference(NamedTuple):
    """A row of a film that differs from its response; `column_names` is None when the whole row differs."""

    title_id: int
    table_name: str
    column_names: list[str] | None
    state: str


class SharedDifference(NamedTuple):
    """A person, genre or other shared row that no response describes; `id` is its key."""

    table_name: str
    id: int
    column_names: list[str] | None
    state: str


class RepairedRows(NamedTuple):
    """The number of rows that a repair wrote."""

    repaired: int


class ResponseComparison:
    """Compares the films of all batches with their responses; with `repair`, writes rows that differ again.

    `unusable` has the ids of films whose response cannot be read, `skipped` the batches of other runs.
    """

    def __init__(self, database: Database, as_of: datetime, *, repair: bool) -> None:
        self.films, self.shared = Agreement(RESPONSES), Agreement(SHARED)
        self.unusable: list[int] = []
        self.skipped: list[int] = []
        self._database = database
        self._as_of = as_of
        self._repair = repair

    def run(self) -> list[Agreement]:
        """Compare all batches but the skipped ones, then the shared rows; return both agreements."""
        self._database.execute("clear_claims")
        filled = self._database.fetch(FilledBatch, "batches_with_accepted")
        for media, batch in ((media, each.batch) for media in ALL for each in filled if each.media == media.name):
            with self._database.batch_locks([batch], f"{media.name}_details") as ours:
                if not ours:
                    self.skipped.append(batch)
                    continue
                after: int | None = media.first_title_id
                while after is not None:
                    after = self._chunk(media, batch, after)
        self._compare_shared_rows()
        if self._repair and self.unusable:
            self._database.execute("fetch_again", title_ids=self.unusable, as_of=self._as_of)
            self.films.repaired += len(self.unusable)
        return [self.films, self.shared]

    def _chunk(self, media: MediaType, batch: int, after: int) -> int | None:
        """Compare the next titles of a batch; return the last one's id, or None when there is none left."""
        name = derivation_name(media)
        responses = self._database.fetch(
            StoredResponse, "responses_after", batch=batch, after=after, derivation=name, films=CHUNK, media=media.name
        )
        derived = [title for response in responses if (title := self._read(media, response)) is not None]

        def work(connection: sa.Connection) -> list[ResponseDifference]:
            execute(connection, "stage_films")
            copy_rows(connection, "incoming_films", STAGED_COLUMNS, (staged_row(film, None) for film in derived))
            differing = fetch(connection, ResponseDifference, "compare_responses")
            if differing and self._repair:
                title_ids = sorted({row.title_id for row in differing})
                execute(connection, "keep_incoming_films", title_ids=title_ids)
                execute(connection, "forget_rows", title_ids=title_ids)
                execute(connection, "store_details", as_of=self._as_of, derivation=name, regions=[])  # none are fetched
            return differing

        if derived:
            differing = self._database.once(work)
            for row in differing:
                self.films.add_difference(row.table_name, row.title_id, row.column_names, row.state)
            self.films.repaired += len(differing) if self._repair else 0
        return responses[-1].title_id if responses else None

    def _read(self, media: MediaType, response: StoredResponse) -> Derived | None:
        """Read a response again; None when it cannot be read, which is a difference."""
        self.films.rows_compared += 1
        try:
            return derive(response.body, media.tmdb_id(response.title_id), media)
        except UnusableResponseError as error:
            self.unusable.append(response.title_id)
            self.films.add_difference("title_details", response.title_id, [error.reason])
            return None

    def _compare_shared_rows(self) -> None:
        self.shared.rows_compared = self._database.fetch_value(int, "count_claims")
        for row in self._database.fetch(SharedDifference, "compare_shared_rows"):
            self.shared.add_difference(row.table_name, row.id, row.column_names, row.state)
        if self._repair:
            # This also writes rows that only films named that left: they are no difference, but may have newer claims.
            (written,) = self._database.execute_returning(RepairedRows, "repair_shared_rows")
            self.shared.repaired = min(written.repaired, self.shared.rows_differing)
        self._database.execute("clear_claims")
