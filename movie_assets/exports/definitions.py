"""The asset and check of exports, and when they are written."""

from movie_assets.config.settings import Settings
from movie_assets.exports.exports import exports, the_newest_export_is_whole
from movie_assets.runs.upkeep import Upkeep, daily

ASSETS = (exports,)  # Parquet and JSON lines, by day
CHECKS = (the_newest_export_is_whole,)
UPKEEP = (
    Upkeep(
        job="write_exports",
        assets=[exports],
        description="Writes titles, vectors and scores as Parquet and JSON lines, and deletes expired exports.",
        schedule="write_exports_at_1150",
        cron="50 11-23 * * *",
        since=daily,
        schedule_description="Launches write_exports once a day from 11:50 UTC on, if a destination is set.",
        is_of_today=True,
        switched_on=lambda: ["exports"] if Settings.from_env().export_to else [],
        switched_off="exports are switched off: set MOVIE_ASSETS_EXPORT_TO",
    ),
)
