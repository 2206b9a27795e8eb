"""Films and the rows around them, compared with the stored responses that they were made from.

The responses are read by the same parser as when they were fetched, in chunks of a hundred, so that memory does not
grow with the catalogue. Which rows follow from a response is `pipeline.response_tables`; how they are compared,
sql/operations/compare_responses.sql.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from movie_assets.catalog.detail_store import STAGED_COLUMNS, staged_row
from movie_assets.catalog.eligibility import Derived, derivation_name, derive
from movie_assets.database.database import Database, copy_rows, execute, rows
from movie_assets.operations.agreements import Agreement
from movie_assets.runs.partitions import BATCH_COUNT
from movie_assets.tmdb.movies import UnusableResponseError

CHUNK = 100  # films in one transaction
RESPONSES = "each film and each row around it is what its stored response says"
SHARED = "each person, genre, keyword, company, collection and provider is what a stored response says"


class ResponseComparison:
    """Compares the films of all batches with their responses; with `repair`, writes what differs from them again."""

    def __init__(self, database: Database, as_of: datetime, *, repair: bool) -> None:
        self.films, self.shared = Agreement(RESPONSES), Agreement(SHARED)
        self.unusable: list[int] = []  # films whose response cannot be read
        self.left: list[int] = []  # batches that another run is working on
        self._database = database
        self._as_of = as_of
        self._repair = repair

    def run(self) -> list[Agreement]:
        """Compare everything; a batch that another run is working on is left out."""
        self._database.execute("clear_claims")
        for batch in range(BATCH_COUNT):
            with self._database.batch_locks([batch], "movie_details") as ours:
                if not ours:
                    self.left.append(batch)
                    continue
                after: int | None = 0
                while after is not None:
                    after = self._chunk(batch, after)
        self._compare_shared_rows()
        if self._repair and self.unusable:
            self._database.execute("fetch_again", tmdb_ids=self.unusable, as_of=self._as_of)
            self.films.repaired += len(self.unusable)
        return [self.films, self.shared]

    def _chunk(self, batch: int, after: int) -> int | None:
        """Compare the next films of a batch; returns the last one's id, or None when there is none left."""
        name = derivation_name()
        found = self._database.rows("responses_after", batch=batch, after=after, derivation=name, films=CHUNK)
        derived = [film for row in found if (film := self._read(row)) is not None]

        def work(connection: sa.Connection) -> list[sa.Row[Any]]:
            execute(connection, "stage_films")
            copy_rows(connection, "incoming_films", STAGED_COLUMNS, (staged_row(film, None) for film in derived))
            differing = list(rows(connection, "compare_responses"))
            if differing and self._repair:
                tmdb_ids = sorted({row.tmdb_id for row in differing})
                execute(connection, "keep_incoming_films", tmdb_ids=tmdb_ids)
                execute(connection, "forget_rows", tmdb_ids=tmdb_ids)
                rows(connection, "store_details", as_of=self._as_of, derivation=name)
            return differing

        if derived:
            differing = self._database.once(work)
            for row in differing:
                self.films.differs(row.table_name, row.tmdb_id, row.column_names, row.what)
            self.films.repaired += len(differing) if self._repair else 0
        return found[-1].tmdb_id if found else None

    def _read(self, row: sa.Row[Any]) -> Derived | None:
        """Read a response; None when it cannot be read."""
        self.films.rows_compared += 1
        try:
            return derive(row.body, row.tmdb_id)
        except UnusableResponseError as error:
            self.unusable.append(row.tmdb_id)
            self.films.differs("raw_details", row.tmdb_id, [error.reason])
            return None

    def _compare_shared_rows(self) -> None:
        self.shared.rows_compared = self._database.row("count_claims").claims
        for row in self._database.rows("compare_shared_rows"):
            self.shared.differs(row.table_name, row.id, row.column_names, row.what)
        if (
            self._repair
        ):  # also what only movies that left said; that is no difference, but there may be a newer response
            written = self._database.row("repair_shared_rows").repaired
            self.shared.repaired = min(written, self.shared.rows_differing)
        self._database.execute("clear_claims")
