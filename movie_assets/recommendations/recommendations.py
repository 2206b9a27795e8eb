"""The asset of recommendations: lists of films for all people with a watch history, updated with histories and model.

`recommendations.lists` makes a list from scores. People with too few films that the model knows get their list from
catalog.recommend_titles.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import dagster as dg
import numpy as np
import sqlalchemy as sa

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, copy_rows, execute
from movie_assets.recommendations.histories import Mask, within
from movie_assets.recommendations.lists import recommend
from movie_assets.recommendations.model import Parameters, input_weights
from movie_assets.recommendations.recommendation_model import recommendation_model
from movie_assets.recommendations.store import (
    StoredModel,
    catalogue_ids,
    parameters_of,
    read_histories,
    read_model,
    served_model,
)
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of

LIST = 30  # films for each person
CHUNK = 250  # people in one transaction, whose lists are lost when the process is killed
MIN_KNOWN = 3  # films that a person liked and the model knows; with fewer, its scores are mostly popularity
SECONDS_BETWEEN_REPORTS = 5.0
COLUMNS = {
    "person": "text", "place": "int2", "title_id": "int8", "score": "float4", "because": "int8[]",
    "because_weights": "float4[]",
}  # fmt: skip


Line = tuple[str, int, int, float, list[int], list[float]]  # in the order of COLUMNS


class DueList(NamedTuple):
    """A person whose list of a media type is due, with the number of changes of the history; None if there are none."""

    person: str
    media_type: str
    changes: int | None


class ListTotals(NamedTuple):
    """The numbers of lists, of films in them, and of different films."""

    lists: int
    films: int
    films_recommended: int


@dataclass(frozen=True)
class Recommender:
    """The served model of a media type with its parameters, and the films of it that can be recommended."""

    model_id: int
    stored: StoredModel
    parameters: Parameters
    is_recommendable: Mask


@dg.asset(group_name="recommendations", kinds={"scipy", "postgres"}, deps=[recommendation_model, "movie_vectors"])
@logged(checked="people_due")
def recommendations(
    context: dg.AssetExecutionContext,
    database: dg.ResourceParam[Database],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """A film in the list of thirty for a person with a watch history, with the films that are the reasons for it.

    Lists are made again for people whose history has changed, and for all people when the model is another one. A
    person has a list of each media type.
    """
    media_types = list(settings.media_types)
    due = database.fetch(DueList, "recommendations_due", media=media_types)
    recommenders = {media: _recommender(database, media) for media in {row.media_type for row in due}}
    people = sorted({row.person for row in due})
    started = reported = time.monotonic()
    by_model = 0
    for start in range(0, len(people), CHUNK):
        chunk = set(people[start : start + CHUNK])
        rows = [row for row in due if row.person in chunk]
        by_model += _make(database, recommenders, rows, media_types, run_time_of(context.run))
        if time.monotonic() - reported >= SECONDS_BETWEEN_REPORTS:
            reported = time.monotonic()
            context.log.info(f"lists of {min(start + CHUNK, len(people)):,} of {len(people):,} people")
    totals = database.fetch_one(ListTotals, "recommendation_totals", media=media_types)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": totals.films, "people_due": len(people), "lists_by_the_model": by_model,
            "lists_by_vectors": len(due) - by_model, "lists": totals.lists,
            "films_recommended": totals.films_recommended, "seconds": round(time.monotonic() - started, 2),
        }
    )  # fmt: skip


def _recommender(database: Database, media: str) -> Recommender | None:
    """Read the served model of a media type; None without one."""
    served = served_model(database, media)
    if served is None:
        return None
    stored = read_model(database, served.model_id)
    is_recommendable = np.isin(stored.films, catalogue_ids(database, media))
    return Recommender(served.model_id, stored, parameters_of(served), is_recommendable)


def _make(
    database: Database, recommenders: Mapping[str, Recommender | None], due: Sequence[DueList],
    media_types: Sequence[str], as_of: datetime,
) -> int:  # fmt: skip
    """Make the due lists of some people in one transaction; return how many of them are by a model."""
    people = {media: [row.person for row in due if row.media_type == media] for media in recommenders}
    lines = {
        media: list(_lines(database, recommender, media, people[media]))
        for media, recommender in recommenders.items()
        if recommender and people[media]
    }
    changes = {row.person: row.changes for row in due}
    by_model = {media: {line[0] for line in of_media} for media, of_media in lines.items()}

    def work(connection: sa.Connection) -> None:
        for media, recommender in recommenders.items():
            others = sorted(set(people[media]) - by_model.get(media, set()))
            execute(connection, "clear_recommendations", media=media, people=people[media])
            copy_rows(connection, "catalog.recommended_titles", COLUMNS, lines.get(media, ()))
            execute(connection, "recommend_live", media=media, people=others, count=LIST)
            execute(
                connection, "finish_lists", media=media, people=people[media], as_of=as_of,
                model_id=recommender.model_id if recommender else None,
            )  # fmt: skip
        execute(
            connection, "finish_changes", people=list(changes), changes=list(changes.values()), media=list(media_types)
        )

    database.once(work)
    return sum(map(len, by_model.values()))


def _lines(database: Database, recommender: Recommender, media: str, people: list[str]) -> Iterator[Line]:
    """Yield the rows of the lists of the people who liked enough films that the model knows."""
    model, parameters = recommender.stored, recommender.parameters
    known = within(read_histories(database, media, people), model.films)
    has_enough = np.bincount(known.person[known.is_liked], minlength=len(known.persons)) >= MIN_KNOWN
    given = input_weights(known, parameters)
    scores = model.weights.scores(given) + np.float32(parameters.prior) * model.popularity.prior
    scores[known.person, known.film] = -np.inf
    scores[:, ~recommender.is_recommendable] = -np.inf
    scores[~has_enough] = -np.inf
    lists = recommend(given, scores, model.weights, model.directions, LIST)
    for person, movies in zip(known.persons, lists, strict=True):
        for place, movie in enumerate(movies, 1):
            because = model.films[list(movie.because)].tolist()
            yield person, place, int(model.films[movie.movie]), movie.score, because, list(movie.weights)
