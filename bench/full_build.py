"""Build a generated catalogue through Dagster, then days on which nothing and 1 % of the texts have changed.

Then the same in worlds of other sizes: seconds should grow with what changed, memory not at all.

With --series N, a world of movies and so many series is built instead, and a day on which both move.

Both services are unlimited: this measures our own ceiling, not TMDB's. Each round builds from an empty data folder, and
the medians are printed. A day is compared with its minimum cost in the emulator's world (minimum_cost.py), and with the
time of Dagster itself, measured in the same round (dagster_floor.py).
"""

import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from statistics import median_low
from typing import Any

from minimum_cost import minimum_of
from refreshing import STANDSTILL, TODAY, Services, catalogue, measured, of_the_database, served_world, services
from tables import medians, parser_of, print_rows, print_section, report_progress, write_figures

BUILD, AGAIN, STILL, CHANGED = "full build", "the same day again", "a day without change", "1 % changed"
FIRST_DAY = STANDSTILL - timedelta(days=1)
RUNS = {BUILD: FIRST_DAY, AGAIN: FIRST_DAY, STILL: STANDSTILL, CHANGED: TODAY}
FLOOR = Path(__file__).with_name("dagster_floor.py")
WHAT_IT_TOOK = (
    "seconds", "cpu_seconds", "postgres_cpu_seconds", "stand_in_cpu_seconds", "peak_megabytes",
    "postgres_peak_megabytes", "films_fetched",
)  # fmt: skip
STEPS = "select step, extract(epoch from started_at)::float8, duration from pipeline.run_log order by step"
IN_THE_CATALOGUE = """
select (select count(*) from catalog.series), (select count(*) from catalog.seasons),
    (select count(*) from catalog.episodes)
"""
SHOWN_FROM = 0.5  # seconds that a step takes in some run


def main() -> None:
    """Measure, print the tables and write the figures."""
    parser = parser_of(__doc__)
    parser.add_argument("--movies", type=int, default=50_000, help="ids in the world of the detailed tables")
    parser.add_argument("--growth", type=int, nargs="*", default=[5_000, 200_000], help="of others, a larger one once")
    parser.add_argument("--series", type=int, default=0, help="build a world that has so many series, too, and a day")
    options = parser.parse_args()
    if options.series:
        measure_with_series(options)
        return
    worlds = {}
    for movies in sorted({options.movies, *options.growth}):
        count = 1 if movies > options.movies else options.rounds
        with services(movies=movies) as tmdb_emulator:
            worlds[movies] = [one_round(tmdb_emulator, f"{movies:,} ids, {n} of {count}") for n in range(1, count + 1)]
    rounds = worlds[options.movies]
    figures = {run: medians([each["runs"][run] for each in rounds]) for run in RUNS}
    steps = {run: medians([each["seconds_by_step"][run] for each in rounds]) for run in RUNS}
    floor = median_low(each["floor"] for each in rounds)
    least = minimum_by_run(options.movies)
    configuration = (
        f"{options.movies:,} ids, of which some half have enough votes; both services unlimited, the "
        f"local embedder; medians of {options.rounds} rounds, each from an empty folder. The emulator works on the "
        "same cores. Memory is the most that all processes of a kind had at a moment, a page that they share counted "
        "once."
    )
    print_section("Full build", configuration, [cost_of_run(run, figures[run]) for run in RUNS])
    print("What a day cost, and the least that it can cost; other calls are TMDB's lists, its feed and its export:\n")
    print_rows([compared_with_minimum(run, figures[run], least[run]) for run in RUNS])
    print("Where a day's seconds are; Dagster's floor is the same jobs with empty assets of the same shape:\n")
    print_rows([compared_with_floor(run, figures[run], floor) for run in (AGAIN, STILL, CHANGED)])
    print(f"Seconds by step, of those that take {SHOWN_FROM} s in some run; steps of a build overlap:\n")
    print_rows(by_step(steps))
    print("Growth: the same runs in worlds of other sizes; a larger world is measured once, as it takes long:\n")
    print_rows([growth(run, *world) for run in (BUILD, STILL, CHANGED) for world in worlds.items()])
    kept = {"runs": figures, "least": least, "dagster_floor_seconds": floor, "seconds_by_step": steps}
    write_figures(options.json, {**kept, "rounds": worlds})


