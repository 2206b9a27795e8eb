"""TMDB's shapes that do not depend on any film: genre ids, names of countries, empty sub-objects, list pages.

`details` fills them for one film, `lists` for many; errors are in `responses`.
"""

import zlib
from typing import Any

Json = dict[str, Any]

GENRES = {
    "Action": 28,
    "Adventure": 12,
    "Animation": 16,
    "Comedy": 35,
    "Crime": 80,
    "Documentary": 99,
    "Drama": 18,
    "Family": 10751,
    "Fantasy": 14,
    "History": 36,
    "Horror": 27,
    "Music": 10402,
    "Mystery": 9648,
    "Romance": 10749,
    "Science Fiction": 878,
    "TV Movie": 10770,
    "Thriller": 53,
    "War": 10752,
    "Western": 37,
}

COUNTRIES = {
    "AR": "Argentina",
    "AT": "Austria",
    "AU": "Australia",
    "BE": "Belgium",
    "BR": "Brazil",
    "CA": "Canada",
    "CH": "Switzerland",
    "CN": "China",
    "CZ": "Czech Republic",
    "DE": "Germany",
    "DK": "Denmark",
    "ES": "Spain",
    "FI": "Finland",
    "FR": "France",
    "GB": "United Kingdom",
    "HK": "Hong Kong",
    "HU": "Hungary",
    "IE": "Ireland",
    "IN": "India",
    "IR": "Iran",
    "IT": "Italy",
    "JP": "Japan",
    "KR": "South Korea",
    "MX": "Mexico",
    "NL": "Netherlands",
    "NO": "Norway",
    "NZ": "New Zealand",
    "PL": "Poland",
    "PT": "Portugal",
    "RU": "Russia",
    "SE": "Sweden",
    "SU": "Soviet Union",
    "TR": "Turkey",
    "TW": "Taiwan",
    "US": "United States of America",
    "ZA": "South Africa",
}

LANGUAGE_NAMES = {
    "ar": ("Arabic", "العربية"),
    "cn": ("Cantonese", "广州话 / 廣州話"),
    "da": ("Danish", "Dansk"),
    "de": ("German", "Deutsch"),
    "en": ("English", "English"),
    "es": ("Spanish", "Español"),
    "fa": ("Persian", "فارسی"),
    "fr": ("French", "Français"),
    "hi": ("Hindi", "हिन्दी"),
    "it": ("Italian", "Italiano"),
    "ja": ("Japanese", "日本語"),
    "ko": ("Korean", "한국어/조선말"),
    "pl": ("Polish", "Polski"),
    "pt": ("Portuguese", "Português"),
    "ru": ("Russian", "Русский"),
    "sv": ("Swedish", "svenska"),
    "zh": ("Mandarin", "普通话"),
}

# TMDB's sub-objects of a film that has nothing in them.
EMPTY_PARTS: dict[str, Json] = {
    "alternative_titles": {"titles": []},
    "credits": {"cast": [], "crew": []},
    "external_ids": {
        "imdb_id": None,
        "wikidata_id": None,
        "facebook_id": None,
        "instagram_id": None,
        "twitter_id": None,
    },
    "images": {"backdrops": [], "logos": [], "posters": []},
    "keywords": {"keywords": []},
    "lists": {"page": 1, "results": [], "total_pages": 1, "total_results": 0},
    "recommendations": {"page": 1, "results": [], "total_pages": 1, "total_results": 0},
    "release_dates": {"results": []},
    "reviews": {"page": 1, "results": [], "total_pages": 1, "total_results": 0},
    "similar": {"page": 1, "results": [], "total_pages": 1, "total_results": 0},
    "translations": {"translations": []},
    "videos": {"results": []},
    "watch/providers": {"results": {}},
}

ITEM_KEYS = (
    "adult",
    "backdrop_path",
    "id",
    "title",
    "original_language",
    "original_title",
    "overview",
    "popularity",
    "poster_path",
    "release_date",
    "softcore",
    "video",
    "vote_average",
    "vote_count",
)


def stable_id(kind: str, name: str) -> int:
    """Return a positive 32-bit id for a name, above the ids of made-up people and collections."""
    return (zlib.crc32(f"{kind}:{name}".encode()) & 0x3FFF_FFFF) + 0x1000_0000


def list_item(detail: Json) -> Json:
    """Return details in the form that a film has on a list page."""
    item = {key: detail[key] for key in ITEM_KEYS if key in detail}
    item["genre_ids"] = [genre["id"] for genre in detail.get("genres") or []]
    return item


def page_of(results: list[Json], page: int, total: int, size: int) -> Json:
    """Return one page of a list; `total` is the number of results of all pages, `size` that of a full page."""
    return {
        "page": page,
        "results": results,
        "total_pages": max(1, -(-total // size)),
        "total_results": total,
    }
