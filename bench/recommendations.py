"""Load MovieLens ratings, learn, recommend and evaluate through the job `recommend`; print the table and peak memory.

An embedded Postgres of its own in a temporary folder. `--ratings` is a MovieLens folder (ratings.csv, links.csv);
`--details` has responses of /movie/{id}, a line each (.gz too), that the catalogue is made of: only its films can be
recommended. Usage: recommendations.py --ratings FOLDER [--details FILE] [--within] [--json FILE]
"""

import argparse
import gzip
import json
import resource
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import pandas as pd
from made_up_vectors import FILM_COLUMNS, new_set, server_of_ones_own
from tables import print_rows

from movie_assets.catalog.eligibility import derive
from movie_assets.config.paths import CHECKOUT
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, copy_rows, execute
from movie_assets.embeddings.hashing import hashed_vectors
from movie_assets.recommendations.quality import PROTOCOLS
from movie_assets.recommendations.recommendation_quality import ModelQuality, table_of
from movie_assets.tmdb.json_values import UnusableResponseError, read_json
from movie_assets.tmdb.movies import Movie

sys.path.insert(0, str(CHECKOUT))  # where the tests are
from movie_assets_tests.support.definitions import defs

NOW = datetime.now(UTC)
HISTORY = {"person": "text", "title_id": "int8", "source": "text", "rating": "float4", "seen_at": "timestamptz"}
DIMENSIONS = 1536


class Item(NamedTuple):
    """A film, and the text that the pipeline embeds for it."""

    film: Movie
    text: str


