"""The index of nearest neighbours of an embedding set: building it, and tuning searches until they find the nearest.

pgvector's index finds the nearest films only if a search visits enough films of its graph. How many are enough differs
from model to model and grows with the catalogue, so it is measured: sql/search/set_quality.sql has the measurement,
sql/search/nearest_movies.sql what searches do with the number.
"""

from typing import NamedTuple

import dagster as dg
import sqlalchemy as sa

from movie_assets.database.database import Database, driver_connection
from movie_assets.embeddings.sets import build_vector_index

MIN_RECALL = 0.99  # share of the ten nearest films that searches have to find, with each filter and without
MAX_MS = 25.0  # 19 of 20 searches are to be faster, else an index with other options is tried
SPILLED = "graph no longer fits"  # in pgvector's notice when a build exceeds maintenance_work_mem
NOT_PARALLEL = "without parallel workers"  # in the warning of pipeline.build_index when shared memory is too small


class TuningStep(NamedTuple):
    """A number of films that searches visited, and the filter with the least recall; None when no film could be found.

    `p95_ms` is the 95th percentile of the times of all searches.
    """

    ef_search: int
    recall_at_10: float | None
    says: str | None
    p95_ms: float | None

    @property
    def holds(self) -> bool:
        """Whether searches find what they have to."""
        return self.recall_at_10 is None or self.recall_at_10 >= MIN_RECALL

    @property
    def is_fast(self) -> bool:
        """Whether searches are fast enough."""
        return self.p95_ms is None or self.p95_ms <= MAX_MS


class SearchTuning(NamedTuple):
    """How far searches of a set go in the graph, None until it was measured, and what was changed for that."""

    ef_search: int | None
    tuning: str | None


def build_index(log: dg.DagsterLogManager, database: Database, set_id: int, *, anew: bool = False) -> bool:
    """Build the index of a set if it needs one and has no valid one, or a new one with `anew`; return whether it did.

    Searches compare all films of a set that needs none (`catalog.compared_below`), and use an old index meanwhile. Logs
    a warning when the server had too little memory for the build.
    """
    notices: list[str] = []

    def build(connection: sa.Connection) -> bool:
        raw = driver_connection(connection)
        raw.add_notice_handler(keep := lambda notice: notices.append(notice.message_primary or ""))
        try:
            return build_vector_index(connection, set_id, anew=anew)
        finally:
            raw.remove_notice_handler(keep)

    is_built = database.once(build)
    for notice in notices:
        if SPILLED in notice:
            log.warning(f"building the index took longer than it should: {notice}")
        if NOT_PARALLEL in notice:
            log.warning(notice)
    return is_built


def tune_searches(log: dg.DagsterLogManager, database: Database, set_id: int, *, anew: bool) -> None:
    """Raise the number of films that searches of a set visit until they find the nearest films, if it needs an index.

    With `anew` the number is measured from the beginning, as for a new index; otherwise from the present one. An index
    with the options of an older release is replaced when no number is enough, or none is fast enough.
    """
    if not database.fetch_value(bool, "index_is_needed", set_id=set_id):
        return
    steps = _steps(database, set_id, anew=anew)
    sentences = [_summary(steps)] if len(steps) > 1 else []
    if not (steps[-1].holds and steps[-1].is_fast) and not database.fetch_value(
        bool, "index_is_current", set_id=set_id
    ):
        log.info(f"the index is built anew, while searches use the old one: {_figures(steps[-1])}")
        build_index(log, database, set_id, anew=True)
        steps = _steps(database, set_id, anew=True)
        sentences += [f"the index was replaced by one with more links between films: {_figures(steps[-1])}"]
    if sentences:
        log.info("; ".join(sentences))
        database.execute("record_tuning", set_id=set_id, tuning="; ".join(sentences))


def _steps(database: Database, set_id: int, *, anew: bool) -> list[TuningStep]:
    """Return each number of films that was tried; the last one is in use."""
    return database.execute_returning(TuningStep, "tune_searches", set_id=set_id, goal=MIN_RECALL, anew=anew)


def _summary(steps: list[TuningStep]) -> str:
    first, last = steps[0], steps[-1]
    return (
        f"searches visit {last.ef_search} films of the graph instead of {first.ef_search}, with which they found "
        f"{first.recall_at_10 or 0:.3f} of the ten nearest (filter: {first.says}); now {_figures(last)}"
    )


def _figures(step: TuningStep) -> str:
    return (
        f"with {step.ef_search} visited films searches find at least {step.recall_at_10 or 0:.3f} of the ten nearest, "
        f"19 of 20 within {step.p95_ms or 0:.0f} ms"
    )
