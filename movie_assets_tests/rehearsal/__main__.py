"""A rehearsal of simulated days, each compared with an independent computation of the truth.

    python -m movie_assets_tests.rehearsal [DAYS] [--ids N] [--series N] [--seed S] [--everything]

Prints a row for each day on stderr and the report on stdout; returns 1 if a day differs from the truth.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from movie_assets.database.creation import ensure_database
from movie_assets.database.database import Database
from movie_assets.database.embedded import embedded_postgres
from movie_assets.database.migrations import migrate
from movie_assets_tests.circumstances import circumstances
from movie_assets_tests.conftest import address_of
from movie_assets_tests.rehearsal.report import markdown, row_of, row_of_applications, row_of_series
from movie_assets_tests.rehearsal.run import Day, rehearsal

TEMPLATE = "template_of_the_rehearsal"


def rehearse(count: int, ids: int, seed: int, votes_days: int, series: int, *, everything: bool) -> list[Day]:
    """Live through the days on a server of its own, which is gone afterwards."""
    days = []
    with tempfile.TemporaryDirectory(prefix="ma") as folder:  # short: a socket's path may have 107 bytes
        Path(folder).chmod(0o755)  # the embedded server's user has to walk through it
        with embedded_postgres(Path(folder)) as server:
            address = address_of(server, TEMPLATE)
            ensure_database(address)
            database = Database(address)
            migrate(database)
            database.close()
            with rehearsal(server, TEMPLATE, ids, seed, votes_days, series, everything=everything) as lived:
                for day in lived.days(count):
                    days.append(day)
                    of_series = f" series {row_of_series(day.day, day.series)}" if day.series else ""
                    of_applications = f" applications {row_of_applications(day)}" if day.applications else ""
                    examples = "".join(f"\n  {each}" for each in day.examples)
                    sys.stderr.write(f"{row_of(day)}{of_series}{of_applications} {day.seconds:.1f} s{examples}\n")
    return days


def main() -> int:
    """Rehearse, print the report, and fail if a day differs from the truth."""
    parser = argparse.ArgumentParser(prog="rehearsal", description="Simulated days, each compared with the truth.")
    parser.add_argument("days", type=int, nargs="?", default=30, help="how many (default 30)")
    parser.add_argument("--ids", type=int, default=5000, help="ids in TMDB's export (default 5,000)")
    parser.add_argument("--series", type=int, default=0, help="series beside the movies (default 0: movies only)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another world")
    parser.add_argument("--votes-days", type=int, default=7, help="how old votes may become (default 7; 1: exact)")
    parser.add_argument("--everything", action="store_true", help="what applications read, too")
    arguments = parser.parse_args()
    began = time.monotonic()
    days = rehearse(
        arguments.days, arguments.ids, arguments.seed, arguments.votes_days, arguments.series,
        everything=arguments.everything,
    )  # fmt: skip
    about = circumstances()
    run = {"ids": arguments.ids, "seed": arguments.seed, "seconds": time.monotonic() - began, "on": about["day"],
           "cores": about["cores"], "commit": about["commit"]}  # fmt: skip
    sys.stdout.write(markdown(days, run) + "\n")
    return int(not all(day.is_right for day in days))


if __name__ == "__main__":
    sys.exit(main())
