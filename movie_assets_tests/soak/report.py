"""A soak as Markdown, and a line for a day."""

from collections.abc import Sequence
from typing import Any

from movie_assets_tests.soak.life import Day
from movie_assets_tests.soak.verdicts import Verdict

MOST_ROWS = 12  # of days
HOW_TO_READ = (
    "Growth is that of the second half of the days, by the median of all pairs; memory is each process's resident set, "
    "of Postgres the sum of its processes' proportional sets without the shared buffers, which are told beside it, at "
    "the end of the day; “sent” are texts for which the service sent vectors."
)
COLUMNS = (
    "day", "s", "calls", "films", "changed", "sent", "runs", "daemon", "web", "code", "Postgres", "buffers",
    "catalogue", "Dagster's", "files", "WAL", "dead", "troubles",
)  # fmt: skip


def line_of(day: Day) -> str:
    """Progress, for a terminal."""
    memory = ", ".join(f"{name} {size:.0f}" for name, size in day.gauges["memory"].items())
    failed = f"; failed: {', '.join(day.failed + day.excused)}" if day.failed or day.excused else ""
    return (
        f"{day.day}: {day.seconds:.0f} s, {sum(day.tries.values())} runs, {day.films:,} films, {day.films_changed:,} "
        f"changed; MB: {memory}, catalogue {day.gauges['catalogue']:.0f}; {', '.join(day.troubles) or 'calm'}{failed}"
    )


def markdown(days: Sequence[Day], verdicts: Sequence[Verdict], run: dict[str, Any]) -> str:
    """The report to read."""
    step = -(-len(days) // MOST_ROWS)
    shown = [day for number, day in enumerate(days) if number % step == 0 or day is days[-1]]
    about = (
        f"{run['seconds'] / 60:.0f} minutes on {run['cores']} cores, seed {run['seed']}, {run['day']}, commit "
        f"{run['commit']}; load of the machine at the end {run['load']:.1f}. One day in {step}; memory and sizes in MB."
    )
    return "\n".join(
        [
            f"## A soak of {len(days)} days at {run['movies']:,} ids",
            "",
            about,
            "",
            f"| {' | '.join(COLUMNS)} |",
            f"|---|{'--:|' * (len(COLUMNS) - 2)}---|",
            *(_row(day) for day in shown),
            "",
            "| what has to hold | holds | found | bound |",
            "|---|---|---|---|",
            *(f"| {v.what} | {_answer(v)} | {v.found} | {v.bound} |" for v in verdicts),
            "",
            HOW_TO_READ,
        ]
    )


def _row(day: Day) -> str:
    gauges = day.gauges
    dead = sum(table["dead"] for table in gauges["tables"].values())
    sizes = [*(gauges["memory"].get(name, 0.0) for name in ("daemon", "web", "code", "postgres", "buffers"))]
    sizes += [gauges[name] for name in ("catalogue", "records", "files", "wal")]
    counts = (day.calls, day.films, day.films_changed, day.texts_sent, sum(day.tries.values()))
    cells = [day.day, f"{day.seconds:.0f}", *(f"{n:,}" for n in counts), *(f"{size:,.0f}" for size in sizes)]
    return f"| {' | '.join(cells)} | {dead:,} | {'; '.join(day.troubles)} |"


def _answer(verdict: Verdict) -> str:
    return {True: "yes", False: "**no**", None: "too few days"}[verdict.holds]
