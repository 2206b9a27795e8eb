"""The asset and checks of TMDB's lists, and when they are read."""

from movie_assets.config.settings import Settings
from movie_assets.lists import checks
from movie_assets.lists.tmdb_lists import tmdb_lists
from movie_assets.runs.upkeep import Upkeep, every_six_hours

ASSETS = (tmdb_lists,)  # popular, trending and so on, by day and country
CHECKS = checks.CHECKS
UPKEEP = (
    Upkeep(
        job="read_list_snapshots",
        assets=[tmdb_lists],
        description="Reads those of TMDB's lists (popular, trending and so on) that are due, and stores a snapshot.",
        schedule="read_list_snapshots_every_six_hours",
        cron="5,20,35,50 * * * *",
        since=every_six_hours,
        schedule_description="Launches read_list_snapshots at 0:05, 6:05, 12:05 and 18:05 UTC. It ticks four times an "
        "hour, to repeat a run that failed or was missed.",
        is_of_today=True,
        switched_on=lambda: ["tmdb_lists"] if Settings.from_env().list_pages else [],
        switched_off="lists are switched off: set MOVIE_ASSETS_LIST_PAGES",
    ),
)
