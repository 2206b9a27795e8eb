"""The run log: a row of pipeline.run_log for each step of each run, however the step ends.

`logged` decorates an asset's function. Figures are added with each chunk of work (`log_work`, in the chunk's
transaction), or from the metadata that the asset reports at its end. The asset's figures become its metadata under the
log's names, so that the web UI draws charts of them; so does the number of rows of its table (`presentation.table_of`),
unless the asset reports it itself. An open row without a holder of its run's lock (`database.run_lock`) is that of a
killed step; the next step that begins closes it.
"""

import functools
import inspect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, NamedTuple, SupportsFloat, TypeVar, get_args

import dagster as dg
import sqlalchemy as sa

from movie_assets.database.database import Database, execute
from movie_assets.runs.memory import return_freed_memory
from movie_assets.runs.presentation import table_of
from movie_assets.runs.run_time import run_time_of, trigger_of

Figure = Literal["checked", "skipped", "fetched", "changed", "failed", "gone", "embedded", "tokens", "dollars"]
FIGURES: tuple[Figure, ...] = get_args(Figure)
ROW_COUNT = "dagster/row_count"
NOTHING = dict.fromkeys(FIGURES, 0)
Body = TypeVar("Body", bound=Callable[..., object])
Entries = Mapping[str, Sequence[str]]  # of an asset's metadata, for each figure of the log


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

    `counted` are the figures that the asset adds itself (`log_work`). `names` has the entries of its metadata whose sum
    is a figure of the log: `@logged(checked="rows_in", changed=("made", "moved"))` below `@dg.asset`. Other figures are
    not reported. The asset has a resource `database`. Raises ValueError for a figure that the log does not have. A
    test holds that each entry is one that its asset reports.
    """
    if unknown := {*counted, *names} - {*FIGURES}:
        raise ValueError(f"the run log has no figures {', '.join(sorted(unknown))}; it has {', '.join(FIGURES)}")
    entries = {figure: (of,) if isinstance(of, str) else of for figure, of in names.items()}
    of_asset = (*counted, *names, "duration")

    def decorate(body: Body) -> Body:
        if inspect.isgeneratorfunction(body):
            return _logged_generator(body, entries, of_asset)  # type: ignore[return-value]  # it has the same signature
        return _logged_function(body, entries, of_asset)  # type: ignore[return-value]  # as above

    return decorate


def _logged_function(body: Callable[..., object], entries: Entries, reported: Collection[str]) -> Callable[..., object]:
    """Return an asset's function that returns its only result."""

    @functools.wraps(body)
    def run(*given: object, **resources: object) -> object:
        with _row(dg.AssetExecutionContext.get(), _database_in(resources)) as row:
            result = _result(body(*given, **resources))
            row.add(_figures(result.metadata or {}, entries))
        return row.completed(result, reported)

    return run


def _logged_generator(
    body: Callable[..., Iterator[object]], entries: Entries, reported: Collection[str]
) -> Callable[..., Iterator[object]]:
    """Return an asset's function that yields its events; a result among them is yielded last."""

    @functools.wraps(body)
    def run(*given: object, **resources: object) -> Iterator[object]:
        context = dg.AssetExecutionContext.get()
        last: dg.MaterializeResult[None] | None = None
        row = None
        try:
            with _row(context, _database_in(resources)) as row:
                for event in body(*given, **resources):
                    if isinstance(event, dg.MaterializeResult):
                        last = event
                        row.add(_figures(event.metadata or {}, entries))
                    else:
                        yield event
        except Exception:
            if row is not None:
                yield from row.observed(context, reported)
            raise
        if last is not None:
            yield row.completed(last, reported)
        else:
            yield from row.observed(context, reported)

    return run


def _result(event: object) -> dg.MaterializeResult[None]:
    if not isinstance(event, dg.MaterializeResult):
        raise TypeError(f"an asset in the run log returns a MaterializeResult, not {type(event).__name__}")
    return event


def _database_in(resources: Mapping[str, object]) -> Database:
    database = resources["database"]
    if not isinstance(database, Database):
        raise TypeError(f"the resource `database` is a {type(database).__name__}")
    return database


@dataclass
class _Row:
    """A step's open row; `figures` has its figures when it is closed."""

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
        """Return the number of rows of the asset's table as metadata; nothing without a table."""
        table = table_of(self.step)
        return {} if table is None else {ROW_COUNT: self.database.fetch_value(int, "count_rows", table=table.name)}

    def reported(self, names: Collection[str]) -> dict[str, float]:
        """Return the figures with these names."""
        return {name: self.figures[name] for name in names if name in self.figures}

    def completed(self, result: dg.MaterializeResult[None], names: Collection[str]) -> dg.MaterializeResult[None]:
        """Return the result with the asset's figures and the number of its table's rows in its metadata."""
        own = result.metadata or {}
        count = {} if ROW_COUNT in own else self.row_count()
        return result._replace(metadata={**self.reported(names), **count, **own})

    def observed(self, context: dg.AssetExecutionContext, names: Collection[str]) -> Iterator[dg.AssetObservation]:
        """Yield the asset's figures as an observation, for a step without a materialization.

        When a step fails, Dagster drops the events that it passed to `context.log_event` after its last result.
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
    """Open a step's row; close it with the step's status at its end. What steps before it freed is no longer kept."""
    return_freed_memory()
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
        _close_after_error(context, row, "failed", _reason(error))
        raise
    except BaseException as signal:  # cancelled in the web UI, Ctrl-C, SIGTERM
        _close_after_error(context, row, "stopped", type(signal).__name__)
        raise
    else:
        row.close("succeeded", None)


def _close_after_error(context: dg.AssetExecutionContext, row: _Row, status: str, reason: str) -> None:
    """Close the row of a step that an error ends; an error of closing must not replace that error."""
    try:
        row.close(status, reason)
    except sa.exc.DBAPIError:
        context.log.warning("the run log could not be closed; the next step will mark its row as killed")


def _reason(error: Exception) -> str:
    """Return the message of an error; that of a database's error without the statement and its parameters."""
    if isinstance(error, dg.Failure) and error.description:
        return error.description
    return f"{type(error).__name__}: {getattr(error, 'orig', None) or error}"


def _job(name: str) -> str:
    return "materialize" if name.startswith("__") else name


def _figures(metadata: Mapping[str, object], entries: Entries) -> dict[str, float]:
    """Return the figures among an asset's metadata; an asset that had nothing to do leaves entries out."""
    return {figure: sum(_number(metadata.get(name, 0)) for name in names) for figure, names in entries.items()}


def _number(entry: object) -> float:
    """Return the number of an entry, which is a number or a metadata value of one. Raises TypeError."""
    value: object = getattr(entry, "value", entry)
    if not isinstance(value, SupportsFloat):
        raise TypeError(f"a figure of the run log is a number, not {value!r}")
    return float(value)
