"""The same build and days in worlds of growing size: seconds should grow with what changed, memory not at all."""

from full_build import BUILD, CHANGED, STILL, one_round
from refreshing import services
from tables import keep, parser_of, tell


def main() -> None:
    """Measure each size once, print, keep."""
    parser = parser_of(__doc__)
    parser.add_argument("--movies", type=int, nargs="+", default=[5_000, 50_000, 200_000], help="sizes, in ids")
    options = parser.parse_args()
    rounds = {}
    for movies in options.movies:
        with services(movies=movies) as stand_in:
            rounds[movies] = one_round(stand_in)
    rows = [
        {
            "run": run,
            "failed checks": found["runs"][run]["failed_checks"],
            "ids": movies,
            "films fetched": found["runs"][run]["films_fetched"],
            "seconds": found["runs"][run]["seconds"],
            "of them Dagster's floor": found["floor"],
            "films per second": round(found["runs"][run]["films_fetched"] / found["runs"][run]["seconds"], 1),
            "peak megabytes": found["runs"][run]["peak_megabytes"],
            "Postgres' peak": found["runs"][run]["postgres_peak_megabytes"],
        }
        for run in (BUILD, STILL, CHANGED)
        for movies, found in rounds.items()
    ]
    tell("Growth", "Both services unlimited, the local embedder; one round a size, each from an empty folder.", rows)
    keep(options.json, rounds)


if __name__ == "__main__":
    main()
