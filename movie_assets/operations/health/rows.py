"""The rows of the queries that health runs: one class for each query in sql/operations/queries.sql.

`report` runs the queries; `data` turns their rows into findings.
"""

from datetime import date, datetime
from typing import NamedTuple


class DatabaseState(NamedTuple):
    """The server's version, the size of the database in bytes, and the connections; `pgvector` is a version."""

    version: str
    pgvector: str | None
    bytes: int
    is_read_only: bool
    connections: int
    max_connections: int


class NewestExport(NamedTuple):
    """The newest ID export and its source: `tmdb`, or the emulator with its seed."""

    export_date: date
    source: str


class DueFilms(NamedTuple):
    """The films that are due to be fetched for one reason.

    `movies` is the number of films in the catalogue, and `succeeded_at` the last success of `movie_details`; both are
    the same in each row.
    """

    reason: str
    films: int
    examples: list[int]
    movies: int
    succeeded_at: datetime | None


class FailedIds(NamedTuple):
    """The ids whose last attempt failed for one reason; `failed_often` counts those with five attempts or more.

    `all_ids` is the number of ids whose details are wanted, the same in each row.
    """

    reason: str
    ids: int
    failed_often: int
    examples: list[int]
    all_ids: int


class SetTexts(NamedTuple):
    """An embedding set with the texts of its films, and the outcome of its last run that had texts to embed.

    Without any set there is one row with `set_id` None. `missing` counts films whose text has no vector, `stale` those
    of them that have waited for six hours, `refused` those that the service refused. `begun_by` and `answered_by` are
    the first and the last name of the model in the service's responses. Without a run the counts of the run are 0,
    `run_id` is empty, and `problem` and `ended_at` are None.
    """

    set_id: int | None
    movies: int
    missing: int
    stale: int
    refused: int
    examples: list[int] | None
    name: str
    is_active: bool
    begun_by: str | None
    answered_by: str | None
    run_texts: int
    run_embedded: int
    run_refused: int
    run_in_flight: int
    problem: str | None
    ended_at: datetime | None
    run_id: str


class VectorIndex(NamedTuple):
    """The number of vectors that searches see, and the state of their index."""

    vectors: int
    is_needed: bool
    has_index: bool
    is_valid: bool


class FieldGap(NamedTuple):
    """The films that lack one kind of data that applications show."""

    field: str
    films: int
    missing: int
    examples: list[int] | None


class DuplicateFilms(NamedTuple):
    """The ids of films that may be the same; `identity` describes what they share."""

    identity: str
    ids: list[int]


class StepOutcome(NamedTuple):
    """How a step ended last, and when it last succeeded."""

    step: str
    status: str
    reason: str | None
    run_id: str
    started_at: datetime
    succeeded_at: datetime | None


class TriggerState(NamedTuple):
    """The last decision of a sensor or schedule that launches a job, with its reason."""

    name: str
    job: str
    given_up_at: datetime | None
    reason: str


class UnreachableDestination(NamedTuple):
    """A destination of alerts whose last attempt failed."""

    destination: str
    failing_since: datetime
    last_error: str | None
    failures: int


class CallCount(NamedTuple):
    """The calls to TMDB with one status: an HTTP status or the name of an error."""

    status: str
    calls: int


class Heartbeat(NamedTuple):
    """The last heartbeat of a sensor."""

    name: str
    beat_at: datetime


class LastDecision(NamedTuple):
    """When a trigger last decided something else than before; None if none ever did."""

    decided_at: datetime | None
