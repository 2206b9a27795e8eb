"""The asset of the recommendation model: weights from film to film, learnt from watch histories.

`recommendations.model` fits the model. There is none while too few people have a history; `recommendations` then makes
its lists from vectors alone.
"""

import json
import time
from datetime import datetime
from typing import NamedTuple

import dagster as dg
import sqlalchemy as sa

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, copy_rows, execute, fetch_value
from movie_assets.recommendations.histories import Histories
from movie_assets.recommendations.model import (
    MIN_PEOPLE,
    Fitted,
    fit,
    method_version,
    tune,
    weights_of,
)
from movie_assets.recommendations.store import Metadata, ServedModel, read_learnable, served_model
from movie_assets.runs.metadata_tables import of_media
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of
from movie_assets.tmdb.media import MOVIES

COLUMNS = {
    "model_id": "int4", "title_id": "int8", "popularity": "float4", "others": "int8[]", "weights": "float4[]",
    "directions": "float4[]",
}  # fmt: skip


class ModelInputs(NamedTuple):
    """The histories of a media type to learn a model from, a fingerprint of them, and whether a model is due."""

    entries: int
    persons: int
    newest: datetime | None
    inputs: str
    model_id: int | None
    is_due: bool


@dg.asset(group_name="recommendations", kinds={"scipy", "postgres"}, deps=["movie_details", "watch_histories"])
@logged(checked="persons")
def recommendation_model(
    context: dg.AssetExecutionContext,
    database: dg.ResourceParam[Database],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """A film with its weights for and against 200 others, learnt from watch histories and films' content.

    It is learnt again when 2 % of the histories' entries are new or deleted, when any are and the model is a week old,
    and when MOVIE_ASSETS_LEARN_FROM_CONTENT has changed. With that setting off, content is not used. Each media type
    has a model of its own, which is learnt from the histories of that type.
    """
    metadata: Metadata = {}
    for media in settings.media_types:
        metadata |= of_media(media, _learn(context.log, database, settings, media, run_time_of(context.run)))
    return dg.MaterializeResult(metadata=metadata)


def _learn(log: dg.DagsterLogManager, database: Database, settings: Settings, media: str, as_of: datetime) -> Metadata:
    """Learn the model of a media type if it is due and there are enough people; return the metadata of the model."""
    method = method_version(learn_from_content=settings.learn_from_content)
    inputs = database.fetch_one(ModelInputs, "recommendation_inputs", media=media, method=method, as_of=as_of)
    if inputs.persons < MIN_PEOPLE:
        of = "" if media == MOVIES.name else f" of {media}"
        reason = (
            f"there are no watch histories{of}"
            if not inputs.entries
            else f"only {inputs.persons} people have a history{of}"
        )
        log.info(f"{reason}; a model needs those of {MIN_PEOPLE}")
        return {"is_new": False, "persons": inputs.persons, "why": reason}
    if inputs.is_due:
        started = time.monotonic()
        learnable = read_learnable(database, media, learn_from_content=settings.learn_from_content)
        log.info(f"{inputs.persons:,} people, {len(learnable.histories.films):,} films")
        parameters = tune(learnable.histories, learnable.content, log.info)
        fitted = fit(learnable.histories, learnable.content, parameters)
        _store(database, media, fitted, learnable.histories, {
            "method": method, "inputs": inputs.inputs, "entries": inputs.entries, "newest": inputs.newest,
            "parameters": json.dumps(parameters.as_json()),
            "fitted_at": as_of, "seconds": time.monotonic() - started,
        })  # fmt: skip
    model = served_model(database, media)
    return {"is_new": inputs.is_due, **(_metadata_of(model) if model else {})}


def _store(database: Database, media: str, fitted: Fitted, histories: Histories, record: dict[str, object]) -> None:
    """Replace the served model of a media type in one transaction.

    `record` has further columns of pipeline.recommendation_models.
    """

    def work(connection: sa.Connection) -> None:
        model_id = fetch_value(
            connection, int, "record_model", media=media, kind=fitted.kind, persons=len(histories.persons),
            films=len(histories.films), likes=fitted.likes, **record,
        )  # fmt: skip
        films = histories.films
        lines = (
            (model_id, int(films[place]), popularity, films[others].tolist(), weights.tolist(), direction.tolist())
            for place, popularity, others, weights, direction in weights_of(fitted)
        )
        copy_rows(connection, "pipeline.title_weights", COLUMNS, lines)
        execute(connection, "serve_model", media=media, model_id=model_id)
        execute(connection, "mark_served", model_id=model_id)

    database.once(work)


def _metadata_of(model: ServedModel) -> Metadata:
    return {
        "dagster/row_count": model.films_with_weights,
        "model": model.kind,
        "method": model.method_version,
        "persons": model.persons,
        "films": model.films,
        "likes": model.likes,
        "fitted_at": model.fitted_at.isoformat(),
        "seconds_to_learn": round(model.seconds, 1),
        **{f"parameter_{name}": float(value) for name, value in model.parameters.items()},
    }
