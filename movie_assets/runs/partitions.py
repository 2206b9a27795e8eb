"""The partitions of the pipeline's work: days of TMDB's export, and batches of film ids.

A batch is a unit of progress and retry, never of staleness: SQL decides which work is due.
"""

import warnings
from datetime import date
from itertools import pairwise

import dagster as dg

# A run over a range of batches needs it, and it has been in beta since Dagster 1.4; a test holds its behaviour.
warnings.filterwarnings("ignore", category=dg.BetaWarning, message="Parameter `backfill_policy`")

BATCH_COUNT = 64  # pipeline.batch_of(title_id) in sql/migrations holds the same number; a test compares them

# All days that a catalogue can have: TMDB keeps an export for three months, and the first release is of November
# 2026. Commands and tests work with them. Dagster's processes show those since the catalogue's first day: first_day.py.
EARLIEST_DAY = date(2026, 8, 20)
days = dg.DailyPartitionsDefinition(start_date=EARLIEST_DAY.isoformat(), end_offset=1)
batches = dg.StaticPartitionsDefinition([f"batch_{number:02}" for number in range(BATCH_COUNT)])

# A batch has current state: it depends on the newest day, not on every day.
newest_day = dg.LastPartitionMapping()


def with_days_since(defs: dg.Definitions, first_day: date) -> dg.Definitions:
    """Return the definitions with the days since a first one; earlier days are neither missing nor can be launched."""
    since = dg.DailyPartitionsDefinition(start_date=max(first_day, EARLIEST_DAY).isoformat(), end_offset=1)

    def begun(spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec.replace_attributes(partitions_def=since) if spec.partitions_def == days else spec

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # mapping specs is not stable API yet; tests hold it
        return defs.map_asset_specs(func=begun)


def batch_of(title_id: int) -> str:
    """Return the name of a film's batch, which never changes."""
    return f"batch_{title_id % BATCH_COUNT:02}"


def batch_number(batch: str) -> int:
    """Return the number in a batch's name: `batch_07` is 7."""
    return int(batch.removeprefix("batch_"))


def ranges(parts: int) -> list[tuple[str, str]]:
    """Split all batches into ranges of about the same length; return the first and the last batch of each."""
    names = batches.get_partition_keys()
    edges = [part * BATCH_COUNT // parts for part in range(parts + 1)]
    return [(names[first], names[end - 1]) for first, end in pairwise(edges)]


def range_tags(first: str, last: str) -> dict[str, str]:
    """Return the tags of a run over a range of batches."""
    return {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}


def batches_of_run(context: dg.AssetExecutionContext) -> dict[int, str]:
    """Return the batches of a run, by number. Raises dagster.Failure when it was launched without any."""
    _require_partition(
        context, "batch", "batch_00", ", or for a range of them (“Materialize” in the web UI asks for it)"
    )
    return {batch_number(key): key for key in context.partition_keys}


def day_of_run(context: dg.AssetExecutionContext) -> date:
    """Return the day of a run. Raises dagster.Failure when it was launched without one."""
    _require_partition(context, "day", "2026-12-01", " (“Materialize” in the web UI asks for it)")
    return date.fromisoformat(context.partition_key)


def _require_partition(context: dg.AssetExecutionContext, unit: str, example: str, more: str) -> None:
    # Dagster starts a run of a job that was launched without a partition, for instance by GraphQL.
    if not (context.has_partition_key or context.has_partition_key_range):
        raise dg.Failure(
            f"no {unit} was chosen: launch the run for one, such as with the tag dagster/partition={example}{more}",
            allow_retries=False,
        )
