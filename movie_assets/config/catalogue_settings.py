"""Settings of what the catalogue holds: media types, filter profiles, films of a day. settings.py reads them."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, Field, model_validator

from movie_assets.config.filter_profiles import FilterProfiles
from movie_assets.config.profiles import profiles_of
from movie_assets.config.setting_values import MEDIA_WORDS, PROFILES, Media, Words


class CatalogueSettings(BaseModel, defer_build=True):
    """The part of the configuration that is about which titles the catalogue holds."""

    media: Media = Field(
        ("movies",),
        alias="MOVIE_ASSETS_MEDIA",
        description="What the catalogue holds: `movies`, or `movies series`. Series come from their own export, change "
        "feed and lists, and share everything else with movies.",
    )
    profiles: Words = Field(
        ("quality",),
        alias="MOVIE_ASSETS_PROFILES",
        description="Profiles of the films in the catalogue: one or more of `quality`, `new_releases`, `broad` and "
        "those of your own file, separated by blanks or commas. A film belongs in the catalogue if it passes one of "
        "them.",
    )
    profiles_file: Path | None = Field(
        None,
        alias="MOVIE_ASSETS_PROFILES_FILE",
        description="A TOML file with profiles of your own, in the form of `movie_assets/config/profiles.toml`.",
    )
    series_profiles: Words = Field(
        ("series",),
        alias="MOVIE_ASSETS_SERIES_PROFILES",
        description="The same for series, where `MOVIE_ASSETS_MEDIA` has them: one or more of `series`, `new_series`, "
        '`miniseries` and those of your own file with `media = "series"`.',
    )
    daily_films: int = Field(
        0,
        alias="MOVIE_ASSETS_DAILY_FILMS",
        ge=0,
        description="The largest number of films whose details are fetched in a day (UTC), the most urgent first. "
        "0 = no limit.",
    )

    @model_validator(mode="after")
    def _profiles_can_be_read(self) -> Self:
        for media, variable in PROFILES.items():
            try:
                self.profiles_for(media)
            except ValueError as error:
                raise ValueError(f"{variable}: {error}") from None
        return self

    @property
    def thresholds(self) -> FilterProfiles:
        """The filter profiles of movies; a movie has to pass one of them."""
        return profiles_of(self.profiles, self.profiles_file)

    @property
    def media_types(self) -> tuple[str, ...]:
        """The media types that the catalogue holds, movie first."""
        return tuple(MEDIA_WORDS[word] for word in self.media)

    @property
    def rules_in_use(self) -> list[str]:
        """The names of the profiles of each media type, in the order of `media_types`."""
        return [self.profiles_for(media).name for media in self.media_types]

    def profiles_for(self, media: str) -> FilterProfiles:
        """Return the filter profiles of a media type (movie or series)."""
        if media == "movie":
            return self.thresholds
        return profiles_of(self.series_profiles, self.profiles_file, media)
