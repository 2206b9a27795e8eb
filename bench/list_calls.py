"""Read TMDB's lists at TMDB's rate: all of them, and on a day without change, in slices.

The emulator's world stands still on the second day (standstill.py). Nothing is stored: this is the reading alone.
"""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as at
from pathlib import Path
from typing import Any

from minimum_cost import list_calls_of
from refreshing import STANDSTILL
from standstill import Standstill
from tables import in_rounds, parser_of, print_section, write_figures

from movie_assets.catalog.tmdb_discoveries import AHEAD, FIRST_FILMS
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.database.embedded import embedded_postgres
from movie_assets.database.migrations import migrate
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator, world_of
from movie_assets.tmdb.client import Tmdb
from movie_assets.tmdb.discovery import Reading, Wanted, read_lists
from movie_assets.tmdb.list_slices import KnownMovie

MIN_VOTES = 100  # of the profile quality
VOTES_DAYS = 7


def main() -> None:
    """Measure, print a table and write the figures."""
    parser = parser_of(__doc__)
    parser.add_argument("--movies", type=int, default=32_000, help="ids in the world; three of five have the votes")
    options = parser.parse_args()
    figures, rounds = in_rounds(options.rounds, lambda: one_round(options.movies))
    about = f"{options.movies:,} ids, profile quality, 38 calls a second; medians of {options.rounds} rounds."
    print_section("Calls for TMDB's lists", about, figures)
    write_figures(options.json, rounds)


def one_round(movies: int) -> Sequence[dict[str, Any]]:
    """Read all lists, and those of a day without change."""
    served = EmulatorOptions(movies=movies, today=STANDSTILL, rate_limit=0)
    world = Standstill(world_of(served), STANDSTILL)
    with (
        tempfile.TemporaryDirectory(prefix="ma") as folder,
        embedded_postgres(Path(folder)) as address,
        TmdbEmulator(served, world=world) as emulator,
    ):
        database = Database(address)
        migrate(database)
        settings = Settings.model_validate({"tmdb_api_token": "a-token", "tmdb_api_url": emulator.tmdb_url})
        tmdb = Tmdb(settings, database)
        before, first = read(tmdb, emulator, STANDSTILL - timedelta(days=1), None)
        _, second = read(tmdb, emulator, STANDSTILL, before)
        database.close()
    return [
        {"reading": "all lists", **first, "least_calls": list_calls_of(world, STANDSTILL, is_first=True)},
        {"reading": "a day without change", **second, "least_calls": list_calls_of(world, STANDSTILL)},
    ]


def read(tmdb: Tmdb, emulator: TmdbEmulator, day: date, before: Reading | None) -> tuple[Reading, dict[str, Any]]:
    """Read the lists of a day after what was read before."""
    emulator.today = day
    emulator.reset_counts()
    wanted = Wanted(FIRST_FILMS, day + AHEAD, [MIN_VOTES], VOTES_DAYS)
    known = [] if before is None else [KnownMovie(n, before.votes[n], home) for n, home in before.homes.items()]

    async def reading() -> Reading:
        async with tmdb.session(None) as client:
            as_of = datetime.combine(day, at(12), UTC)
            return await read_lists(client, wanted, before.slices if before else [], known, as_of)

    began = time.monotonic()
    done = asyncio.run(reading())
    seconds = time.monotonic() - began
    calls = sum(emulator.requests["discover"].values())
    return done, {"films": len(done.homes), "calls": calls, "seconds": round(seconds, 1)}


if __name__ == "__main__":
    main()
