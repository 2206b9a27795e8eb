"""The catalogue's assets and checks: from the export of ids to the details of the accepted movies."""

from movie_assets.catalog import detail_checks, export_checks, id_checks
from movie_assets.catalog.movie_details import movie_details, series_details
from movie_assets.catalog.movie_ids import movie_ids, series_ids
from movie_assets.catalog.tmdb_changes import series_changes, tmdb_changes
from movie_assets.catalog.tmdb_discoveries import series_discoveries, tmdb_discoveries
from movie_assets.catalog.tmdb_export import series_export, tmdb_export
from movie_assets.tmdb.media import ALL

ASSETS = (
    tmdb_export,  # every id that TMDB has today
    movie_ids,  # the state of each id
    tmdb_changes,  # ids that TMDB changed
    tmdb_discoveries,  # votes, dates and languages from TMDB's lists
    movie_details,  # the details, in 64 batches
    series_export,  # the same for series, where MOVIE_ASSETS_MEDIA has them
    series_ids,
    series_changes,
    series_discoveries,
    series_details,
)
CHECKS = (
    *export_checks.CHECKS,
    *id_checks.CHECKS,
    *(check for media in ALL for check in detail_checks.checks_of(media)),
)