def main() -> None:
    """Load, run twice, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ratings", type=Path, required=True)
    parser.add_argument("--details", type=Path)
    parser.add_argument("--within", action="store_true", help="leave out ratings of films that are not in --details")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    arguments = parser.parse_args()
    with server_of_ones_own("recommend") as (_, database), dg.DagsterInstance.ephemeral() as instance:
        figures: dict[str, Any] = {"films in the catalogue": put_catalogue(database, arguments.details)}
        figures |= put_histories(database, arguments.ratings, within=arguments.within)
        with database.transaction() as connection:
            connection.exec_driver_sql("analyze")
        for name in ("recommend", "recommend, nothing changed"):
            started = time.perf_counter()
            result = run(database, instance)
            figures[f"{name} (s)"] = time.perf_counter() - started
            figures |= {f"{name}: {key}": value for key, value in numbers_of(result).items()}
        usage = resource.getrusage(resource.RUSAGE_SELF)
        figures["CPU of the process (s)"] = usage.ru_utime + usage.ru_stime
        figures["peak memory of the process (MB)"] = usage.ru_maxrss / 1024
        found = database.fetch(ModelQuality, "recommendation_quality", media=["movie"])
    for name, value in figures.items():
        print(f"{name}: {value:,.2f}" if isinstance(value, float) else f"{name}: {value}")
    for protocol, _ in PROTOCOLS:
        rows = [row for row in found if row.protocol == protocol]
        print(f"\n{protocol} hidden, {rows[0].persons if rows else 0} people\n")
        print_rows([dict(record.data) for record in table_of(rows).records])
    if arguments.json:
        rows_as_json = [row._asdict() for row in found]
        arguments.json.write_text(json.dumps(figures | {"rows": rows_as_json}, indent=2, default=str) + "\n")


def put_histories(database: Database, folder: Path, *, within: bool) -> dict[str, int]:
    """Store ratings of films that have a TMDB id; of two MovieLens films with the same id, the later rating.

    With `within`, only ratings of films in the catalogue.
    """
    ratings, links = pd.read_csv(folder / "ratings.csv"), pd.read_csv(folder / "links.csv")
    joined = ratings.merge(links[["movieId", "tmdbId"]].dropna(), on="movieId").sort_values("timestamp")
    last = joined.drop_duplicates(["userId", "tmdbId"], keep="last")
    lines = (
        (f"movielens:{user}", int(film), "movielens", 20 * rating, datetime.fromtimestamp(seconds, UTC))
        for user, film, rating, seconds in last[["userId", "tmdbId", "rating", "timestamp"]].itertuples(index=False)
    )
    with database.transaction() as connection:
        copy_rows(connection, "catalog.watched_titles", HISTORY, lines)
        if within:
            connection.exec_driver_sql(
                "delete from catalog.watch_histories h where not exists (select from catalog.movies m "
                "where m.tmdb_id = h.tmdb_id)"
            )
    return {
        "ratings": len(ratings), "of films with a TMDB id": len(joined), "kept": len(last),
        "films without a TMDB id": int(links.tmdbId.isna().sum()),
        "TMDB ids of several films": int(links.tmdbId.dropna().duplicated().sum()),
    }  # fmt: skip


def put_catalogue(database: Database, details: Path | None) -> int:
    """Store films of recorded details with local vectors, make them searchable, and return their number."""
    items = read_items(details) if details else []
    with database.transaction() as connection:
        copy_rows(connection, "catalog.titles", FILM_COLUMNS, lines_of(items))
        connection.exec_driver_sql(
            "insert into catalog.movie_stats select tmdb_id, 1, 7, 100, now() from catalog.movies"
        )
    if items:
        set_id = new_set(database, DIMENSIONS)
        vectors = hashed_vectors([item.text for item in items], DIMENSIONS)
        columns = {"title_id": "int8", "text_hash": "text", "embedding": "vector"}
        with database.transaction() as connection:
            execute(connection, "stage_embeddings")
            hashed = ((i.film.tmdb_id, f"{i.film.tmdb_id:064x}", v) for i, v in zip(items, vectors, strict=True))
            copy_rows(connection, "incoming_embeddings", columns, hashed)
            execute(connection, "store_embeddings", set_id=set_id, as_of=NOW)
        database.execute("refresh_vectors", set_id=set_id)
        database.execute("build_vector_index", set_id=set_id, anew=False)
        database.execute("activate_set", set_id=set_id, hold=False)
    return len(items)


def read_items(path: Path) -> list[Item]:
    """Films as the pipeline reads them, whatever the profiles decide; responses that are no film are left out."""
    items = {}
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as lines:
        for line in lines:
            try:
                body = read_json(line)
                if not isinstance(body, dict):
                    continue
                derived = derive(body, body["id"])
            except (UnusableResponseError, KeyError, TypeError):
                continue
            if isinstance(derived.title, Movie):
                items[derived.title.tmdb_id] = Item(derived.title, derived.text)
    return list(items.values())


def lines_of(items: list[Item]) -> Iterator[tuple[Any, ...]]:
    """Yield films as rows of FILM_COLUMNS."""
    for film, text in items:
        yield (
            film.tmdb_id, film.title, film.original_title, film.original_language, film.release_date,
            film.runtime_minutes, list(film.genres), list(film.keywords), list(film.directors),
            list(film.leading_cast), [], None, text, f"{film.tmdb_id:064x}", NOW,
        )  # fmt: skip


def run(database: Database, instance: dg.DagsterInstance) -> Any:
    """Run the job as the pipeline does."""
    return defs.resolve_job_def("recommend").execute_in_process(
        instance=instance,
        run_config={"loggers": {"console": {}}},
        resources={
            "database": database,
            "tmdb": None,
            "embedder": None,
            "settings": Settings.model_validate({}),
        },
    )


def numbers_of(result: Any) -> dict[str, Any]:
    """Return the numbers in the metadata of the run's materializations."""
    return {
        f"{event.step_key} {name}": value.value
        for event in result.get_asset_materialization_events()
        for name, value in event.step_materialization_data.materialization.metadata.items()
        if isinstance(value.value, int | float) and event.step_key != "recommendation_quality"
    }


if __name__ == "__main__":
    main()
