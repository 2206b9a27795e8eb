"""The definitions under the settings of the tests' environment."""

from movie_assets.config.settings import Settings
from movie_assets.definitions import definitions_for

defs = definitions_for(Settings.from_env())
