"""Taking in files of ratings, and scoring 50,000 films and their groups: seconds and peak memory of each.

Films, people and files are made up and put straight into Postgres or a folder; then the assets run through Dagster,
each in a process of its own, whose CPU time and peak memory are measured from its start.
"""

import gzip
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
from made_up_vectors import server_of_ones_own
from processes import peak_megabytes, run_in_process
from tables import in_rounds, parser_of, print_section, write_figures

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.ratings.rating_aggregates import rating_aggregates
from movie_assets.ratings.rating_sources import imdb_ratings, movielens_ratings

TITLES = 1_600_000  # IMDb has so many with votes
CHUNK = 1_000_000
ASSETS = {asset.key.to_user_string(): asset for asset in (imdb_ratings, movielens_ratings, rating_aggregates)}
# Five leads and a director a film, from people who are drawn as unevenly as they are in the world.
CATALOGUE = (
    """
    insert into catalog.movies (
        tmdb_id, imdb_id, title, original_title, original_language, release_date, genres, keywords, directors,
        leading_cast, countries, collection_id, embedding_text, text_hash, changed_at
    )
    select n, 'tt' || lpad((n * 30)::text, 7, '0'), 'Film ' || n, 'Film ' || n,
        (array['en', 'en', 'fr', 'ja', 'es', 'ko', 'de'])[1 + n %% 7], date '1990-01-01' + n %% 13000,
        (array['Drama', 'Comedy', 'Action', 'Horror', 'Crime', 'War', 'Romance'])[1 + n %% 7: 2 + (n * 3) %% 7], '{}',
        '{}', '{}', (array['US', 'GB', 'FR', 'JP'])[1 + n %% 4: 1 + (n * 7) %% 4],
        case when n %% 8 = 0 then n / 24 end, '', n::text, now()
    from generate_series(1, %(films)s) n
    """,
    """
    insert into catalog.movie_stats
    select n, 1, round((4 + 4 * random())::numeric, 1), (10 ^ (1 + 3.5 * random()))::integer, now()
    from generate_series(1, %(films)s) n
    """,
    "insert into catalog.people select n, 'Person ' || n from generate_series(0, %(films)s * 2) n",
    """
    insert into catalog.movie_cast
    select distinct on (n, p) n, p, r, null
    from generate_series(1, %(films)s) n, generate_series(0, 4) r,
        lateral (select (%(films)s * 2 * random() ^ 3 + n * 0)::integer + r * 0 as p) x
    """,
    """
    insert into catalog.movie_crew
    select n, (%(films)s * random() ^ 3)::integer, 'Director', 'Directing' from generate_series(1, %(films)s) n
    """,
    "analyze",
)


def run(address: str, name: str, settings: Settings) -> dict[str, Any]:
    """Materialize one asset in this process; return its seconds, peak memory and row counts."""
    database = Database(address)
    with dg.DagsterInstance.ephemeral() as instance:
        began = time.monotonic()
        result = dg.materialize(
            [ASSETS[name]],
            instance=instance,
            resources={"database": database, "settings": settings},
        )
        seconds = time.monotonic() - began
    (event,) = result.get_asset_materialization_events()
    metadata = event.step_materialization_data.materialization.metadata
    rows = {key: metadata[key].value if key in metadata else 0 for key in ("rows_in", "rows_out")}
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures = {"seconds": seconds, "cpu_seconds": used.ru_utime + used.ru_stime}
    rounded = {key: round(value, 1) for key, value in figures.items()}
    return {"asset": name, **rounded, "peak_megabytes": round(peak_megabytes()), **rows}


def write_movielens(folder: Path, ratings: int, films: int) -> None:
    """Write so many ratings; popular movies have more than others."""
    chance = np.random.default_rng(1)
    movies = films * 2
    pd.DataFrame({"movieId": range(1, movies + 1), "imdbId": 1, "tmdbId": range(1, movies + 1)}).to_csv(
        folder / "links.csv", index=False
    )
    with (folder / "ratings.csv").open("w") as file:
        for begin in range(0, ratings, CHUNK):
            size = min(CHUNK, ratings - begin)
            pd.DataFrame(
                {
                    "userId": np.arange(begin, begin + size) // 100,
                    "movieId": 1 + (movies * chance.random(size) ** 3).astype(int),
                    "rating": chance.integers(1, 11, size) / 2,
                    "timestamp": 1_600_000_000,
                }
            ).to_csv(file, index=False, header=not begin)


def write_imdb(path: Path) -> None:
    """Write IMDb's file with as many titles as it has."""
    chance = np.random.default_rng(2)
    values, votes = chance.integers(10, 101, TITLES) / 10, (10 ** (1 + 4 * chance.random(TITLES))).astype(int)
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.write("tconst\taverageRating\tnumVotes\n")
        file.writelines(
            f"tt{n:07}\t{value}\t{number}\n"
            for n, (value, number) in enumerate(zip(values.tolist(), votes.tolist(), strict=True), start=1)
        )


def main() -> None:
    """Measure, print the tables and write the figures."""
    parser = parser_of(__doc__)
    parser.add_argument("--films", type=int, default=50_000)
    parser.add_argument("--ratings", type=int, default=15_000_000, help="ratings of MovieLens' kind")
    options = parser.parse_args()
    found, kept = in_rounds(options.rounds, lambda: one_round(options.films, options.ratings))
    configuration = (
        f"Made-up ratings of {options.films:,} films taken in, {TITLES:,} of IMDb's kind and {options.ratings:,} of "
        "MovieLens'; then films and groups scored by two methods, and asked for once more, when nothing has changed. "
        "Each asset in a process of its own, whose start is in CPU and memory, not in the seconds; medians of "
        f"{options.rounds} rounds, each from an empty database."
    )
    print_section("Ratings", configuration, found)
    write_figures(options.json, kept)


def one_round(films: int, ratings: int) -> list[dict[str, Any]]:
    """Make the catalogue and the files, and run the assets."""
    with tempfile.TemporaryDirectory() as home, server_of_ones_own("ratings") as (address, database):
        with database.transaction() as connection:
            for statement in CATALOGUE:
                connection.exec_driver_sql(statement, {"films": films})
        folder = Path(home) / "ml"
        folder.mkdir()
        write_movielens(folder, ratings, films)
        write_imdb(Path(home) / "title.ratings.tsv.gz")
        files = {"imdb_ratings": f"{home}/title.ratings.tsv.gz", "movielens_ratings": str(folder)}
        settings = Settings.model_validate(files)
        names = ("imdb_ratings", "movielens_ratings", "rating_aggregates", "rating_aggregates")
        return [run_in_process(run, address, name, settings) for name in names]


if __name__ == "__main__":
    main()
