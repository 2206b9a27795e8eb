"""Details of an invented series in the shape that TMDB sends, and reading them the way the pipeline does."""

import json
from collections.abc import Sequence
from typing import Any

from movie_assets.tmdb.json_values import read_json
from movie_assets.tmdb.series import Series, read_series

SERIES_ID = 7001


def episode(season: int, number: int, **changes: Any) -> dict[str, Any]:
    """An episode whose id follows from its season and number; `changes` replaces fields."""
    return {
        "air_date": f"{2019 + season}-03-{number:02d}",
        "crew": [{"id": 31, "name": "Ida Quill", "job": "Director"}],
        "episode_number": number,
        "episode_type": "standard",
        "guest_stars": [{"id": 77, "name": "Some Guest", "character": "The Harbour Master"}],
        "id": 100_000 + 1000 * season + number,
        "name": f"Tide {number}",
        "overview": "The lamp goes out.",
        "production_code": "",
        "runtime": 40 + number,
        "season_number": season,
        "show_id": SERIES_ID,
        "still_path": "/still.jpg",
        "vote_average": 7.5,
        "vote_count": 4,
    } | changes


def listed_season(number: int, episodes: int = 3, **changes: Any) -> dict[str, Any]:
    """A season as it stands in the list of a series."""
    return {
        "air_date": f"{2019 + number}-03-01",
        "episode_count": episodes,
        "id": 5000 + number,
        "name": f"Season {number}" if number else "Specials",
        "overview": "",
        "poster_path": "/season.jpg",
        "season_number": number,
        "vote_average": 7.1,
    } | changes


def season(number: int, episodes: Sequence[dict[str, Any]] | None = None, **changes: Any) -> dict[str, Any]:
    """The response for a season, of three episodes unless others are given."""
    whole = [episode(number, each) for each in (1, 2, 3)] if episodes is None else list(episodes)
    return {
        "_id": "5256c89f19c2956ff6046d47",
        "air_date": f"{2019 + number}-03-01",
        "episodes": whole,
        "id": 5000 + number,
        "name": f"Season {number}",
        "overview": "A year by the sea.",
        "poster_path": "/season.jpg",
        "season_number": number,
        "vote_average": 7.1,
    } | changes


def series_details(**changes: Any) -> dict[str, Any]:
    """Details of a series of two seasons and specials with everything in place; `changes` replaces fields."""
    return {
        "adult": False,
        "backdrop_path": "/back.jpg",
        "created_by": [
            {"id": 31, "credit_id": "a1", "name": "Ida Quill", "gender": 1, "profile_path": "/quill.jpg"},
            {"id": 32, "credit_id": "a2", "name": "Tom Reed", "gender": 2, "profile_path": None},
        ],
        "episode_run_time": [],
        "first_air_date": "2020-03-01",
        "genres": [{"id": 9648, "name": "Mystery"}, {"id": 18, "name": "Drama"}],
        "homepage": "https://example.org/lamp",
        "id": SERIES_ID,
        "in_production": True,
        "languages": ["en", "cy"],
        "last_air_date": "2021-03-03",
        "last_episode_to_air": episode(2, 3),
        "name": "The Lamp Keepers",
        "networks": [{"id": 49, "name": "Sea TV", "logo_path": "/sea.png", "origin_country": "GB"}],
        "next_episode_to_air": episode(3, 1, air_date="2022-03-01", runtime=None),
        "number_of_episodes": 6,
        "number_of_seasons": 2,
        "origin_country": ["GB"],
        "original_language": "en",
        "original_name": "The Lamp Keepers",
        "overview": "Two sisters keep a lighthouse.",
        "popularity": 12.5,
        "poster_path": "/poster.jpg",
        "production_companies": [{"id": 900, "name": "Lighthouse Works", "logo_path": None, "origin_country": ""}],
        "production_countries": [{"iso_3166_1": "IE", "name": "Ireland"}],
        "seasons": [listed_season(0, 5), listed_season(1), listed_season(2)],
        "softcore": False,
        "spoken_languages": [{"english_name": "English", "iso_639_1": "en", "name": "English"}],
        "status": "Returning Series",
        "tagline": "Keep it burning.",
        "type": "Scripted",
        "vote_average": 7.9,
        "vote_count": 340,
        "aggregate_credits": {
            "cast": [
                {"id": 41, "name": "Bea Marsh", "order": 1, "total_episode_count": 2, "gender": 1,
                 "roles": [{"credit_id": "c1", "character": "Nell", "episode_count": 2}]},
                {"id": 40, "name": "Ann Vale", "order": 0, "total_episode_count": 6, "gender": 1,
                 "roles": [{"credit_id": "c2", "character": "A Ghost", "episode_count": 1},
                           {"credit_id": "c3", "character": "Mary", "episode_count": 5}]},
            ],
            "crew": [
                {"id": 31, "name": "Ida Quill", "department": "Writing", "total_episode_count": 7,
                 "jobs": [{"credit_id": "d1", "job": "Writer", "episode_count": 1},
                          {"credit_id": "d2", "job": "Director", "episode_count": 6}]},
                {"id": 50, "name": "A Gaffer", "department": "Lighting", "total_episode_count": 6,
                 "jobs": [{"credit_id": "d3", "job": "Gaffer", "episode_count": 6}]},
            ],
        },
        "alternative_titles": {"results": [{"iso_3166_1": "DE", "title": "Die Lampenwärterinnen", "type": ""}]},
        "content_ratings": {
            "results": [
                {"descriptors": [], "iso_3166_1": "DE", "rating": "12"},
                {"descriptors": ["L", "V"], "iso_3166_1": "US", "rating": "TV-14"},
            ]
        },
        "external_ids": {"imdb_id": "tt7654321", "tvdb_id": 654321, "wikidata_id": "Q7654", "facebook_id": None},
        "keywords": {"results": [{"id": 2, "name": "sisters"}, {"id": 1, "name": "lighthouse"}]},
        "translations": {
            "translations": [
                {"iso_639_1": "de", "iso_3166_1": "DE",
                 "data": {"name": "Die Lampenwärterinnen", "overview": "Zwei …", "tagline": "", "homepage": ""}},
                {"iso_639_1": "fr", "iso_3166_1": "FR", "data": {"name": "", "overview": "", "tagline": ""}},
            ]
        },
        "videos": {"results": []},
        "watch/providers": {
            "results": {
                "GB": {
                    "link": "https://example.org/7001",
                    "flatrate": [{"provider_id": 8, "provider_name": "Sea Flix", "display_priority": 1}],
                }
            }
        },
    } | changes  # fmt: skip


def sent_series(body: Any) -> Series:
    """The series of a body that went through JSON, as every response does."""
    return read_series(read_json(json.dumps(body).encode()), SERIES_ID)


def series(**changes: Any) -> Series:
    """The series of details with some fields replaced; `**{"season/1": season(1)}` appends a season."""
    return sent_series(series_details(**changes))
