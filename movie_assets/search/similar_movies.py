"""Lists of the ten nearest films of every film, computed in advance, so that applications read them from a table.

sql/search/similar_lists.sql selects the lists that are due, and updates the lists around a film whose vector changed.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import mean
from typing import NamedTuple

import dagster as dg
import sqlalchemy as sa

from movie_assets.database.database import Database, copy_rows, execute, fetch_one
from movie_assets.embeddings.sets import ActiveSet
from movie_assets.runs.memory import return_freed_memory
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of
from movie_assets.search.nearest_films import MAX_FILMS, FilmVectors, SearchedVector

CHUNK = 500  # films in one transaction, which each connection can lose when a run is killed
CONNECTIONS = 2  # Postgres works on one core for each of them
LARGE_SHARE = 0.2  # of the films: if more changed, making all lists is cheaper than updating those around each film
MANY = 100  # films whose lists are made by comparing all vectors, which are read once for that
PAGE = 2_000  # vectors read at once
LENGTH = 10  # films in a list
LENGTH_WITH_ECHO = 50  # films near a changed film, in whose lists it may belong
COLUMNS = {"title_id": "int8", "similar_id": "int8", "similarity": "float8"}
TURNS = 100  # days in which every list is made again, as a changed film only updates the lists near it
SECONDS_BETWEEN_REPORTS = 5.0
SAMPLES = 20
MIN_RECALL = 0.95


class DueList(NamedTuple):
    """A film whose list is to be made, because its vector changed or because its list is outdated."""

    title_id: int
    is_changed: bool
    media_type: str


class MadeLists(NamedTuple):
    """The number of lists that were made, and of other lists that their films were moved in."""

    made: int
    moved: int


class ListSample(NamedTuple):
    """A film, and the share of its ten nearest films that its list has."""

    title_id: int
    recall: float


@dg.asset(group_name="search", kinds={"postgres"}, deps=["movie_vectors"])
@logged(checked=("films_changed", "films_around_them"), changed=("lists_made", "lists_moved"))
def similar_movies(
    context: dg.AssetExecutionContext, database: dg.ResourceParam[Database]
) -> dg.MaterializeResult[None]:
    """A film in the list of another film's ten nearest, with the features that both have.

    The lists of films whose vector changed are made again. In the lists around them, these films are moved to their new
    places; such a list is made again only if it lost one of its nearest films or if its turn has come. With a new
    embedding set all lists are made again, chunk by chunk; the old ones can be read meanwhile.
    """
    database.execute("outdate_similar_lists", turns=TURNS, turn=run_time_of(context.run).date().toordinal() % TURNS)
    due = database.fetch(DueList, "similar_due")
    changed = [film for film in due if film.is_changed]
    outdated = [film for film in due if not film.is_changed]
    is_large = len(changed) > LARGE_SHARE * database.fetch_value(int, "count_movies")
    if is_large:
        database.execute("outdate_similar_lists", turns=1, turn=0)
    made, moved = _make(context.log, database, changed, echo=not is_large)
    if changed:
        outdated = list(database.fetch(DueList, "similar_due"))
    made += _make(context.log, database, outdated, echo=False)[0]
    return dg.MaterializeResult(
        metadata={
            "films_changed": len(changed),
            "films_around_them": len(outdated) + moved,
            "lists_made": made,
            "lists_moved": moved,
        }
    )


def _make(log: dg.DagsterLogManager, database: Database, due: Sequence[DueList], *, echo: bool) -> tuple[int, int]:
    """Make lists that are due, those of each media type by themselves, as the films in a list are of one type."""
    made, moved = 0, 0
    for media_type in sorted({film.media_type for film in due}):
        films = [film.title_id for film in due if film.media_type == media_type]
        lists = _make_of_media(log, database, media_type, films, echo=echo)
        made, moved = made + lists.made, moved + lists.moved
    return made, moved


def _make_of_media(
    log: dg.DagsterLogManager, database: Database, media_type: str, films: Sequence[int], *, echo: bool
) -> MadeLists:
    """Make the lists of some films, chunk by chunk; with `echo`, also move the films in the lists around them.

    Returns the numbers of lists that were made and of other lists that changed. Two chunks are made at the same time,
    except with `echo`, as both chunks might change the same list.
    """
    vectors = None if len(films) < MANY else _vectors_to_compare(database, media_type)

    def make(start: int) -> MadeLists:
        chunk = list(films[start : start + CHUNK])
        if vectors is not None:
            return _store(database, vectors, chunk, echo=echo)
        (lists,) = database.execute_returning(MadeLists, "make_similar_lists", films=chunk, echo=echo)
        return lists

    made, moved, reported = 0, 0, time.monotonic()
    with ThreadPoolExecutor(1 if echo else CONNECTIONS) as threads:
        for chunk in threads.map(make, range(0, len(films), CHUNK)):
            made, moved = made + chunk.made, moved + chunk.moved
            if time.monotonic() - reported >= SECONDS_BETWEEN_REPORTS:
                reported = time.monotonic()
                log.info(f"{made:,} of {len(films):,} lists of similar films")
    return MadeLists(made, moved)


class _SetVectors(NamedTuple):
    """The number of the active set, and its vectors of one media type."""

    set_id: int
    vectors: FilmVectors


def _vectors_to_compare(database: Database, media_type: str) -> _SetVectors | None:
    """Return the active set's vectors of a media type; None if they are so many that the graph is faster."""
    active = database.fetch_optional(ActiveSet, "active_set")
    if active is None or database.fetch_value(int, "count_movies") > MAX_FILMS:
        return None
    compared = _SetVectors(active.set_id, FilmVectors(_pages(database, active.set_id, media_type)))
    return_freed_memory()  # the pages leave gaps between the hashes that are kept, as much as the vectors take
    return compared


