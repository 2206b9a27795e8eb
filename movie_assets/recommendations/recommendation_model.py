"""What people with watch histories like together, as weights from film to film; which model that is, is in the core.

There is none while nobody, or too few people, have a history: `recommendations` then goes by vectors alone.
"""

import json
import time
from typing import Any

import dagster as dg
import sqlalchemy as sa

from movie_assets.database.database import Database, copy_rows, execute, rows
from movie_assets.recommendations.histories import Histories
from movie_assets.recommendations.model import (
    MIN_PEOPLE,
    Fitted,
    Parameters,
    films_of,
    fit,
    method_version,
    tune,
)
from movie_assets.recommendations.store import read_learnable
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of

COLUMNS = {
    "model_id": "int4", "tmdb_id": "int8", "popularity": "float4", "others": "int8[]", "weights": "float4[]",
    "directions": "float4[]",
}  # fmt: skip


@dg.asset(group_name="recommendations", kinds={"scipy", "postgres"}, deps=["movie_details", "watch_histories"])
@logged(checked="persons")
def recommendation_model(
    context: dg.AssetExecutionContext,
    database: dg.ResourceParam[Database],
    learn_from_content: dg.ResourceParam[bool],
) -> dg.MaterializeResult[None]:
    """A film with what liking it says for and against 200 others, learnt from watch histories and films' content.

    Learnt again when 2 % of the histories' entries are new or gone, or any are and the model is a week old, and when
    MOVIE_ASSETS_LEARN_FROM_CONTENT was changed. With that setting off, content has no part in it.
    """
    as_of = run_time_of(context.run)
    method = method_version(learn_from_content=learn_from_content)
    inputs = database.row("recommendation_inputs", method=method, as_of=as_of)
    if inputs.persons < MIN_PEOPLE:
        says = "there are no watch histories" if not inputs.entries else f"only {inputs.persons} people have a history"
        context.log.info(f"{says}; a model needs those of {MIN_PEOPLE}")
        return dg.MaterializeResult(metadata={"is_new": False, "persons": inputs.persons, "why": says})
    if inputs.is_due:
        started = time.monotonic()
        learnable = read_learnable(database, learn_from_content=learn_from_content)
        context.log.info(f"{inputs.persons:,} people, {len(learnable.histories.films):,} films")
        parameters = tune(learnable.histories, learnable.content, context.log.info)
        fitted = fit(learnable.histories, learnable.content, parameters)
        _store(database, fitted, learnable.histories, {
            "method": method, "inputs": inputs.inputs, "entries": inputs.entries, "newest": inputs.newest,
            "parameters": json.dumps(parameters.as_json()),
            "fitted_at": as_of, "seconds": time.monotonic() - started,
        })  # fmt: skip
    return dg.MaterializeResult(metadata={"is_new": bool(inputs.is_due), **_reported(database.row("served_model"))})


def _store(database: Database, fitted: Fitted, histories: Histories, said: dict[str, Any]) -> None:
    """Put a model in the place of the one before it, in one transaction."""

    def work(connection: sa.Connection) -> None:
        (recorded,) = rows(
            connection, "record_model", kind=fitted.kind, persons=len(histories.persons),
            films=len(histories.films), likes=fitted.likes, **said,
        )  # fmt: skip
        films = histories.films
        lines = (
            (recorded.model_id, int(films[place]), popularity, films[others].tolist(), weights.tolist(), sides.tolist())
            for place, popularity, others, weights, sides in films_of(fitted)
        )
        copy_rows(connection, "pipeline.film_weights", COLUMNS, lines)
        execute(connection, "serve_model", model_id=recorded.model_id)
        execute(connection, "mark_served", model_id=recorded.model_id)

    database.once(work)


def parameters_of(model: sa.Row[Any]) -> Parameters:
    """The parameters that a stored model was made with."""
    return Parameters(**model.parameters)


def _reported(model: sa.Row[Any]) -> dict[str, Any]:
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
