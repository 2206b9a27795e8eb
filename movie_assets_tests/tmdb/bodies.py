"""A film's details in the shape that TMDB sends, and reading them the way the pipeline does."""

import json
from typing import Any

from movie_assets.tmdb.json_values import read_json
from movie_assets.tmdb.movies import Movie, read_movie


def details(**changes: Any) -> dict[str, Any]:
    """Details of one film with everything in place; `changes` replaces fields."""
    return {
        "adult": False,
        "backdrop_path": "/icmmSD4vTTDKOq2vvdulafOGw93.jpg",
        "belongs_to_collection": {"id": 2344, "name": "The Matrix Collection", "poster_path": None},
        "budget": 63000000,
        "genres": [{"id": 878, "name": "Science Fiction"}, {"id": 28, "name": "Action"}],
        "homepage": "http://www.warnerbros.com/matrix",
        "id": 603,
        "imdb_id": "tt0133093",
        "origin_country": ["US"],
        "original_language": "en",
        "original_title": "The Matrix",
        "overview": "Set in the 22nd century, The Matrix tells the story of a computer hacker.",
        "popularity": 21.7,
        "poster_path": "/p96dm7sCMn4VYAStA6siNz30G1r.jpg",
        "production_companies": [{"id": 79, "name": "Village Roadshow Pictures", "origin_country": "US"}],
        "production_countries": [
            {"iso_3166_1": "US", "name": "United States of America"},
            {"iso_3166_1": "AU", "name": "Australia"},
        ],
        "release_date": "1999-03-31",
        "revenue": 463517383,
        "runtime": 136,
        "softcore": False,
        "spoken_languages": [{"english_name": "English", "iso_639_1": "en", "name": "English"}],
        "status": "Released",
        "tagline": "Believe the unbelievable.",
        "title": "The Matrix",
        "video": False,
        "vote_average": 8.2,
        "vote_count": 26000,
        "keywords": {"keywords": [{"id": 490, "name": "philosophy"}, {"id": 310, "name": "artificial intelligence"}]},
        "credits": {
            "cast": [
                {"name": "Laurence Fishburne", "character": "Morpheus", "order": 1},
                {"name": "Keanu Reeves", "character": "Neo", "order": 0},
            ],
            "crew": [
                {"name": "Bill Pope", "job": "Director of Photography", "department": "Camera"},
                {"name": "Lana Wachowski", "job": "Director", "department": "Directing"},
                {"name": "Lilly Wachowski", "job": "Director", "department": "Directing"},
                {"name": "Lilly Wachowski", "job": "Writer", "department": "Writing"},
            ],
        },
        "release_dates": {
            "results": [
                {"iso_3166_1": "DE", "release_dates": [{"certification": "16", "type": 3}]},
                {
                    "iso_3166_1": "US",
                    "release_dates": [{"certification": "NR", "type": 5}, {"certification": "R", "type": 3}],
                },
            ]
        },
    } | changes


def details_without(*keys: str) -> dict[str, Any]:
    """Details that lack some keys."""
    return {key: value for key, value in details().items() if key not in keys}


def sent(body: Any) -> Movie:
    """The film of a body that went through JSON, as every answer does."""
    return read_movie(read_json(json.dumps(body).encode()), 603)


def film(**changes: Any) -> Movie:
    """The film of details with some fields replaced."""
    return sent(details(**changes))
