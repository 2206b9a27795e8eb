"""A soak as Markdown, and a line for a day."""

from collections.abc import Sequence
from typing import Any

from movie_assets_tests.soak.criteria import Criterion, second_half, slope
from movie_assets_tests.soak.gauges import MEGABYTE
from movie_assets_tests.soak.life import Day

TABLES = 6  # that grew most
HOW_TO_READ = (
    "Growth is that of the second half of the days, by the median of all pairs; memory is each process's resident set, "
    "of Postgres the sum of its processes' proportional sets without the shared buffers, which are told beside it, at "
    "the end of the day; “sent” are texts for which the service sent vectors. Schedules and sensors are off, as the "
    "world's clock is not the machine's: what their ticks cost the daemon is not in it."
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
        f"changed; MB: {memory}, catalogue {day.gauges['catalogue']:.0f}; {_told(day) or 'calm'}{failed}"
    )


def markdown(days: Sequence[Day], criteria: Sequence[Criterion], run: dict[str, Any]) -> str:
    """The report to read."""
    about = (
        f"{run['seconds'] / 60:.0f} minutes on {run['cores']} cores, seed {run['seed']}, {run['day']}, commit "
        f"{run['commit']}; load of the machine at the end {run['load']:.1f}. Memory and sizes in MB; in brackets, how "
        "often a trouble struck."
    )
    return "\n".join(
        [
            f"# A soak of {len(days)} days at {run['movies']:,} ids",
            "",
            "Written by `make soak`; [reliability.md](reliability.md#the-soak) says how each criterion is evaluated.",
            "",
            about,
            "",
            f"| {' | '.join(COLUMNS)} |",
            f"|---|{'--:|' * (len(COLUMNS) - 2)}---|",
            *(_row(day) for day in days),
            "",
            "| what has to hold | holds | found | bound |",
            "|---|---|---|---|",
            *(f"| {v.what} | {_shown(v)} | {v.found} | {v.bound} |" for v in criteria),
            "",
            *_growing(days),
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
    return f"| {' | '.join(cells)} | {dead:,} | {_told(day)} |"


def _told(day: Day) -> str:
    return "; ".join(f"{name} ({count:,})" for name, count in day.troubles.items())


def _growing(days: Sequence[Day]) -> list[str]:
    """The tables that grew most in the second half, indexes and what is stored aside included."""
    half = second_half(days)
    if len(half) < 2:
        return []
    last = days[-1].gauges["tables"]
    sizes = {name: [day.gauges["tables"].get(name, {"size": 0})["size"] / MEGABYTE for day in half] for name in last}
    most = sorted(((slope(found), name) for name, found in sizes.items()), reverse=True)[:TABLES]
    return [
        "| tables that grew most | MB a day | MB |",
        "|---|--:|--:|",
        *(f"| {name} | {grown:+.2f} | {sizes[name][-1]:.0f} |" for grown, name in most),
        "",
    ]


def _shown(criterion: Criterion) -> str:
    return {True: "yes", False: "**no**", None: "too few days"}[criterion.holds]
