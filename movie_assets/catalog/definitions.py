"""The catalogue's assets and checks: from the export of ids to the details of the accepted movies."""

from movie_assets.catalog import detail_checks, export_checks, id_checks
from movie_assets.catalog.media_assets import ALL
from movie_assets.catalog.movie_details import details_asset
from movie_assets.catalog.movie_ids import ids_asset
from movie_assets.catalog.tmdb_changes import changes_asset
from movie_assets.catalog.tmdb_discoveries import discoveries_asset
from movie_assets.catalog.tmdb_export import export_asset

STAGES = (
    export_asset,  # every id that TMDB has today
    ids_asset,  # the state of each id
    changes_asset,  # ids that TMDB changed
    discoveries_asset,  # votes, dates and languages from TMDB's lists
    details_asset,  # the details, in 64 batches
)
ASSETS = tuple(stage(of) for of in ALL for stage in STAGES)
CHECKS = (
    *export_checks.CHECKS,
    *id_checks.CHECKS,
    *(check for of in ALL for check in detail_checks.checks_of(of.media)),
)
