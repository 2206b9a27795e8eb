"""A run over several batches, in which each batch is materialized when its own work is done.

Otherwise a step over 64 batches that fails in one of them would leave 64 failed ones. So each batch is logged as a
materialization of its own as soon as the database has all of it, with a hash of its content as data version. At its end
the step emits its output, so that the following steps of the run continue with the good batches
(`orchestration.executor`), and fails if a batch did.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import dagster as dg
from pydantic import Field

from movie_assets.runs.dagster_compat import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION
from movie_assets.runs.metadata_tables import shown_table
from movie_assets.runs.partitions import batches_of_run

SECONDS_BETWEEN_REPORTS = 2.0
NAMES_SHOWN = 6
DATA_VERSION_TAGS = ("dagster/data_version", "dagster/data_version_is_user_provided")
NO_VALUE = cast("dg.DagsterType", dg.Nothing)  # the type of a batch asset's output: its rows are in Postgres
# Dagster logs a materialization of each partition of the run when a step emits its output, with one data version for
# all and for failed batches, too. An output with this metadata is emitted without them; tests hold that it is.
NO_FURTHER_MATERIALIZATION = {SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION: True}


@dataclass(frozen=True)
class BatchContent:
    """The content of a finished batch: its data version and figures for the web UI."""

    data_version: str
    metadata: Mapping[str, int | float | str]


def row_counts(in_batch: int, in_table: int) -> Mapping[str, int]:
    """Return the numbers of rows of a batch and of the whole table, under Dagster's own metadata keys."""
    return {"dagster/partition_row_count": in_batch, "dagster/row_count": in_table}


def listed(names: Collection[str]) -> str:
    """Return names as one line: all of them, or the first six and the number of the others."""
    first = ", ".join(list(names)[:NAMES_SHOWN])
    return first if len(names) <= NAMES_SHOWN else f"{first} and {len(names) - NAMES_SHOWN} more"


def amiss(counts: Mapping[str, int]) -> str | None:
    """Return the counts of a check that should all be zero as one line; None when they are."""
    errors = [f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count]
    return f"{', '.join(errors)}; none may be" if errors else None


class ForceConfig(dg.Config):
    """Whether work that is done is repeated."""

    force: bool = Field(
        default=False,
        description="Repeat the work of the whole batch, and not only the work that is due. Budgets still apply. A run "
        "that is repeated after a failure continues where the previous run ended.",
    )


def what_is_done(verb: str, things: str, due: int, forced: int | None) -> str:
    """Return the first line of a run's log: how much work it does, and how to repeat all of it.

    `forced` is the number of things that are done again; None without force.
    """
    if forced is None:
        return f"{verb} only what is due: {due:,} {things}; to do every one of the batch again, launch with force: true"
    return f"force: true, so {verb} {forced:,} {things} again, and {due:,} that are due"


class BatchRun:
    """Counts the work left in each batch of a run, reports finished batches and records failed ones."""

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        unit: str,
        contents_of: Callable[[Collection[int]], Mapping[int, BatchContent]],
    ) -> None:
        self.batches = batches_of_run(context)
        self.problems: dict[int, str] = {}
        self._context = context
        self._unit = unit
        self._contents_of = contents_of
        self._planned: Counter[int] = Counter()
        self._left: Counter[int] = Counter()
        self._total = 0
        self._done = 0
        self._started = self._reported = time.monotonic()

    def exclude_locked(self, locked: set[int]) -> None:
        """Mark the batches as failed that this run has not `locked`, as another run works on them."""
        for batch in self.batches.keys() - locked:
            self.problems[batch] = "another run is working on this batch; run it again when that one has ended"

    def plan(self, work: Iterable[int]) -> None:
        """Set the work of the run, one batch number for each unit; batches without work are finished at once."""
        self._planned = Counter(work)
        self._left = self._planned.copy()
        self._total = self._left.total()
        self._context.log.info(
            f"{self._total:,} {self._unit} to do in {len(self._left)} of {len(self.batches)} batches"
        )
        self._finish([batch for batch in self.batches if not self._left[batch]])

    def advance(self, work: Iterable[int]) -> None:
        """Count units as done and committed; batches without further units are reported."""
        units = Counter(work)
        self._done += units.total()
        self._left.subtract(units)
        self._finish([batch for batch in units if not self._left[batch]])
        now = time.monotonic()
        if now - self._reported >= SECONDS_BETWEEN_REPORTS or self._done == self._total:
            self._reported = now
            rate = self._done / max(now - self._started, 1e-3)
            left = (self._total - self._done) / rate if rate else 0
            self._context.log.info(
                f"{self._done:,} of {self._total:,} {self._unit}, {rate:,.0f} a second, about {left:,.0f} s left"
            )

    def fail(self, batch: int, problem: str) -> None:
        """Mark a batch as failed; its committed rows stay."""
        self.problems.setdefault(batch, problem)

    def fail_unfinished(self, problem: str) -> None:
        """Mark every batch with work left as failed."""
        for batch, left in self._left.items():
            if left:
                self.fail(batch, problem)

    def end(self) -> Iterator[dg.Output[None]]:
        """Emit the step's output if at least one batch is good; raise Failure if at least one is not."""
        if len(self.problems) < len(self.batches):
            yield dg.Output(None, metadata=NO_FURTHER_MATERIALIZATION)
        if self.problems:
            raise self._failure()

    def _failure(self) -> dg.Failure:
        """Return a failure that names the batches with their problems, and says what to do."""
        names_by_problem = defaultdict(list)
        for batch in sorted(self.problems):
            names_by_problem[self.problems[batch]].append(self.batches[batch])
        table = "\n".join(f"- {listed(names)}: {problem}" for problem, names in names_by_problem.items())
        good = len(self.batches) - len(self.problems)
        return dg.Failure(
            f"{len(self.problems)} of {len(self.batches)} batches failed; {good} are done and everything that was "
            f"fetched is kept. Materialize the failed ones again (“Failed” in the dialog).\n{table}",
            metadata={
                "failed_batches": shown_table(
                    ("batches", "problem"),
                    [(listed(names), problem) for problem, names in names_by_problem.items()],
                )
            },
            allow_retries=False,
        )

    def _finish(self, batches: Collection[int]) -> None:
        good = [batch for batch in batches if batch not in self.problems]
        contents = self._contents_of(good) if good else {}
        for batch in good:
            content = contents[batch]
            self._context.log_event(
                dg.AssetMaterialization(
                    self._context.asset_key,
                    partition=self.batches[batch],
                    metadata={**content.metadata, f"{self._unit}_done": self._planned[batch]},
                    tags=dict(zip(DATA_VERSION_TAGS, (content.data_version, "true"), strict=True)),
                )
            )
