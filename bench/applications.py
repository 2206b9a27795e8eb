"""What applications call, on a catalogue that a refresh built: cards, TMDB's lists, a month of the calendar, offers.

Both services are the emulator's; no profile leaves a film out. Each function is called as an application does, over one
connection, with other titles each time.
"""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from first_build import profiles
from made_up_vectors import percentile
from processes import cpu_seconds
from refreshing import STANDSTILL, catalogue, measured, services
from tables import in_rounds, parser_of, print_section, report_progress, write_figures

from movie_assets.database.embedded import embedded_postgres

DAY = STANDSTILL - timedelta(days=1)
TITLES = 50  # of a page of cards
WARM_UP = 5  # calls that are not measured: plans are made
CALLS = {
    "cards of 50 titles": "select * from catalog.cards(%(titles)s, 'de')",
    "texts of 50 titles in two languages": "select * from catalog.localized(%(titles)s, '{de,en}')",
    "list of 60 titles": "select * from catalog.list('popular', 'US')",
    "calendar of a month": "select * from catalog.calendar('US', null, %(first)s, %(last)s)",
    "offers of a week that came": "select * from catalog.offers_that_came('US', %(first)s)",
    "age at which 50 titles are suitable": "select i, catalog.suitable_age(i, 'US') from unnest(%(titles)s) as i",
}
LIST_OF_TITLES = "select array_agg(title_id order by title_id) from catalog.titles"


def main() -> None:
    """Build a catalogue, call, print."""
    parser = parser_of(__doc__)
    parser.add_argument("--movies", type=int, default=50_000, help="ids in the made-up world")
    parser.add_argument("--calls", type=int, default=200, help="of each function in a round")
    options = parser.parse_args()
    with (
        services(movies=options.movies) as served,
        profiles(recorded=True) as variables,
        catalogue(served, **variables) as environment,
    ):
        report_progress("a refresh builds the catalogue")
        measured(served, environment, DAY)
        with (
            embedded_postgres(Path(environment["MOVIE_ASSETS_HOME"])) as server,
            psycopg.connect(server.replace("/?", "/movie_assets?"), autocommit=True) as connection,
        ):
            (titles,) = connection.execute(LIST_OF_TITLES).fetchone() or ([],)
            found, kept = in_rounds(options.rounds, lambda: measure(connection, titles, options.calls))
    configuration = (
        f"{len(titles):,} titles, {options.calls} calls a line over one connection, medians of {options.rounds} "
        "rounds; CPU is what one call costs the server."
    )
    print_section("What applications call", configuration, found)
    write_figures(options.json, kept)


def measure(connection: psycopg.Connection[Any], titles: list[int], calls: int) -> list[dict[str, Any]]:
    """Call each function so many times; return rows, milliseconds and processor time a call."""
    return [measured_call(connection, name, titles, calls) for name in CALLS]


def measured_call(connection: psycopg.Connection[Any], name: str, titles: list[int], calls: int) -> dict[str, Any]:
    """Call a function with random titles and months."""
    chance = np.random.default_rng(3)
    milliseconds, rows, before = [], [], 0.0
    for number in range(calls + WARM_UP):
        first = DAY + timedelta(days=int(chance.integers(-300, 60)))
        parameters = {
            "titles": chance.choice(titles, TITLES, replace=False).tolist(),
            "first": first,
            "last": first + timedelta(days=30),
        }
        if number == WARM_UP:
            before = cpu_seconds([connection.info.backend_pid])
        started = time.perf_counter()
        answer = connection.execute(CALLS[name], parameters).fetchall()
        if number >= WARM_UP:
            milliseconds.append(1000 * (time.perf_counter() - started))
            rows.append(len(answer))
    return {
        "call": name,
        "rows": round(float(np.median(rows))),
        "p50_ms": round(percentile(milliseconds, 0.5), 1),
        "p95_ms": round(percentile(milliseconds, 0.95), 1),
        "cpu_ms": round(1000 * (cpu_seconds([connection.info.backend_pid]) - before) / calls, 1),
    }


if __name__ == "__main__":
    main()
