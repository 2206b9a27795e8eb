"""A rehearsal as a table, a row a day."""

from collections.abc import Sequence
from typing import Any

from movie_assets_tests.rehearsal.run import PROFILES, Day, what_happens

COLUMNS = (
    "day", "accepted: expected", "found", "missing", "beyond", "wrong fields", "wrong states", "wrong requests",
    "detail calls", "least possible", "list calls", "what happens",
)  # fmt: skip


def row_of(day: Day) -> str:
    """A day's row."""
    found = day.differences
    values = (
        day.day, day.expected, day.found, found.missing, found.beyond, found.wrong, found.states, found.requests,
        day.calls, day.needed, day.list_calls, "; ".join(filter(None, (what_happens(day.number), _failed(day)))),
    )  # fmt: skip
    return f"| {' | '.join(map(str, values))} |"


def markdown(days: Sequence[Day], run: dict[str, Any]) -> str:
    """The report to read."""
    calls, needed = sum(day.calls for day in days), sum(day.needed for day in days)
    right = sum(day.differences.are_none for day in days)
    wrong = [example for day in days for example in (f"{day.day}: {each}" for each in day.differences.examples)]
    needless = [f"{day.day}: {each}" for day in days for each in day.needless]
    not_made = [f"{day.day}: {each}" for day in days for each in day.not_asked]
    return "\n".join(
        [
            f"# A rehearsal of {len(days)} days with {run['ids']:,} ids",
            "",
            (
                f"Profiles `{PROFILES}`, seed {run['seed']}, {run['seconds']:.0f} s on {run['cores']} cores, "
                f"{run['on']}, commit {run['commit']}. {right} of {len(days)} days equal the truth; {calls:,} detail "
                f"calls, {needed:,} are the least possible."
            ),
            "",
            f"| {' | '.join(COLUMNS)} |",
            f"|---|{'--:|' * (len(COLUMNS) - 2)}---|",
            *map(row_of, days),
            *_listed("What differs", wrong),
            *_listed("Calls that were not needed", needless),
            *_listed("Calls that were needed and not made", not_made),
        ]
    )


def _failed(day: Day) -> str:
    return f"failed: {', '.join(day.failed_jobs)}" if day.failed_jobs else ""


def _listed(heading: str, lines: Sequence[str]) -> list[str]:
    return ["", f"## {heading}", "", *(f"- {line}" for line in lines)] if lines else []
