"""The assets and checks of what applications show beside searches."""

from movie_assets.applications.certification_checks import certifications_are_known
from movie_assets.applications.language_checks import texts_are_in_all_languages
from movie_assets.applications.title_images import title_images
from movie_assets.applications.tmdb_configuration import image_sizes_are_current, tmdb_configuration
from movie_assets.config.settings import Settings
from movie_assets.runs.upkeep import Upkeep, daily

ASSETS = (tmdb_configuration, title_images)  # sizes of images, and images by language
CHECKS = (certifications_are_known, texts_are_in_all_languages, image_sizes_are_current)
UPKEEP = (
    Upkeep(
        job="read_images",
        assets=[tmdb_configuration, title_images],
        description="Reads the sizes of TMDB's images, and fetches the images of titles if they are switched on.",
        schedule="read_images_at_1045",
        cron="15,45 10-23 * * *",
        since=daily,
        schedule_description="Launches read_images once a day from 10:45 UTC on: one call, and one for each title "
        "whose images are due if MOVIE_ASSETS_IMAGES is on.",
        switched_on=lambda: ["tmdb_configuration", *(["title_images"] if Settings.from_env().images else [])],
    ),
)
