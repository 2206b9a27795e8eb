"""Stage 6: a score for each film and each group of films, from the ratings of all sources (`ratings.pooled_scores`)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import dagster as dg
import numpy as np
import sqlalchemy as sa

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, copy_rows, execute, fetch_one
from movie_assets.ratings import pooled_scores as pooled
from movie_assets.ratings.groups import MIN_FILMS, large_enough, membership_of
from movie_assets.ratings.score_tables import distribution_table, votes_table
from movie_assets.ratings.store import Metadata
from movie_assets.runs.metadata_tables import of_media, shown_table
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of
from movie_assets.tmdb.media import MOVIES

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {
    "scope": "text", "key": "text", "films": "int4", "votes": "int8", "score": "float8", "score_low": "float8",
    "score_high": "float8", "method_version": "text", "computed_at": "timestamptz", "source_scores": "jsonb",
}  # fmt: skip
CHUNK = 1_000  # rows that are turned into Python's objects at once
LEADS = 3  # roles by billing that count as leading, as in a film's text
DESCRIPTION = "all sources on TMDB's scale, weighted by votes, drawn towards the usual score"
METHOD = f"{pooled.METHOD_VERSION} {LEADS} {MIN_FILMS}"  # inputs of the scores in code


class ScoresContent(NamedTuple):
    """The stored scores: a hash of their content, their number, and the fingerprint of when they were written."""

    name: str
    scores: int
    fingerprint: str | None


class AggregateTotal(NamedTuple):
    """A total over the stored scores beside the total over films and sources that it has to equal."""

    quantity: str
    stored: int
    expected: int


@dataclass(frozen=True)
class Scores:
    """The scores of films and groups, and the model that they come from.

    `rows` has the columns of catalog.rating_aggregates except method_version and computed_at.
    """

    rows: "pd.DataFrame"
    model: pooled.Model


@dg.asset(
    group_name="search",
    kinds={"pandas", "postgres"},
    deps=["movie_details", "imdb_ratings", "movielens_ratings", "csv_ratings", "omdb_ratings"],
)
@logged(checked="rows_in", changed="rows_out")
def rating_aggregates(
    context: dg.AssetExecutionContext,
    database: dg.ResourceParam[Database],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """A score on 0-100 with a 95 % interval: of a film, or of the films of a genre, year, country, person and so on.

    Sources are brought to one scale and weighted by their votes. Scores with few votes are shrunk towards the mean, so
    that one vote of 10 does not lead the list. They are computed again only if votes, ratings, groups or the stored
    scores have changed. Each media type has scores, calibrations and a prior of its own.
    """
    as_of = run_time_of(context.run)  # before anything is read: votes that arrive later are not covered
    metadata: Metadata = {}
    if settings.omdb_api_key is None and (deleted := database.execute("delete_omdb_ratings")):
        context.log.info(f"OMDb is switched off: {deleted:,} of its ratings were deleted")
    for media in settings.media_types:
        metadata |= of_media(media, _score(context.log, database, media, as_of))
    return dg.MaterializeResult(metadata=metadata)


def method_of(media: str) -> str:
    """Return the name of the method by which titles of a media type are scored."""
    return pooled.METHOD_VERSION if media == MOVIES.name else f"{pooled.METHOD_VERSION}-{media}"


def _score(log: dg.DagsterLogManager, database: Database, media: str, as_of: datetime) -> Metadata:
    """Replace the scores of a media type unless they are current; return the metadata."""
    inputs = database.fetch_value(str, "rating_inputs", methods=METHOD, media=media)
    stored = database.fetch_one(ScoresContent, "scores_content", media=media)
    if stored.fingerprint == f"{inputs} {stored.name}":
        database.execute("confirm_scores", fingerprint=stored.fingerprint, computed_at=as_of, media=media)
        log.info("no vote, rating or group of films has changed: the stored scores are current")
        return {"is_new": False, "dagster/row_count": stored.scores}
    ratings = database.frame("stored_ratings", media=media)
    scores = compute_scores(database, ratings, media)
    _replace(database, scores, inputs, as_of, media)
    return {
        "is_new": True,
        "dagster/row_count": len(scores.rows),
        "rows_in": len(ratings),
        "rows_out": len(scores.rows),
        **{f"rows_{scope}": int(count) for scope, count in scores.rows["scope"].value_counts().items()},
        **{f"films_by_{source}": int(count) for source, count in ratings["source"].value_counts().items()},
        "method_version": method_of(media),
        **_model_metadata(scores, ratings),
    }


def compute_scores(database: Database, ratings: "pd.DataFrame", media: str) -> Scores:
    """Compute the scores of the films of a media type and of their groups without writing them."""
    import pandas as pd

    membership = membership_of(
        database.frame("rated_films", media=media), database.frame("people_of_films", media=media, leads=LEADS)
    )
    scores, model = pooled.pooled_scores(ratings)
    groups = large_enough(pooled.pooled_groups(scores, membership))
    membership = membership.merge(groups[["scope", "key"]])  # most groups are people with too few films
    by_film, by_group = pooled.film_sources(ratings, model.calibrations), pooled.group_sources(ratings, membership)
    of_groups = [by_group[group] for group in zip(groups["scope"], groups["key"], strict=True)]
    rows = pd.concat([_by_film(scores), groups], ignore_index=True)
    rows["source_scores"] = pd.Series([*map(by_film.__getitem__, scores["title_id"]), *of_groups], dtype=object)
    return Scores(rows, model)


def _by_film(scores: "pd.DataFrame") -> "pd.DataFrame":
    return scores.assign(scope="film", key=scores["title_id"].astype("string"), films=1)


def _replace(database: Database, scores: Scores, inputs: str, as_of: datetime, media: str) -> None:
    """Replace the scores of a media type in one transaction, and store the fingerprint of their inputs and content."""

    def work(connection: sa.Connection) -> None:
        execute(connection, "clear_aggregates", media=media)
        execute(
            connection, "record_method", media=media, method_version=method_of(media), is_current=True,
            says=DESCRIPTION, parameters=json.dumps(scores.model.as_parameters()), computed_at=as_of,
        )  # fmt: skip
        whole = scores.rows.assign(method_version=method_of(media), computed_at=as_of)[list(COLUMNS)]
        copy_rows(connection, "catalog.rating_aggregates", COLUMNS, _lines(whole))
        stored = fetch_one(connection, ScoresContent, "scores_content", media=media)
        execute(connection, "confirm_scores", fingerprint=f"{inputs} {stored.name}", computed_at=as_of, media=media)

    database.once(work)


def _lines(rows: "pd.DataFrame") -> Iterator[list[object]]:
    """Yield rows as Python's objects, which take much more memory than the columns: some at a time."""
    for start in range(0, len(rows), CHUNK):
        yield from rows[start : start + CHUNK].astype(object).to_numpy().tolist()