def _pages(database: Database, set_id: int, media_type: str) -> Iterator[Sequence[SearchedVector]]:
    after = 0
    while page := database.fetch(
        SearchedVector, "searched_vectors", set_id=set_id, after=after, most=PAGE, media=media_type
    ):
        yield page
        after = page[-1].title_id


def _store(database: Database, compared: _SetVectors, films: Sequence[int], *, echo: bool) -> MadeLists:
    """Store the lists of some films, made by comparing all vectors."""
    hashes = {film: text_hash for film in films if (text_hash := compared.vectors.hash_of(film)) is not None}
    places = compared.vectors.nearest(list(hashes), LENGTH_WITH_ECHO if echo else LENGTH)

    def work(connection: sa.Connection) -> MadeLists:
        execute(connection, "stage_nearest_found")
        copy_rows(connection, "nearest_found", COLUMNS, places)
        return fetch_one(
            connection, MadeLists, "store_similar_lists", set_id=compared.set_id, films=list(hashes),
            hashes=list(hashes.values()), echo=echo,
        )  # fmt: skip

    return database.once(work)


@dg.asset_check(asset=similar_movies)
def lists_are_what_a_search_finds(
    context: dg.AssetCheckExecutionContext, database: dg.ResourceParam[Database]
) -> dg.AssetCheckResult:
    """The lists of similar films have the films that a search finds now: recall@10 is at least 0.95.

    Twenty films are compared, different ones each day.
    """
    samples = database.fetch(ListSample, "similar_samples", samples=SAMPLES, as_of=run_time_of(context.run))
    recall = mean(sample.recall for sample in samples) if samples else 1.0
    left = len(database.fetch(DueList, "similar_due"))
    passed = recall >= MIN_RECALL and not left
    problem = f"recall@10 is {recall:.2f}, at least {MIN_RECALL} expected; {left:,} lists are still to be made"
    return dg.AssetCheckResult(
        passed=passed,
        description=None if passed else problem,
        metadata={"recall_at_10": recall, "lists_read": len(samples), "lists_to_make": left},
    )
