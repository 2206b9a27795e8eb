"""A catalogue built from nothing by this code, and by that of other checkouts: speed, memory, size of the database.

Both services are unlimited, and the embedder is the local one. The world is made up, or that of a file of recorded
details, which no profile leaves out. Each checkout's own `bench/` is left alone: this one measures all of them, one
after the other in each round, on the same world.
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from refreshing import COMMAND, STANDSTILL, Services, catalogue, measured, of_the_database, services
from tables import medians, parser_of, print_rows, print_section, report_progress, write_figures

from movie_assets.config.paths import CHECKOUT

DAY = STANDSTILL - timedelta(days=1)
PROFILE = "[every_film]\n"
SHOWN = 14  # tables
KB = 1000
DATABASE = "select pg_database_size(current_database()), (select count(*) from catalog.movies)"
TABLES = """
    select n.nspname || '.' || c.relname, pg_table_size(c.oid), pg_indexes_size(c.oid)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm') and n.nspname in ('catalog', 'pipeline') order by 1
"""


def main() -> None:
    """Measure, print the tables and write the figures."""
    parser = parser_of(__doc__)
    parser.add_argument("--movies", type=int, default=50_000, help="ids in the made-up world")
    parser.add_argument("--details", type=Path, metavar="FILE", help="TMDB's responses for /movie/{id}, one a line")
    parser.add_argument("--against", type=Path, action="append", default=[], metavar="CHECKOUT", help="may be repeated")
    options = parser.parse_args()
    checkouts = [CHECKOUT, *(path.absolute() for path in options.against)]
    world = {"details": str(options.details)} if options.details else {"movies": options.movies}
    rounds: dict[Path, list[dict[str, Any]]] = {checkout: [] for checkout in checkouts}
    with services(**world) as served, profiles(recorded=bool(options.details)) as variables:
        for number in range(1, options.rounds + 1):
            for checkout in checkouts:
                report_progress(f"{checkout.name}, {number} of {options.rounds}")
                rounds[checkout].append(built(served, checkout, variables))
    figures = {checkout.name: medians([each["figures"] for each in rounds[checkout]]) for checkout in checkouts}
    configuration = (
        f"{f'recorded details ({options.details.name})' if options.details else f'{options.movies:,} ids'}; both "
        f"services unlimited, the local embedder; medians of {options.rounds}, each from an empty folder. The "
        "emulator works on the same cores. KB a film: the whole database, by the films in the catalogue."
    )
    print_section("First build", configuration, [{"code": name, **each} for name, each in figures.items()])
    print(f"KB a film of the {SHOWN} largest tables, after the first round, with their indexes:\n")
    tables = {checkout.name: rounds[checkout][0]["tables"] for checkout in checkouts}
    print_rows(largest(tables))
    write_figures(options.json, {"figures": figures, "tables": tables})


@contextmanager
def profiles(*, recorded: bool) -> Iterator[dict[str, str]]:
    """Yield the variables of a profile without rules for recorded films, of which many have few votes."""
    with tempfile.TemporaryDirectory(prefix="movie_assets_profile_") as folder:
        file = Path(folder) / "profiles.toml"
        file.write_text(PROFILE)
        named = {"MOVIE_ASSETS_PROFILES": "every_film", "MOVIE_ASSETS_PROFILES_FILE": str(file)}
        yield named if recorded else {}


def built(served: Services, checkout: Path, variables: dict[str, str]) -> dict[str, Any]:
    """Build a catalogue with a checkout's code; return its figures and the size of its tables."""
    own = checkout / ".venv" / "bin" / "python"
    command = [str(own) if own.exists() else sys.executable, *COMMAND[1:]]
    with catalogue(served, PYTHONPATH=str(checkout), **variables) as environment:
        run = measured(served, environment, DAY, command)
        ((size, films),) = of_the_database(environment, DATABASE)
        tables = {
            name: {"table": round(table / KB / films, 2), "indexes": round(indexes / KB / films, 2)}
            for name, table, indexes in of_the_database(environment, TABLES)
        }
    figures = {
        "films_fetched": run["films_fetched"],
        "films_per_second": round(run["films_fetched"] / run["seconds"], 1),
        **{name: run[name] for name in ("seconds", "cpu_seconds", "postgres_cpu_seconds", "stand_in_cpu_seconds")},
        **{name: run[name] for name in ("peak_megabytes", "postgres_peak_megabytes")},
        "films": films,
        "database_megabytes": round(size / KB**2),
        "KB_a_film": round(size / KB / films, 1),
    }
    return {"figures": figures, "tables": tables}


def largest(tables: dict[str, dict[str, dict[str, float]]]) -> Sequence[dict[str, Any]]:
    """Return a line for each of the tables that are largest with any code."""

    def total(code: str, name: str) -> float:
        return round(sum(tables[code].get(name, {}).values()), 2)

    names = {name for each in tables.values() for name in each}
    ordered = sorted(names, key=lambda name: -max(total(code, name) for code in tables))
    return [{"table": name, **{code: total(code, name) for code in tables}} for name in ordered[:SHOWN]]


if __name__ == "__main__":
    main()
