"""A rehearsal of simulated days, each compared with an independent computation of the truth.

    python -m movie_assets_tests.rehearsal [DAYS] [--ids N] [--seed S]

Prints a row for each day on stderr and the report on stdout; returns 1 if a day differs from the truth.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from movie_assets.database.database import Database
from movie_assets.database.embedded import embedded_postgres
from movie_assets.database.migrations import ensure_database, migrate
from movie_assets_tests.circumstances import circumstances
from movie_assets_tests.conftest import address_of
from movie_assets_tests.rehearsal.report import markdown, row_of
from movie_assets_tests.rehearsal.run import Day, rehearsal

TEMPLATE = "template_of_the_rehearsal"


def rehearse(count: int, ids: int, seed: int, votes_days: int) -> list[Day]:
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
            with rehearsal(server, TEMPLATE, ids, seed, votes_days) as lived:
                for day in lived.days(count):
                    days.append(day)
                    sys.stderr.write(f"{row_of(day)} {day.seconds:.1f} s\n")
    return days


def main() -> int:
    """Rehearse, print the report, and fail if a day differs from the truth."""
    parser = argparse.ArgumentParser(prog="rehearsal", description="Simulated days, each compared with the truth.")
    parser.add_argument("days", type=int, nargs="?", default=30, help="how many (default 30)")
    parser.add_argument("--ids", type=int, default=5000, help="ids in TMDB's export (default 5,000)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another world")
    parser.add_argument("--votes-days", type=int, default=7, help="how old votes may become (default 7; 1: exact)")
    arguments = parser.parse_args()
    began = time.monotonic()
    days = rehearse(arguments.days, arguments.ids, arguments.seed, arguments.votes_days)
    about = circumstances()
    run = {"ids": arguments.ids, "seed": arguments.seed, "seconds": time.monotonic() - began, "on": about["day"],
           "cores": about["cores"], "commit": about["commit"]}  # fmt: skip
    sys.stdout.write(markdown(days, run) + "\n")
    return int(not all(day.differences.are_none and not day.failed_jobs for day in days))


if __name__ == "__main__":
    sys.exit(main())
