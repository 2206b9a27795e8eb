"""Stage 3b: ratings from other sources than TMDB. Each asset is disabled until a setting names its file.

`ratings.store` loads a file; `ratings.file_formats` and `ratings.movielens` parse its lines.
"""

from collections.abc import Iterator

import dagster as dg

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.ratings.downloads import Opened
from movie_assets.ratings.file_formats import Rating, read_csv, read_imdb
from movie_assets.ratings.movielens import RatingSums, read_links
from movie_assets.ratings.store import Loader, RatingsConfig, Reading, load_ratings
from movie_assets.runs.run_log import logged

MAX_NAMED = 20  # links in a run's metadata
Results = Iterator[dg.MaterializeResult[None]]


@dg.asset(
    group_name="source",
    kinds={"python", "postgres"},
    deps=["movie_details"],
)
@logged(checked="rows_in", skipped="rows_rejected", changed="rows_changed", gone="rows_removed")
def imdb_ratings(
    context: dg.AssetExecutionContext,
    config: RatingsConfig,
    database: dg.ResourceParam[Database],
    settings: dg.ResourceParam[Settings],
) -> Results:
    """A film's average and votes at IMDb, from its daily file. Off until MOVIE_ASSETS_IMDB_RATINGS is set.

    Films are found by their IMDb ids. A file that did not change is not fetched again.
    """
    yield from load_ratings(context, database, settings, IMDB, config)


@dg.asset(
    group_name="source",
    kinds={"pandas", "postgres"},
)
@logged(checked="rows_in", skipped="rows_rejected", changed="rows_changed", gone="rows_removed")
def movielens_ratings(
    context: dg.AssetExecutionContext,
    config: RatingsConfig,
    database: dg.ResourceParam[Database],
    settings: dg.ResourceParam[Settings],
) -> Results:
    """A film's average and votes in a release of MovieLens. Off until MOVIE_ASSETS_MOVIELENS_RATINGS is set.

    Movies without a TMDB id are left out, movies with the same one counted together; the run names them.
    """
    yield from load_ratings(context, database, settings, MOVIELENS, config)


@dg.asset(
    group_name="source",
    kinds={"python", "postgres"},
    deps=["movie_details"],
)
@logged(checked="rows_in", skipped="rows_rejected", changed="rows_changed", gone="rows_removed")
def csv_ratings(
    context: dg.AssetExecutionContext,
    config: RatingsConfig,
    database: dg.ResourceParam[Database],
    settings: dg.ResourceParam[Settings],
) -> Results:
    """A film's value and votes at a source of your own, from a CSV. Off until MOVIE_ASSETS_RATINGS_CSV is set.

    Its first line names the columns: tmdb_id or imdb_id, source, scale_min, scale_max, value, votes and, if you like,
    seen_at.
    """
    yield from load_ratings(context, database, settings, CSV, config)


def _imdb(file: Opened, reading: Reading) -> Iterator[Rating]:
    return read_imdb(file.lines(), reading.films, reading.counts, file.made_at or reading.as_of)


def _csv(file: Opened, reading: Reading) -> Iterator[Rating]:
    seen_at = file.made_at or reading.as_of
    return read_csv(file.lines(), reading.films, reading.counts, seen_at, latest=reading.as_of)


def _movielens(file: Opened, reading: Reading) -> Iterator[Rating]:
    """Add up all ratings, and return an iterator over each film's average.

    Movies without a TMDB id and movies with the same one are added to the remarks of the reading.
    """
    import pandas as pd

    counts = reading.counts
    with file.part("links.csv") as stream:
        links = read_links(pd.concat(stream.frames()), counts)
    sums = RatingSums(links)
    with file.part("ratings.csv") as stream:
        read = 0
        for chunk in stream.frames():
            sums.add(chunk, counts)
            read += len(chunk)
        if (skipped := stream.lines_read - 1 - read) > 0:
            counts.reject("bad_line", f"{skipped} lines with too many fields")
            counts.rejected += skipped - 1
    reading.remarks |= {
        "movies": len(links.movies),
        "movies_without_tmdb_id": len(links.without_film),
        "films_of_several_movies": len(links.same_film),
        "links": dg.MetadataValue.json(
            {
                "movies_without_tmdb_id": links.without_film[:MAX_NAMED],
                "movies_of_one_film": {str(k): v for k, v in list(links.same_film.items())[:MAX_NAMED]},
            }
        ),
    }
    return sums.ratings(file.made_at or reading.as_of)


IMDB = Loader("imdb", "MOVIE_ASSETS_IMDB_RATINGS", _imdb, by_imdb_id=True)
MOVIELENS = Loader("movielens", "MOVIE_ASSETS_MOVIELENS_RATINGS", _movielens)
CSV = Loader("csv", "MOVIE_ASSETS_RATINGS_CSV", _csv, by_imdb_id=True)
