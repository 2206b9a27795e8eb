"""The catalogue's assets and checks: from the export of ids to the details of the accepted movies."""

from movie_assets.catalog import detail_checks, export_checks, id_checks
from movie_assets.catalog.movie_details import movie_details
from movie_assets.catalog.movie_ids import movie_ids
from movie_assets.catalog.tmdb_changes import tmdb_changes
from movie_assets.catalog.tmdb_discoveries import tmdb_discoveries
from movie_assets.catalog.tmdb_export import tmdb_export

ASSETS = (
    tmdb_export,  # every id that TMDB has today
    movie_ids,  # the state of each id
    tmdb_changes,  # ids that TMDB changed
    tmdb_discoveries,  # votes, dates and languages from TMDB's lists
    movie_details,  # the details, in 64 batches
)
CHECKS = (*export_checks.CHECKS, *id_checks.CHECKS, *detail_checks.CHECKS)
