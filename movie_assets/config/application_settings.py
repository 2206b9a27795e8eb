"""Settings of what applications live on: lists, countries, languages, images. settings.py reads them."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from movie_assets.config.setting_values import Words, passwords_in


def _are_regions(words: tuple[str, ...]) -> tuple[str, ...]:
    regions = tuple(dict.fromkeys(word.upper() for word in words))
    if not regions or not all(re.fullmatch("[A-Z]{2}", region) for region in regions):
        raise ValueError("regions are countries by two letters (ISO 3166-1), such as US GB DE")
    return regions


def _is_a_destination(address: str | None) -> str | None:
    if address is None or re.match(r"[/~]|[\w+.-]+://", address):
        if address and passwords_in(address):
            raise ValueError("leave the password out; a store's library has its own variables or files for it")
        return address
    raise ValueError("it is the whole path of a folder (/…), or an address such as s3://bucket/path")


def _are_languages(words: tuple[str, ...]) -> tuple[str, ...]:
    languages = tuple(dict.fromkeys(word.lower() for word in words))
    if not languages or not all(re.fullmatch("[a-z]{2}", language) for language in languages):
        raise ValueError("languages have two letters (ISO 639-1), such as de en fr")
    return languages


Languages = Annotated[Words, AfterValidator(_are_languages)]
Regions = Annotated[Words, AfterValidator(_are_regions)]


class ApplicationSettings(BaseModel, defer_build=True):
    """The part of the configuration that is about what applications show."""

    regions: Regions = Field(
        ("US",),
        alias="MOVIE_ASSETS_REGIONS",
        description="Countries of the applications (ISO 3166-1), the preferred one first, separated by blanks or "
        "commas: `US GB DE`. TMDB's lists that differ by country are read for each, and offers are followed there.",
    )
    languages: Languages = Field(
        ("en",),
        alias="MOVIE_ASSETS_LANGUAGES",
        description="Languages of the applications (ISO 639-1), the preferred one first, separated by blanks or "
        "commas: `de en`. Images are fetched in them, and a check counts titles without a plot in one of them.",
    )
    images: bool = Field(
        default=False,
        alias="MOVIE_ASSETS_IMAGES",
        description="`on`: posters, backdrops and logos of all titles are fetched in the languages of "
        "`MOVIE_ASSETS_LANGUAGES`, with one call a title at first and every 150 days (50,000 titles: 22 minutes at 38 "
        "calls a second). `movie-assets cost` says how many calls are due. `0`: none.",
    )
    list_pages: int = Field(
        3,
        alias="MOVIE_ASSETS_LIST_PAGES",
        ge=0,
        le=50,
        description="Number of pages, of twenty titles each, that are read of each of TMDB's lists (popular, trending "
        "and so on): with 3, one country and movies only about 35 calls a day. 0 = no list is read.",
    )
    export_to: Annotated[str | None, AfterValidator(_is_a_destination)] = Field(
        None,
        alias="MOVIE_ASSETS_EXPORT_TO",
        description="Folder, or address that fsspec knows such as `s3://bucket/path`, that gets titles, vectors and "
        "scores as Parquet and JSON lines each day. It needs the extra `exports`. Unset: nothing is exported.",
    )
