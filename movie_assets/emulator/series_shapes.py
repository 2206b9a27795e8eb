"""TMDB's shapes of series that do not depend on any of them: genres, codes, empty sub-objects, networks.

`series_details` fills them for one series; what films have as well is in `shapes`.
"""

from movie_assets.emulator.series import Network
from movie_assets.emulator.shapes import EMPTY_PARTS, Json

TV_GENRES = {
    "Action & Adventure": 10759,
    "Animation": 16,
    "Comedy": 35,
    "Crime": 80,
    "Documentary": 99,
    "Drama": 18,
    "Family": 10751,
    "Kids": 10762,
    "Mystery": 9648,
    "News": 10763,
    "Reality": 10764,
    "Sci-Fi & Fantasy": 10765,
    "Soap": 10766,
    "Talk": 10767,
    "War & Politics": 10768,
    "Western": 37,
}
TV_GENRE_BITS = {name: 1 << index for index, name in enumerate(TV_GENRES)}
# Genres of films that series have under another name, or not at all.
GENRES_OF_FILMS = {
    "Action": "Action & Adventure",
    "Adventure": "Action & Adventure",
    "Fantasy": "Sci-Fi & Fantasy",
    "History": "War & Politics",
    "Horror": "Mystery",
    "Music": "Drama",
    "Romance": "Drama",
    "Science Fiction": "Sci-Fi & Fantasy",
    "Thriller": "Crime",
    "War": "War & Politics",
}
GENRES_OF_TYPES = {"Documentary": "Documentary", "News": "News", "Reality": "Reality", "Talk Show": "Talk"}

# The numbers that /discover/tv takes for `with_status` and `with_type`.
STATUS_CODES = {
    "Returning Series": 0, "Planned": 1, "In Production": 2, "Ended": 3, "Canceled": 4, "Pilot": 5,
}  # fmt: skip
TYPE_CODES = {
    "Documentary": 0, "News": 1, "Miniseries": 2, "Reality": 3, "Scripted": 4, "Talk Show": 5, "Video": 6,
}  # fmt: skip

NETWORKS = tuple(
    Network(4001 + place, name, country)
    for place, (name, country) in enumerate(
        (
            ("Beacon One", "US"),
            ("Harbour Television", "US"),
            ("Skylark", "US"),
            ("Nightline Plus", ""),
            ("Lantern Stream", ""),
            ("Channel Nine North", "GB"),
            ("Rialto", "IT"),
            ("Antenne Rhein", "DE"),
            ("Canal Horizonte", "ES"),
            ("Télé Lumière", "FR"),
            ("Sakura Broadcasting", "JP"),
            ("Hangang TV", "KR"),
            ("Ganga Vision", "IN"),
            ("Jade Satellite", "CN"),
            ("Rede Atlântico", "BR"),
            ("Norrsken", "SE"),
        )
    )
)

NO_IDS: Json = {
    "imdb_id": None,
    "freebase_mid": None,
    "freebase_id": None,
    "tvdb_id": None,
    "tvrage_id": None,
    "wikidata_id": None,
    "facebook_id": None,
    "instagram_id": None,
    "twitter_id": None,
}
# TMDB's sub-objects of a series that has nothing in them.
EMPTY_SERIES_PARTS: dict[str, Json] = {
    "aggregate_credits": {"cast": [], "crew": []},
    "alternative_titles": {"results": []},
    "content_ratings": {"results": []},
    "credits": {"cast": [], "crew": []},
    "episode_groups": {"results": []},
    "external_ids": NO_IDS,
    "images": {"backdrops": [], "logos": [], "posters": []},
    "keywords": {"results": []},
    "screened_theatrically": {"results": []},
    **{
        name: EMPTY_PARTS[name]
        for name in ("lists", "recommendations", "reviews", "similar", "translations", "videos", "watch/providers")
    },
}
EMPTY_SEASON_PARTS: dict[str, Json] = {
    "aggregate_credits": {"cast": [], "crew": []},
    "credits": {"cast": [], "crew": []},
    "external_ids": {
        key: NO_IDS[key] for key in ("freebase_mid", "freebase_id", "tvdb_id", "tvrage_id", "wikidata_id")
    },
    "images": {"posters": []},
    "translations": {"translations": []},
    "videos": {"results": []},
    "watch/providers": {"results": {}},
}
SERIES_ITEM_KEYS = (
    "adult",
    "backdrop_path",
    "id",
    "origin_country",
    "original_language",
    "original_name",
    "overview",
    "popularity",
    "poster_path",
    "first_air_date",
    "softcore",
    "name",
    "vote_average",
    "vote_count",
)


def series_item(detail: Json) -> Json:
    """Return details in the form that a series has on a list page."""
    item = {key: detail[key] for key in SERIES_ITEM_KEYS if key in detail}
    item["first_air_date"] = item.get("first_air_date") or ""
    item["genre_ids"] = [genre["id"] for genre in detail.get("genres") or []]
    return item


def season_number_of(part: str) -> int | None:
    """Return the season that an entry of append_to_response names (`season/3`), None for another entry."""
    head, _, digits = part.partition("/")
    return int(digits) if head == "season" and digits.isascii() and digits.isdecimal() and len(digits) < 6 else None  # noqa: PLR2004
