"""Stage 6: one defensible score for each film and each group of films. The method is `core.ratings`."""

from datetime import datetime
from typing import Any

import dagster as dg
import pandas as pd
import sqlalchemy as sa

from movie_assets.core.ratings import METHOD_VERSION, film_scores, group_scores, membership_of
from movie_assets.moment import moment_of
from movie_assets.resources.postgres import Database, copy_rows, execute

COLUMNS = {
    "scope": "text", "key": "text", "films": "int4", "votes": "int8", "score": "float8", "score_low": "float8",
    "score_high": "float8", "method_version": "text", "computed_at": "timestamptz",
}  # fmt: skip


@dg.asset(group_name="search", kinds={"pandas", "postgres"}, deps=["movie_details"])
def rating_aggregates(
    context: dg.AssetExecutionContext, database: dg.ResourceParam[Database]
) -> dg.MaterializeResult[None]:
    """A score on 0-100 with a 95 % interval: of a film, or of the films of a genre, year, decade or language.

    Averages of few votes are drawn towards what is usual, so that one vote of 10 does not lead the list.
    """
    films = database.frame("rated_films")
    aggregates = _aggregate(films)
    _replace(database, aggregates, moment_of(context.run))
    by_scope = aggregates["scope"].value_counts()
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(aggregates),
            "rows_in": len(films),
            "rows_out": len(aggregates),
            **{f"rows_{scope}": int(count) for scope, count in by_scope.items()},
            "method_version": METHOD_VERSION,
        }
    )


def _aggregate(films: pd.DataFrame) -> pd.DataFrame:
    scores = film_scores(films)
    by_film = scores.assign(scope="film", key=scores["tmdb_id"].astype("string"), films=1)
    return pd.concat([by_film, group_scores(scores, membership_of(films))], ignore_index=True)


def _replace(database: Database, aggregates: pd.DataFrame, moment: datetime) -> None:
    whole = aggregates.assign(method_version=METHOD_VERSION, computed_at=moment)[list(COLUMNS)]
    lines: list[list[Any]] = whole.astype(object).to_numpy().tolist()

    def work(connection: sa.Connection) -> None:
        execute(connection, "clear_aggregates")
        copy_rows(connection, "catalog.rating_aggregates", COLUMNS, lines)

    database.once(work)


@dg.asset_check(asset=rating_aggregates)
def totals_reconcile(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Films and votes in the scores are those of the catalogue, and the groups add up to them."""
    t = database.row("aggregate_totals")
    agree = t.films_scored == t.films_with_votes == t.films_by_language and t.votes_scored == t.votes
    return dg.AssetCheckResult(passed=agree, metadata=dict(t._mapping))  # noqa: SLF001


@dg.asset_check(asset=rating_aggregates)
def scores_are_within_bounds(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Each score lies within its interval, and each interval within 0-100."""
    out = database.row("aggregate_totals").out_of_bounds
    return dg.AssetCheckResult(passed=out == 0, metadata={"out_of_bounds": out})