def _model_metadata(scored: Scores, ratings: "pd.DataFrame") -> Metadata:
    """Return the estimated parameters and tables of the sources and of the scores."""
    model = scored.model
    films = scored.rows[scored.rows["scope"] == "film"]
    scores, votes = films["score"].to_numpy(float), films["votes"].to_numpy(float)
    sources = []
    for source, calibration in model.calibrations.items():
        of_source, pairs = ratings[ratings["source"] == source], pooled.matched(ratings, source)
        values, reference = pairs["value"].to_numpy(float), pairs["value_ref"].to_numpy(float)
        correlation = round(float(np.corrcoef(values, reference)[0, 1]), 3) if calibration.films else None
        counts = (len(of_source), int(of_source["votes"].sum()), len(pairs))
        sources.append((source, *counts, correlation, round(calibration.shift, 2), round(calibration.slope, 3)))
    columns = ("source", "films", "votes", "shared", "correlation", "shift", "slope")
    return {
        "prior_mean": model.prior_mean,
        "prior_votes": model.prior_votes,
        "disagreement": model.disagreement,
        "sources": shown_table(columns, sources),
        "distribution": distribution_table(scores),
        "score_by_votes": votes_table(votes, scores),
    }


@dg.asset_check(asset=rating_aggregates)
def totals_reconcile(database: dg.ResourceParam[Database], settings: dg.ResourceParam[Settings]) -> dg.AssetCheckResult:
    """The films and votes of the scores equal those of the sources, and the groups add up to them in each scope."""
    totals = {
        total.quantity if media == MOVIES.name else f"{media}, {total.quantity}": total
        for media in settings.media_types
        for total in database.fetch(AggregateTotal, "aggregate_totals", media=media)
    }
    wrong = [
        f"{quantity}: {total.stored:,}, expected {total.expected:,}"
        for quantity, total in totals.items()
        if total.stored != total.expected
    ]
    return dg.AssetCheckResult(
        passed=not wrong,
        description="; ".join(wrong) or None,
        metadata={quantity: total.stored for quantity, total in totals.items()},
    )


@dg.asset_check(asset=rating_aggregates)
def scores_are_within_bounds(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Each score lies within its interval, and each interval within 0-100."""
    out_of_bounds = database.fetch_value(int, "scores_out_of_bounds")
    return dg.AssetCheckResult(
        passed=out_of_bounds == 0,
        description=f"{out_of_bounds:,} scores are out of bounds" if out_of_bounds else None,
        metadata={"out_of_bounds": out_of_bounds},
    )
