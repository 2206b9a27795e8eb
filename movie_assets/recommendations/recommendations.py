"""Lists of films for everybody who has a watch history, kept in line with the histories and the model.

How a list is made of scores is in `recommendations.lists`; people of whom the model knows too little get theirs from
catalog.recommend_movies.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import dagster as dg
import numpy as np
import sqlalchemy as sa

from movie_assets.database.database import Database, copy_rows, execute
from movie_assets.recommendations.histories import Mask, within
from movie_assets.recommendations.lists import recommend
from movie_assets.recommendations.model import Parameters, given_by
from movie_assets.recommendations.recommendation_model import parameters_of, recommendation_model
from movie_assets.recommendations.store import StoredModel, catalogue_ids, read_histories, read_model
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of

LIST = 30  # films for each person
CHUNK = 250  # people in one transaction; what a kill can cost
MIN_KNOWN = 3  # films that somebody liked and the model knows; below, what it says is popularity
SECONDS_BETWEEN_REPORTS = 5.0
COLUMNS = {
    "person": "text", "place": "int2", "tmdb_id": "int8", "score": "float4", "because": "int8[]",
    "because_weights": "float4[]",
}  # fmt: skip


@dataclass(frozen=True)
class Recommender:
    """The served model with what lists are made with."""

    model_id: int
    stored: StoredModel
    parameters: Parameters
    is_recommendable: Mask


@dg.asset(group_name="recommendations", kinds={"scipy", "postgres"}, deps=[recommendation_model, "movie_vectors"])
@logged(checked="people_due")
def recommendations(
    context: dg.AssetExecutionContext, database: dg.ResourceParam[Database]
) -> dg.MaterializeResult[None]:
    """A film in the list of thirty for a person with a watch history, with the films that speak for it.

    Made again for people whose history changed, and for all, a few hundred at a time, when the model is another one.
    """
    due = database.rows("recommendations_due")
    recommender = _recommender(database) if due else None
    started = reported = time.monotonic()
    by_model = 0
    for start in range(0, len(due), CHUNK):
        by_model += _make(database, recommender, due[start : start + CHUNK], run_time_of(context.run))
        if time.monotonic() - reported >= SECONDS_BETWEEN_REPORTS:
            reported = time.monotonic()
            context.log.info(f"lists of {min(start + CHUNK, len(due)):,} of {len(due):,} people")
    totals = database.row("recommendation_totals")
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": int(totals.films), "people_due": len(due), "lists_by_the_model": by_model,
            "lists_by_vectors": len(due) - by_model, "lists": totals.lists,
            "films_recommended": totals.films_recommended, "seconds": round(time.monotonic() - started, 2),
        }
    )  # fmt: skip


def _recommender(database: Database) -> Recommender | None:
    found = database.rows("served_model")
    if not found:
        return None
    stored = read_model(database, found[0].model_id)
    is_recommendable = np.isin(stored.films, catalogue_ids(database))
    return Recommender(found[0].model_id, stored, parameters_of(found[0]), is_recommendable)


def _make(database: Database, recommender: Recommender | None, due: Sequence[sa.Row[Any]], as_of: datetime) -> int:
    """Make the lists of some people in one transaction; tells how many are the model's."""
    people = [row.person for row in due]
    lines = list(_lines(database, recommender, people)) if recommender else []
    others = sorted(set(people) - {line[0] for line in lines})

    def work(connection: sa.Connection) -> None:
        execute(connection, "clear_recommendations", people=people)
        copy_rows(connection, "catalog.recommendations", COLUMNS, lines)
        execute(connection, "recommend_live", people=others, count=LIST)
        execute(
            connection, "finish_lists", people=people, changes=[row.changes for row in due], as_of=as_of,
            model_id=recommender.model_id if recommender else None,
        )  # fmt: skip

    database.once(work)
    return len(people) - len(others)


def _lines(database: Database, by: Recommender, people: list[str]) -> Iterator[tuple[Any, ...]]:
    """Rows of the lists of those of some people who liked enough films that the model knows."""
    films = by.stored.films
    known = within(read_histories(database, people), films)
    enough = np.bincount(known.person[known.is_liked], minlength=len(known.persons)) >= MIN_KNOWN
    given = given_by(known, by.parameters)
    scores = by.stored.weights.scores(given) + np.float32(by.parameters.prior) * by.stored.popularity.prior
    scores[known.person, known.film] = -np.inf
    scores[:, ~by.is_recommendable] = -np.inf
    scores[~enough] = -np.inf
    lists = recommend(given, scores, by.stored.weights, by.stored.directions, LIST)
    for person, found in zip(known.persons, lists, strict=True):
        for place, film in enumerate(found, 1):
            because = films[list(film.because)].tolist()
            yield person, place, int(films[film.film]), film.score, because, list(film.weights)
