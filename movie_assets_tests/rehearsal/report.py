"""A rehearsal as tables, a row a day."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from movie_assets_tests.rehearsal.run import PROFILES, Day, what_happens
from movie_assets_tests.rehearsal.series import SeriesDay, total

COLUMNS = (
    "day", "accepted: expected", "found", "missing", "beyond", "wrong fields", "wrong states", "wrong requests",
    "detail calls", "least possible", "list calls", "what happens",
)  # fmt: skip
COLUMNS_OF_SERIES = (
    "day", "series expected", "episodes expected", "missing", "beyond", "wrong rows", "new episodes", "moved episodes",
    "calls", "least possible",
)  # fmt: skip
COLUMNS_OF_APPLICATIONS = (
    "day", "lists", "places", "offers", "came", "left", "events", "images", "wrong",
    "calls for lists", "least possible", "calls for images", "least possible",
)  # fmt: skip


def row_of(day: Day) -> str:
    """A day's row."""
    found = day.differences
    values = (
        day.day, day.expected, day.found, found.missing, found.beyond, found.wrong, found.states, found.requests,
        day.calls, day.needed, day.list_calls, "; ".join(filter(None, (what_happens(day.number), _failed(day)))),
    )  # fmt: skip
    return f"| {' | '.join(map(str, values))} |"


def row_of_series(day: date, counts: SeriesDay) -> str:
    """A day's row of series."""
    found = counts.differences
    values = (
        day, counts.expected, counts.episodes, found.missing, found.beyond, found.wrong, counts.added, counts.moved,
        counts.calls, counts.needed,
    )  # fmt: skip
    return f"| {' | '.join(map(str, values))} |"


def row_of_applications(day: Day) -> str:
    """A day's row of what applications read."""
    lived = day.applications
    assert lived is not None
    values = (
        day.day, lived.lists, lived.listed, lived.offers, lived.came, lived.left, lived.events, lived.images,
        lived.differences.wrong, lived.calls, lived.needed, lived.image_calls, lived.images_needed,
    )  # fmt: skip
    return f"| {' | '.join(map(str, values))} |"


def markdown(days: Sequence[Day], run: dict[str, Any]) -> str:
    """The report to read."""
    calls, needed = sum(day.calls for day in days), sum(day.needed for day in days)
    right = sum(day.is_right for day in days)
    wrong = [f"{day.day}: {each}" for day in days for each in day.examples]
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
            *_of_series(days),
            *_of_applications(days),
            *_listed("What differs", wrong),
            *_listed("Calls that were not needed", needless),
            *_listed("Calls that were needed and not made", not_made),
        ]
    )


def _of_series(days: Sequence[Day]) -> list[str]:
    """The table of the series, where the rehearsal has any."""
    lived = [(day.day, day.series) for day in days if day.series is not None]
    if not lived:
        return []
    sums = total(series for _, series in lived)
    return [
        "",
        "## Series",
        "",
        (
            f"{sums['added']:,} new episodes and {sums['moved']:,} with other numbers than the day before; "
            f"{sums['calls']:,} calls for details and seasons, {sums['needed']:,} are the least possible."
        ),
        "",
        f"| {' | '.join(COLUMNS_OF_SERIES)} |",
        f"|---|{'--:|' * (len(COLUMNS_OF_SERIES) - 1)}",
        *(row_of_series(*each) for each in lived),
    ]


def _of_applications(days: Sequence[Day]) -> list[str]:
    """The table of what applications read, where the rehearsal has it."""
    lived = [day for day in days if day.applications is not None]
    if not lived:
        return []
    return [
        "",
        "## What applications read",
        "",
        "Lists are compared by places, offers by intervals, exports by titles; all events are replayed each day.",
        "",
        f"| {' | '.join(COLUMNS_OF_APPLICATIONS)} |",
        f"|---|{'--:|' * (len(COLUMNS_OF_APPLICATIONS) - 1)}",
        *map(row_of_applications, lived),
    ]


def _failed(day: Day) -> str:
    return f"failed: {', '.join(day.failed_jobs)}" if day.failed_jobs else ""


def _listed(heading: str, lines: Sequence[str]) -> list[str]:
    return ["", f"## {heading}", "", *(f"- {line}" for line in lines)] if lines else []
