"""Stage 6: the ten nearest films of every film, found beforehand, so that an application reads them from a table.

Which lists are to be made, and what a changed film does to the lists around it, is in sql/search/similar_lists.sql.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import mean
from typing import Any

import dagster as dg
import sqlalchemy as sa

from movie_assets.database.database import Database
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of

CHUNK = 500  # films in one transaction; what a kill can cost of each connection
CONNECTIONS = 2  # Postgres walks the graph on one core for each of them
LARGE = 0.2  # of the films changed: that all lists are made again is cheaper than to follow each of them
TURNS = 100  # days in which every list is made again: a changed film is followed only to the lists near it
SECONDS_BETWEEN_REPORTS = 5.0
SAMPLES = 20
MIN_RECALL = 0.95


@dg.asset(group_name="search", kinds={"postgres"}, deps=["movie_vectors"])
@logged(checked=("films_changed", "films_around_them"), changed=("lists_made", "lists_moved"))
def similar_movies(
    context: dg.AssetExecutionContext, database: dg.ResourceParam[Database]
) -> dg.MaterializeResult[None]:
    """A film in the list of another film's ten nearest, with what the two share.

    Made again for films whose vector changed; these move in the lists around them, of which only those are made again
    that lost one of their nearest, or whose turn it is. A new set makes all anew, film by film, while old lists go on
    being read.
    """
    database.execute("outdate_similar_lists", turns=TURNS, turn=run_time_of(context.run).date().toordinal() % TURNS)
    due = database.rows("similar_due")
    changed = [film.tmdb_id for film in due if film.is_changed]
    outdated = [film.tmdb_id for film in due if not film.is_changed]
    is_large = len(changed) > LARGE * database.row("count_movies").films
    if is_large:
        database.execute("outdate_similar_lists", turns=1, turn=0)
    made, moved = _make(context.log, database, changed, echo=not is_large)
    if changed:
        outdated = [film.tmdb_id for film in database.rows("similar_due")]
    made += _make(context.log, database, outdated, echo=False)[0]
    return dg.MaterializeResult(
        metadata={
            "films_changed": len(changed),
            "films_around_them": len(outdated) + moved,
            "lists_made": made,
            "lists_moved": moved,
        }
    )


def _make(log: dg.DagsterLogManager, database: Database, films: Sequence[int], *, echo: bool) -> tuple[int, int]:
    """Make lists chunk by chunk; tells how many, and how many others the films moved in.

    Two chunks at once, unless the films move in lists of others, which may be the same ones.
    """

    def make(start: int) -> sa.Row[Any]:
        return database.row("make_similar_lists", films=list(films[start : start + CHUNK]), echo=echo)

    made, moved, reported = 0, 0, time.monotonic()
    with ThreadPoolExecutor(1 if echo else CONNECTIONS) as threads:
        for chunk in threads.map(make, range(0, len(films), CHUNK)):
            made, moved = made + chunk.made, moved + chunk.moved
            if time.monotonic() - reported >= SECONDS_BETWEEN_REPORTS:
                reported = time.monotonic()
                log.info(f"{made:,} of {len(films):,} lists of similar films")
    return made, moved


@dg.asset_check(asset=similar_movies)
def lists_are_what_a_search_finds(
    context: dg.AssetCheckExecutionContext, database: dg.ResourceParam[Database]
) -> dg.AssetCheckResult:
    """The lists of similar films hold what a search finds now: recall@10 of at least 0.95.

    Twenty films are compared, others each day.
    """
    samples = database.rows("similar_samples", samples=SAMPLES, as_of=run_time_of(context.run))
    recall = mean(sample.recall for sample in samples) if samples else 1.0
    left = len(database.rows("similar_due"))
    passed = recall >= MIN_RECALL and not left
    told = f"recall@10 is {recall:.2f}, at least {MIN_RECALL} expected; {left:,} lists are still to be made"
    return dg.AssetCheckResult(
        passed=passed,
        description=None if passed else told,
        metadata={"recall_at_10": recall, "lists_read": len(samples), "lists_to_make": left},
    )
