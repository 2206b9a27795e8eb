"""The two ways in which the pipeline cuts its work: days of TMDB's export, and batches of film ids.

A batch is a unit of progress and retry, never of staleness: what is due is a question to SQL.
"""

from itertools import pairwise

import dagster as dg

BATCH_COUNT = 64  # pipeline.batch_of(tmdb_id) in sql/migrations holds the same number; a test compares them

# TMDB keeps an export for three months; the first release came out in November 2026.
days = dg.DailyPartitionsDefinition(start_date="2026-08-20", end_offset=1)
batches = dg.StaticPartitionsDefinition([f"batch_{number:02}" for number in range(BATCH_COUNT)])

# A batch is current state: it follows the newest day, not every day there ever was.
newest_day = dg.LastPartitionMapping()


def batch_of(tmdb_id: int) -> str:
    """Name of the batch that a film belongs to, for ever."""
    return f"batch_{tmdb_id % BATCH_COUNT:02}"


def batch_number(batch: str) -> int:
    """The number in a batch's name: `batch_07` is 7."""
    return int(batch.removeprefix("batch_"))


def ranges(parts: int) -> list[tuple[str, str]]:
    """All batches as so many ranges of about the same length: the first and the last batch of each."""
    names = batches.get_partition_keys()
    edges = [part * BATCH_COUNT // parts for part in range(parts + 1)]
    return [(names[first], names[end - 1]) for first, end in pairwise(edges)]


def range_tags(first: str, last: str) -> dict[str, str]:
    """The tags of one run over a range of batches."""
    return {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
