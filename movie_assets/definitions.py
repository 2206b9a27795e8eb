"""THE MAP: the stages in the order in which a film passes them, and what runs them; nothing else."""

import dagster as dg

from movie_assets.assets import (
    detail_checks,
    embedding_set_checks,
    export_checks,
    health_checks,
    id_checks,
    quality_checks,
)
from movie_assets.assets import movie_vectors as vectors
from movie_assets.assets import rating_aggregates as aggregates
from movie_assets.assets import recommendation_quality as recommending
from movie_assets.assets import search_documents as documents
from movie_assets.assets import similar_movies as similar
from movie_assets.assets.health import health
from movie_assets.assets.movie_details import movie_details
from movie_assets.assets.movie_embeddings import movie_embeddings
from movie_assets.assets.movie_ids import movie_ids
from movie_assets.assets.rating_sources import csv_ratings, imdb_ratings, movielens_ratings
from movie_assets.assets.recommendation_model import recommendation_model
from movie_assets.assets.recommendations import recommendations
from movie_assets.assets.reconciliation import everything_agrees, reconciliation
from movie_assets.assets.retention import retention
from movie_assets.assets.search_quality import search_quality
from movie_assets.assets.tmdb_changes import tmdb_changes
from movie_assets.assets.tmdb_discoveries import tmdb_discoveries
from movie_assets.assets.tmdb_export import tmdb_export
from movie_assets.assets.watch_histories import every_file_in_the_inbox_is_imported, watch_histories
from movie_assets.automation.alerts.sensor import alert_sensor
from movie_assets.automation.console import console
from movie_assets.automation.executor import in_process_executor
from movie_assets.automation.freshness import with_freshness
from movie_assets.automation.jobs import JOBS
from movie_assets.automation.reaper import reaper
from movie_assets.automation.schedules import schedules
from movie_assets.automation.sensors import work_sensors
from movie_assets.first_day import first_day_of
from movie_assets.partitions import with_days_since
from movie_assets.presentation import presented
from movie_assets.resources.definitions import RESOURCES
from movie_assets.settings import Settings

SETTINGS = Settings.from_env()
IS_ON = SETTINGS.automation
SCHEDULES = dg.DefaultScheduleStatus.RUNNING if IS_ON else dg.DefaultScheduleStatus.STOPPED
SENSORS = dg.DefaultSensorStatus.RUNNING if IS_ON else dg.DefaultSensorStatus.STOPPED

defs = dg.Definitions(
    assets=with_freshness([
        tmdb_export,  # every id that TMDB has today
        movie_ids,  # … its state, and whether it deserves a look
        tmdb_changes,  # … and whether TMDB changed it
        tmdb_discoveries,  # … and whether it has the votes
        movie_details,  # the film itself, in 64 batches
        movie_embeddings,  # its text as a vector, in 64 batches
        vectors.movie_vectors,  # what searches see
        search_quality,  # … and how well
        similar.similar_movies,  # what is near it
        documents.search_documents,  # the words that it is found by
        imdb_ratings,  # what others than TMDB think of it, where a setting says who
        movielens_ratings,
        csv_ratings,
        aggregates.rating_aggregates,  # what it is worth
        watch_histories,  # who watched it
        recommendation_model,  # what people who watch films like together
        recommendations,  # … for each of them
        recommending.recommendation_quality,  # … and how well
        reconciliation,  # whether all that still agrees
        retention,  # … and what may go
        health,  # what is broken right now
    ], off=SETTINGS.rating_files.off),
    asset_checks=[
        *export_checks.CHECKS,
        *id_checks.CHECKS,
        *detail_checks.CHECKS,
        *embedding_set_checks.CHECKS,
        vectors.the_wanted_set_is_searched,
        vectors.vectors_agree_with_the_catalogue,
        vectors.the_index_is_valid,
        *quality_checks.CHECKS,
        similar.lists_are_what_a_search_finds,
        documents.documents_agree_with_the_catalogue,
        aggregates.totals_reconcile,
        aggregates.scores_are_within_bounds,
        every_file_in_the_inbox_is_imported,
        recommending.the_model_beats_popularity,
        everything_agrees,
        *health_checks.CHECKS,
    ],
    jobs=JOBS,
    schedules=schedules(SCHEDULES),
    sensors=[*work_sensors(SENSORS), alert_sensor(SENSORS), reaper(SENSORS)],
    resources=RESOURCES,
    loggers={"console": console},
    executor=in_process_executor,
)  # fmt: skip
defs = presented(defs, SETTINGS)


@dg.definitions
def location() -> dg.Definitions:
    """Return what Dagster's processes load: the definitions, with days since the first one of the catalogue."""
    return with_days_since(defs, first_day_of(Settings.from_env()))
