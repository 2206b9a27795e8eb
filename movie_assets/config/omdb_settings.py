"""Settings of OMDb, a source of ratings. settings.py reads them; those of files of ratings are there."""

from pydantic import BaseModel, Field

from movie_assets.config.setting_values import Token, Url


class OmdbSettings(BaseModel, defer_build=True):
    """The part of the configuration that is about OMDb."""

    omdb_api_key: Token = Field(
        None,
        alias="OMDB_API_KEY",
        description="Key of OMDb, which has the ratings of IMDb, Rotten Tomatoes and Metacritic (CC BY-NC 4.0, not for "
        "commercial use). Unset: none; ratings that were stored before are deleted.",
    )
    omdb_url: Url = Field("https://www.omdbapi.com", alias="OMDB_API_URL", description="Address of OMDb.")
    omdb_calls: int = Field(
        900,
        alias="MOVIE_ASSETS_OMDB_CALLS",
        ge=1,
        le=1_000_000,
        description="The largest number of calls to OMDb in a day (UTC), one for a title, the most voted titles first. "
        "A free key has 1,000.",
    )