def measure_with_series(options: Namespace) -> None:
    """Measure the build of a catalogue of movies and series, and the day after it."""
    days = {BUILD: FIRST_DAY, "the next day": STANDSTILL}
    lines = []
    with (
        services(movies=options.movies, series=options.series) as tmdb_emulator,
        catalogue(tmdb_emulator, MOVIE_ASSETS_MEDIA="movies series") as environment,
    ):
        for run, day in days.items():
            report_progress(run)
            figures = measured(tmdb_emulator, environment, day)
            ((series, seasons, episodes),) = of_the_database(environment, IN_THE_CATALOGUE)
            calls = sum(tmdb_emulator.requests().get("tv", {}).values())
            line = {name: figures[name] for name in ("failed_checks", *WHAT_IT_TOOK)}
            lines.append(
                {"run": run, **line, "calls for series": calls, "series": series, "seasons": seasons}
                | {"episodes": episodes, "episodes a second": round(episodes / figures["seconds"], 1)}
            )
    configuration = f"{options.movies:,} ids of movies and {options.series:,} of series; otherwise as above, one round."
    print_section("Full build with series", configuration, lines)
    write_figures(options.json, {"runs": lines})


def one_round(tmdb_emulator: Services, which: str) -> dict[str, Any]:
    """Measure all runs from an empty catalogue on, and then Dagster's own time."""
    report_progress(which)
    with catalogue(tmdb_emulator) as environment:
        runs, begun = {}, {}
        for run, day in RUNS.items():
            begun[run] = time.time()
            runs[run] = measured(tmdb_emulator, environment, day)
        steps = seconds_by_step(of_the_database(environment, STEPS), begun)
        command = [sys.executable, str(FLOOR), TODAY.isoformat()]
        floor = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
        return {"runs": runs, "seconds_by_step": steps, "floor": round(float(floor.stdout), 1)}


def seconds_by_step(rows: Sequence[tuple[Any, ...]], begun: dict[str, float]) -> dict[str, dict[str, float]]:
    """Return the seconds of the steps of each run; a step belongs to the last run that began before it."""
    found: dict[str, dict[str, float]] = {run: dict.fromkeys((row[0] for row in rows), 0.0) for run in begun}
    for step, started, seconds in rows:
        run = max((run for run in begun if begun[run] <= started), key=lambda run: begun[run])
        found[run][step] += seconds
    return {run: {step: round(seconds, 1) for step, seconds in steps.items()} for run, steps in found.items()}


def minimum_by_run(movies: int) -> dict[str, dict[str, int]]:
    """Return the minimum cost of each run."""
    world = served_world(movies)
    build = minimum_of(world, FIRST_DAY, is_first=True)
    days = {run: minimum_of(world, RUNS[run], copies=FIRST_DAY) for run in (STILL, CHANGED)}
    return {BUILD: build, AGAIN: dict.fromkeys(build, 0), **days}


def cost_of_run(run: str, figures: dict[str, Any]) -> dict[str, Any]:
    """Return a line of the first table."""
    return {
        "run": run,
        "failed checks": figures["failed_checks"],
        **{name: figures[name] for name in WHAT_IT_TOOK},
        "films_per_second": round(figures["films_fetched"] / figures["seconds"], 1),
    }


def compared_with_minimum(run: str, figures: dict[str, Any], least: dict[str, int]) -> dict[str, Any]:
    """Return a line of the second table."""
    return {
        "run": run,
        "detail calls": figures["detail_calls"],
        "least calls": least["detail_calls"],
        "of them for age": least["for_age"],
        "texts embedded": figures["texts_embedded"],
        "least texts": least["texts"],
        "tokens": figures["tokens"],
        "least tokens": least["tokens"],
        "other calls": figures["other_calls"],
        "least calls for lists": least["list_calls"],
    }


def compared_with_floor(run: str, figures: dict[str, Any], floor: float) -> dict[str, Any]:
    """Return a line of the third table."""
    return {
        "run": run,
        "seconds": figures["seconds"],
        "start and end of the process": round(figures["seconds"] - figures["seconds_of_jobs"], 1),
        "Dagster's floor": floor,
        "ours": round(figures["seconds_of_jobs"] - floor, 1),
    }


def growth(run: str, movies: int, rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return a line of the last table."""
    figures = medians([each["runs"][run] for each in rounds])
    fetched = figures["films_fetched"]
    return {
        "run": run,
        "failed checks": figures["failed_checks"],
        "ids": movies,
        "rounds": len(rounds),
        "films fetched": fetched,
        "seconds": figures["seconds"],
        "of them Dagster's floor": median_low(each["floor"] for each in rounds),
        "ms a film fetched": round(1000 * figures["seconds"] / fetched, 1) if fetched else "",
        "peak megabytes": figures["peak_megabytes"],
        "Postgres' peak": figures["postgres_peak_megabytes"],
    }


def by_step(steps: dict[str, dict[str, float]]) -> list[dict[str, Any]]:
    """Return the lines of the fourth table; the longest step of the build comes first."""
    longest = sorted(steps[BUILD], key=lambda step: -steps[BUILD][step])
    rows: list[dict[str, Any]] = [{"step": step, **{run: steps[run][step] for run in RUNS}} for step in longest]
    return [row for row in rows if max(row[run] for run in RUNS) >= SHOWN_FROM]


if __name__ == "__main__":
    main()
