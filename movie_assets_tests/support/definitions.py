"""The definitions under the settings of the tests' environment."""

from functools import cache

import dagster as dg

from movie_assets.config.settings import Settings
from movie_assets.definitions import definitions_for

defs = definitions_for(Settings.from_env())


@cache
def definitions_of(*media: str) -> dg.Definitions:
    """Return the definitions where MOVIE_ASSETS_MEDIA has these words."""
    settings = Settings.from_env()
    if media == settings.media:
        return defs
    return definitions_for(settings.model_copy(update={"media": media}))
