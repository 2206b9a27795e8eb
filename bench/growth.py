"""The same build and days in worlds of growing size: seconds should grow with what changed, memory not at all.

The largest world is measured once, as a round of it takes longer than all rounds of the others.
"""

from collections.abc import Sequence
from statistics import median_low
from typing import Any

from full_build import BUILD, CHANGED, STILL, one_round
from refreshing import services
from tables import keep, medians, parser_of, tell


def main() -> None:
    """Measure each size, print, keep."""
    parser = parser_of(__doc__)
    parser.add_argument("--movies", type=int, nargs="+", default=[5_000, 50_000, 200_000], help="sizes, in ids")
    options = parser.parse_args()
    rounds = {}
    for movies in options.movies:
        count = 1 if movies == max(options.movies) else options.rounds
        with services(movies=movies) as stand_in:
            rounds[movies] = [one_round(stand_in) for _ in range(count)]
    rows = [row(run, movies, found) for run in (BUILD, STILL, CHANGED) for movies, found in rounds.items()]
    configuration = (
        "Both services unlimited, the local embedder; each round from an empty folder, medians of the rounds. The "
        "largest size is measured once, as a round of it takes a quarter of an hour."
    )
    tell("Growth", configuration, rows)
    keep(options.json, rounds)


def row(run: str, movies: int, rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A line of the table."""
    figures = medians([each["runs"][run] for each in rounds])
    seconds, fetched = figures["seconds"], figures["films_fetched"]
    return {
        "run": run,
        "failed checks": figures["failed_checks"],
        "ids": movies,
        "rounds": len(rounds),
        "films fetched": fetched,
        "seconds": seconds,
        "of them Dagster's floor": median_low(each["floor"] for each in rounds),
        "films per second": round(fetched / seconds, 1),
        "peak megabytes": figures["peak_megabytes"],
        "Postgres' peak": figures["postgres_peak_megabytes"],
    }


if __name__ == "__main__":
    main()
