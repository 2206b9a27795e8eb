"""The run log: a row of pipeline.run_log for each step of each run, however the step ends.

`logged` goes around an asset's body. Figures come with each chunk of work (`log_work`, in the chunk's transaction), or
from the metadata that the asset reports in the end. Those that the asset has are metadata of it under the log's names,
so that the web UI charts them. So is the number of rows of its table (`presentation.table_of`), unless the asset
reports it by itself. A row that is open while nobody holds its run's lock (`database.run_lock`) is of a step that was
killed; the next step that begins closes it.
"""

import functools
import inspect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeVar, get_args

import dagster as dg
import sqlalchemy as sa

from movie_assets.database.database import Database, execute
from movie_assets.runs.presentation import table_of
from movie_assets.runs.run_time import run_time_of, trigger_of

Figure = Literal["checked", "skipped", "fetched", "changed", "failed", "gone", "embedded", "tokens", "dollars"]
FIGURES: tuple[Figure, ...] = get_args(Figure)
ROW_COUNT = "dagster/row_count"
NOTHING = dict.fromkeys(FIGURES, 0)
Body = TypeVar("Body", bound=Callable[..., Any])


class StepId(NamedTuple):
    """The row of the run log that a step has opened."""

    log_id: int


class StepFigures(NamedTuple):
    """The figures of a step that has ended; its duration in seconds."""

    checked: int
    skipped: int
    fetched: int
    changed: int
    failed: int
    gone: int
    embedded: int
    tokens: int
    dollars: float
    duration: float


def log_work(connection: sa.Connection, run_id: str, step: str, **figures: float) -> None:
    """Add figures to a step's row, in the transaction of the work that they count."""
    execute(connection, "log_work", run_id=run_id, step=step, **NOTHING | figures)


def logged(*counted: Figure, **names: str | tuple[str, ...]) -> Callable[[Body], Body]:
    """Log an asset's runs, and report its figures as metadata.

    `counted` are the figures that the asset adds up itself (`log_work`). `names` says which entries of its metadata,
    added up, are which figure of the log: `@logged(checked="rows_in", changed=("made", "moved"))` below `@dg.asset`.
    Other figures are not reported. The asset has a resource `database`. Raises ValueError for a figure that the log
    does not have. A test holds that each entry is one that its asset reports.
    """
    if unknown := {*counted, *names} - {*FIGURES}:
        raise ValueError(f"the run log has no figures {', '.join(sorted(unknown))}; it has {', '.join(FIGURES)}")
    entries = {figure: (of,) if isinstance(of, str) else of for figure, of in names.items()}
    of_asset = (*counted, *names, "duration")

    def around(body: Body) -> Body:
        @functools.wraps(body)
        def run(*given: Any, **resources: Any) -> Any:
            context = dg.AssetExecutionContext.get()
            with _row(context, resources["database"]) as row:
                result: dg.MaterializeResult[Any] = body(*given, **resources)
                row.add(_figures(result.metadata or {}, entries))
            return row.completed(result, of_asset)

        @functools.wraps(body)
        def run_step_by_step(*given: Any, **resources: Any) -> Iterator[Any]:
            context = dg.AssetExecutionContext.get()
            last: dg.MaterializeResult[Any] | None = None
            row = None
            try:
                with _row(context, resources["database"]) as row:
                    for result in body(*given, **resources):
                        if isinstance(result, dg.MaterializeResult):
                            last = result
                            row.add(_figures(result.metadata or {}, entries))
                        else:
                            yield result
            except Exception:
                if row is not None:
                    yield from row.observed(context, of_asset)
                raise
            if last is not None:
                yield row.completed(last, of_asset)
            else:
                yield from row.observed(context, of_asset)

        return run_step_by_step if inspect.isgeneratorfunction(body) else run  # type: ignore[return-value]

    return around


@dataclass
class _Row:
    """A step's open row; `figures` is what it came to, once it is closed."""

    database: Database
    run_id: str
    step: str
    log_id: int
    figures: Mapping[str, float]

    def add(self, figures: Mapping[str, float]) -> None:
        def work(connection: sa.Connection) -> None:
            log_work(connection, self.run_id, self.step, **figures)

        self.database.once(work)

    def row_count(self) -> dict[str, int]:
        """Count the rows of the asset's table, if it has one."""
        table = table_of(self.step)
        return {} if table is None else {ROW_COUNT: self.database.fetch_value(int, "count_rows", table=table.name)}

    def reported(self, names: Collection[str]) -> dict[str, float]:
        """Return those of the figures that an asset has."""
        return {name: self.figures[name] for name in names if name in self.figures}

    def completed(self, result: dg.MaterializeResult[Any], names: Collection[str]) -> dg.MaterializeResult[Any]:
        """Add the asset's figures and the number of its table's rows to its metadata."""
        own = result.metadata or {}
        count = {} if ROW_COUNT in own else self.row_count()
        return result._replace(metadata={**self.reported(names), **count, **own})

    def observed(self, context: dg.AssetExecutionContext, names: Collection[str]) -> Iterator[dg.AssetObservation]:
        """Yield the asset's figures where no materialization has them.

        Dagster drops what a step passed to `context.log_event` after its last result when the step fails.
        """
        if any(self.figures.get(name) for name in FIGURES):
            yield dg.AssetObservation(context.asset_key, metadata=self.reported(names))

    def close(self, status: str, reason: str | None) -> None:
        (ended,) = self.database.execute_returning(
            StepFigures, "end_step", log_id=self.log_id, status=status, reason=reason
        )
        self.figures = ended._asdict()


@contextmanager
def _row(context: dg.AssetExecutionContext, database: Database) -> Iterator[_Row]:
    """Open a step's row; close it as the step ends."""
    run, step = context.run, context.asset_key.to_user_string()
    trigger, triggered_by = trigger_of(run.tags)
    (begun,) = database.execute_returning(
        StepId, "begin_step", run_id=run.run_id, job=_job(run.job_name), step=step, trigger=trigger,
        triggered_by=triggered_by, as_of=run_time_of(run),
    )  # fmt: skip
    row = _Row(database, run.run_id, step, begun.log_id, {})
    try:
        yield row
    except Exception as error:
        _close_broken(context, row, "failed", _told(error))
        raise
    except BaseException as signal:  # cancelled in the web UI, Ctrl-C, SIGTERM
        _close_broken(context, row, "stopped", type(signal).__name__)
        raise
    else:
        row.close("succeeded", None)


def _close_broken(context: dg.AssetExecutionContext, row: _Row, status: str, reason: str) -> None:
    """Close the row of a step that an error ends; what cannot be written must not take that error's place."""
    try:
        row.close(status, reason)
    except sa.exc.DBAPIError:
        context.log.warning("the run log could not be closed; the next step finds its row and calls it killed")


def _told(error: Exception) -> str:
    """The reason in words; of a database's error without the statement and its parameters."""
    if isinstance(error, dg.Failure) and error.description:
        return error.description
    return f"{type(error).__name__}: {getattr(error, 'orig', None) or error}"


def _job(name: str) -> str:
    return "materialize" if name.startswith("__") else name


def _figures(metadata: Mapping[str, Any], entries: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Return the figures among an asset's metadata; an asset that had nothing to do leaves entries out."""
    return {figure: sum(_number(metadata.get(name, 0)) for name in names) for figure, names in entries.items()}


def _number(entry: Any) -> float:
    """Return the number of an entry, which is a number or a metadata value of one."""
    return float(getattr(entry, "value", entry))
