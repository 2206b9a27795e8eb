"""The jobs: the steps of a day in their order, and the upkeep that rooms declare. Schedules and sensors launch them.

Jobs that read TMDB have the assets of the media types that are switched on.
"""

from collections.abc import Collection

import dagster as dg

from movie_assets.catalog.media_assets import assets_for
from movie_assets.embeddings.movie_embeddings import movie_embeddings
from movie_assets.histories.watch_histories import watch_histories
from movie_assets.operations.health.asset import health
from movie_assets.orchestration.rooms import ASSETS, UPKEEP
from movie_assets.ratings.rating_aggregates import rating_aggregates
from movie_assets.recommendations.recommendation_model import recommendation_model
from movie_assets.recommendations.recommendation_quality import recommendation_quality
from movie_assets.recommendations.recommendations import recommendations
from movie_assets.runs.dagster_compat import KeysAssetSelection, SubtractAssetSelection, UnresolvedAssetJobDefinition
from movie_assets.search.movie_vectors import movie_vectors
from movie_assets.search.search_documents import search_documents
from movie_assets.search.search_quality import search_quality
from movie_assets.search.similar_movies import similar_movies

# Its step evaluates its checks with the run's figures; separate steps would evaluate them a second time.
EMBEDDINGS = dg.AssetSelection.assets(movie_embeddings).without_checks()
MOVIES_ONLY = ("movie",)
IN_BULK = {"ops": {"movie_embeddings": {"config": {"bulk": True}}}}
embed_texts = dg.define_asset_job(
    "embed_texts",
    selection=EMBEDDINGS,
    description="Embeds the texts of films that are new or changed, for one batch or a range of batches.",
)
embed_in_bulk = dg.define_asset_job(
    "embed_in_bulk",
    selection=EMBEDDINGS,
    config=IN_BULK,
    description="Embeds new and changed texts through the embeddings service's Batch API: half the price of "
    "embed_texts, and done within a day. Meant for a new embedding set or a backfill.",
)
publish = dg.define_asset_job(
    "publish",
    selection=[movie_vectors, search_quality, similar_movies, search_documents, rating_aggregates],
    description="Updates what applications search and read: vectors with their index, similar films, search documents "
    "and rating scores, and measures the quality of searches.",
)
recommend = dg.define_asset_job(
    "recommend",
    selection=[watch_histories, recommendation_model, recommendations, recommendation_quality],
    description="Imports watch histories from the inbox, trains the recommendation model, makes each person's list and "
    "measures how good the lists are.",
)
look_at_health = dg.define_asset_job(
    "look_at_health",
    selection=[health],
    description="Checks everything that can be broken; records the problems and what to do about them.",
)


def jobs(media_types: Collection[str]) -> list[UnresolvedAssetJobDefinition]:
    """Return all jobs, with the assets of some media types."""
    return [
        *_jobs_of_tmdb(media_types), embed_texts, embed_in_bulk, publish, recommend, look_at_health,
        *(dg.define_asset_job(each.job, selection=each.assets, description=each.description) for each in UPKEEP),
    ]  # fmt: skip


def only_missing(media_types: Collection[str]) -> dict[str, object]:
    """Return the config of a run that fetches only titles without details."""
    return _config_of_details(media_types, ["requested", "never fetched"])


def only_requested(media_types: Collection[str]) -> dict[str, object]:
    """Return the config of a run that fetches only titles that applications or persons requested."""
    return _config_of_details(media_types, ["requested"])


def _config_of_details(media_types: Collection[str], reasons: list[str]) -> dict[str, object]:
    return {"ops": {name: {"config": {"reasons": reasons}} for name in _details(media_types)}}


def _details(media_types: Collection[str]) -> list[str]:
    made = {key.to_user_string() for asset in ASSETS for key in asset.keys}
    return [of.details for of in assets_for(media_types) if of.details in made]


def _jobs_of_tmdb(media_types: Collection[str]) -> list[UnresolvedAssetJobDefinition]:
    on = assets_for(media_types)
    # Their steps evaluate their checks, as that of the embeddings does.
    details = dg.AssetSelection.assets(*_details(media_types)).without_checks()
    return [
        dg.define_asset_job(
            "read_the_day",
            selection=dg.AssetSelection.assets(
                *(name for of in on for name in (of.export, of.ids, of.changes, of.discoveries))
            ),
            description="Reads TMDB's ID export, change feed and lists of a day: the ids of films, changes and votes.",
        ),
        dg.define_asset_job(
            "read_the_lists",
            selection=dg.AssetSelection.assets(*(of.discoveries for of in on)),
            description="Reads TMDB's lists alone, on the ids of the last good export: for a day whose export cannot "
            "be used.",
        ),
        dg.define_asset_job(
            "fetch_details",
            selection=details,
            description="Fetches from TMDB the details of the films that are due, for one batch or a range of batches.",
        ),
        dg.define_asset_job(
            "fetch_missing",
            selection=details,
            config=only_missing(media_types),
            description="Fetches from TMDB the details of films that have none yet, for one batch or a range of "
            "batches. It does not refresh other films.",
        ),
    ]


def assets_of(name: str, media_types: Collection[str] = MOVIES_ONLY) -> list[str]:
    """Return the names of the assets that a job materializes where the catalogue has some media types."""
    (selection,) = (job.selection for job in jobs(media_types) if job.name == name)
    if isinstance(selection, SubtractAssetSelection):
        selection = selection.left
    if not isinstance(selection, KeysAssetSelection):
        raise TypeError(f"the job {name} does not name its assets one by one")
    return [key.to_user_string() for key in selection.selected_keys]
