"""Stage 6: one defensible score for each film and each group of films, by each method that we keep.

The methods are `ratings.scores` (TMDB's votes alone) and `ratings.pooled_scores` (all sources, the current one).
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
import sqlalchemy as sa

from movie_assets.database.database import Database, copy_rows, execute, rows
from movie_assets.ratings import pooled_scores as pooled
from movie_assets.ratings import scores as shrunk
from movie_assets.ratings.charts import agreement_chart, distribution_chart, votes_chart
from movie_assets.runs.metadata_tables import shown_table
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of

COLUMNS = {
    "scope": "text", "key": "text", "films": "int4", "votes": "int8", "score": "float8", "score_low": "float8",
    "score_high": "float8", "method_version": "text", "computed_at": "timestamptz", "source_scores": "jsonb",
}  # fmt: skip
LEADS = 3  # roles by billing that count as leading, as in a film's text
METHODS = f"{shrunk.METHOD_VERSION} {pooled.METHOD_VERSION} {LEADS} {shrunk.MIN_FILMS}"  # what is no row but decides


@dataclass(frozen=True)
class Scored:
    """The scores by one method, films and groups, with what it was told or estimated."""

    method_version: str
    says: str
    parameters: dict[str, Any]
    rows: pd.DataFrame
    is_current: bool = False


@dg.asset(
    group_name="search",
    kinds={"pandas", "postgres"},
    deps=["movie_details", "imdb_ratings", "movielens_ratings", "csv_ratings"],
)
@logged(checked="rows_in", changed="rows_out")
def rating_aggregates(
    context: dg.AssetExecutionContext, database: dg.ResourceParam[Database]
) -> dg.MaterializeResult[None]:
    """A score on 0-100 with a 95 % interval: of a film, or of the films of a genre, year, country, person and so on.

    Sources are brought to one scale and weighted by their votes; few votes are drawn towards what is usual, so that one
    vote of 10 does not lead the list. Each method's scores are there; `catalog.film_scores` has the current one's.
    Where neither votes, ratings and groups nor the scores themselves have changed, the scores stand.
    """
    as_of = run_time_of(context.run)  # before anything is read: votes that come meanwhile are not covered
    inputs = database.row("rating_inputs", methods=METHODS).name
    stored = database.row("scores_content")
    if stored.fingerprint == f"{inputs} {stored.name}":
        database.execute("confirm_scores", fingerprint=stored.fingerprint, computed_at=as_of)
        context.log.info("no vote, rating or group of films has changed: the scores stand, as do their run's pictures")
        return dg.MaterializeResult(metadata={"is_new": False, "dagster/row_count": stored.scores})
    ratings = database.frame("stored_ratings")
    methods = computed_scores(database, ratings)
    _replace(database, methods, inputs, as_of)
    current = methods[-1]
    return dg.MaterializeResult(
        metadata={
            "is_new": True,
            "dagster/row_count": sum(len(method.rows) for method in methods),
            "rows_in": len(ratings),
            "rows_out": sum(len(method.rows) for method in methods),
            **{f"rows_{scope}": int(count) for scope, count in current.rows["scope"].value_counts().items()},
            **{f"films_by_{source}": int(count) for source, count in ratings["source"].value_counts().items()},
            "method_version": current.method_version,
            "prior_mean": current.parameters["prior_mean"],
            "prior_votes": current.parameters["prior_votes"],
            "disagreement": current.parameters["disagreement"],
            **_pictures(current, ratings),
        }
    )


def computed_scores(database: Database, ratings: pd.DataFrame) -> list[Scored]:
    """Compute the scores of films and groups by each method, the current one last; nothing is written."""
    films = database.frame("rated_films")
    membership = shrunk.membership_of(films, database.frame("people_of_films", leads=LEADS))
    return [_from_tmdb(films, membership), _pooled(ratings, membership)]


def _from_tmdb(films: pd.DataFrame, membership: pd.DataFrame) -> Scored:
    scores = shrunk.film_scores(films)
    groups = shrunk.large_enough(shrunk.group_scores(scores, membership))
    parameters = {"prior_votes": shrunk.PRIOR_VOTES, "vote_deviation": shrunk.VOTE_DEVIATION * shrunk.SCALE}
    rows = pd.concat([_by_film(scores), groups], ignore_index=True)
    rows["source_scores"] = None
    return Scored(shrunk.METHOD_VERSION, "TMDB's averages, drawn towards the usual one", parameters, rows)


def _pooled(ratings: pd.DataFrame, membership: pd.DataFrame) -> Scored:
    scores, model = pooled.pooled_scores(ratings)
    groups = shrunk.large_enough(pooled.pooled_groups(scores, membership))
    by_film, by_group = pooled.film_sources(ratings, model.calibrations), pooled.group_sources(ratings, membership)
    of_groups = [by_group[place] for place in zip(groups["scope"], groups["key"], strict=True)]
    rows = pd.concat([_by_film(scores), groups], ignore_index=True)
    said: list[Any] = [*map(by_film.__getitem__, scores["tmdb_id"]), *of_groups]
    rows["source_scores"] = said
    says = "all sources on TMDB's scale, weighted by votes, drawn towards the usual score"
    return Scored(pooled.METHOD_VERSION, says, model.as_parameters(), rows, is_current=True)


def _by_film(scores: pd.DataFrame) -> pd.DataFrame:
    return scores.assign(scope="film", key=scores["tmdb_id"].astype("string"), films=1)


def _replace(database: Database, methods: list[Scored], inputs: str, as_of: datetime) -> None:
    def work(connection: sa.Connection) -> None:
        execute(connection, "clear_aggregates")
        for method in methods:
            execute(
                connection, "record_method", method_version=method.method_version, is_current=method.is_current,
                says=method.says, parameters=json.dumps(method.parameters), computed_at=as_of,
            )  # fmt: skip
            whole = method.rows.assign(method_version=method.method_version, computed_at=as_of)[list(COLUMNS)]
            lines: list[list[Any]] = whole.astype(object).to_numpy().tolist()
            copy_rows(connection, "catalog.rating_aggregates", COLUMNS, lines)
        (stored,) = rows(connection, "scores_content")
        execute(connection, "confirm_scores", fingerprint=f"{inputs} {stored.name}", computed_at=as_of)

    database.once(work)


def _pictures(current: Scored, ratings: pd.DataFrame) -> dict[str, Any]:
    """How scores are spread, votes against scores, and each source beside the reference."""
    films = current.rows[current.rows["scope"] == "film"]
    scores, votes = films["score"].to_numpy(float), films["votes"].to_numpy(float)
    pictures = {"distribution": distribution_chart(scores), "score_against_votes": votes_chart(votes, scores)}
    sources = []
    for source, found in current.parameters["calibrations"].items():
        mine, pairs = ratings[ratings["source"] == source], pooled.matched(ratings, source)
        both = pairs["value"].to_numpy(float), pairs["value_ref"].to_numpy(float)
        correlation = round(float(np.corrcoef(*both)[0, 1]), 3) if found["films"] else None
        counts = (len(mine), int(mine["votes"].sum()), len(pairs))
        sources.append((source, *counts, correlation, round(found["shift"], 2), round(found["slope"], 3)))
        if source != pooled.REFERENCE and len(pairs):
            pictures[f"agreement_{source}"] = agreement_chart(source, both[0], pooled.REFERENCE, both[1])
    columns = ("source", "films", "votes", "shared", "correlation", "shift", "slope")
    return {
        "sources": shown_table(columns, sources),
        **{name: dg.MetadataValue.md(text) for name, text in pictures.items()},
    }


@dg.asset_check(asset=rating_aggregates)
def totals_reconcile(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Films and votes in the scores are those of the sources, and the groups add up to them, scope by scope."""
    found = database.rows("aggregate_totals")
    off = [f"{row.what}: {row.found:,} where {row.wanted:,} are right" for row in found if row.found != row.wanted]
    return dg.AssetCheckResult(
        passed=not off,
        description="; ".join(off) or None,
        metadata={row.what: row.found for row in found},
    )


@dg.asset_check(asset=rating_aggregates)
def scores_are_within_bounds(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Each score lies within its interval, and each interval within 0-100."""
    out = database.row("scores_out_of_bounds").scores
    return dg.AssetCheckResult(
        passed=out == 0,
        description=f"{out:,} scores; none may be" if out else None,
        metadata={"out_of_bounds": out},
    )
