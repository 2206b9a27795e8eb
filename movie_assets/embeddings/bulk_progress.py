"""The state of bulk jobs as people see it: in `movie-assets cost`, in health, and in metadata."""

from datetime import datetime
from typing import NamedTuple


class BulkJobState(NamedTuple):
    """A bulk job: its state at the service, and how many of its texts are done, failed and stored.

    `service_id` is None for a job that was not created, such as one that waits for room in the service's queue.
    `ended_at` is set for a job that ended within the last day without being completed.
    """

    bulk_id: int
    model: str
    service_id: str | None
    status: str
    texts: int
    done: int
    failed: int
    stored: int
    sent_at: datetime
    seen_at: datetime | None
    ended_at: datetime | None
    problem: str | None


def described(job: BulkJobState) -> str:
    """Return a bulk job in one line."""
    failed = f", {job.failed:,} failed" if job.failed else ""
    problem = f" ({job.problem})" if job.problem else ""
    return f"batch {job.bulk_id}: {job.status}, {job.done:,} of {job.texts:,} texts done{failed}{problem}"
