"""OMDb (`/omdb/?i=tt0133093&apikey=…`) for the titles of the world: ratings as texts, a quota for each day.

IMDb's rating is that of its daily file; critics follow TMDB's average, and rate the titles with enough votes only.
"""

import re
from typing import Any

from starlette.requests import Request

from movie_assets.emulator.imdb import MIN_VOTES, VOTES_FOR_ONE, average_of
from movie_assets.emulator.responses import ServedResponse, json_response
from movie_assets.emulator.service import Service

VOTES_FOR_CRITICS = 50  # at TMDB
NONE = "N/A"


def _error(message: str, status: int = 200) -> ServedResponse:
    return json_response({"Response": "False", "Error": message}, status)


NO_KEY = _error("No API key provided.", 401)
NO_QUOTA = _error("Request limit reached!", 401)
NO_TITLE = _error("Incorrect IMDb ID.")


def title_at_omdb(service: Service, request: Request) -> ServedResponse:
    """Return what OMDb has of the title with an IMDb id, or why it has nothing. Each request with a key counts."""
    if not request.query_params.get("apikey", "").strip():
        return NO_KEY
    if not service.within_omdb_quota():
        return NO_QUOTA
    imdb_id = request.query_params.get("i", "")
    details = _details(service, imdb_id) if re.fullmatch(r"tt\d{7,10}", imdb_id, re.ASCII) else None
    return NO_TITLE if details is None else json_response(_response(imdb_id, *details))


def _details(service: Service, imdb_id: str) -> tuple[str, dict[str, Any]] | None:
    """Return the kind and TMDB's details of a movie or series; None if the world has none."""
    tmdb_id = service.world.id_of(imdb_id, service.today)
    details = service.world.detail(tmdb_id, service.today) if tmdb_id is not None else None
    if details is not None:
        return "movie", details
    shows = service.series.find("imdb_id", imdb_id, service.today)["tv_results"] if service.series else []
    details = service.series.detail(shows[0]["id"], service.today) if service.series and shows else None
    return None if details is None else ("series", details)


def _response(imdb_id: str, kind: str, details: dict[str, Any]) -> dict[str, Any]:
    votes, vote_average = int(details["vote_count"]), float(details["vote_average"])
    ratings, average, metascore = [], NONE, NONE
    if votes >= MIN_VOTES:
        average = f"{average_of(int(details['id']), vote_average):.1f}"
        ratings.append({"Source": "Internet Movie Database", "Value": f"{average}/10"})
    if kind == "movie" and votes >= VOTES_FOR_CRITICS:  # OMDb has no critics of series
        metascore = str(min(100, round(9.5 * vote_average)))
        ratings.append({"Source": "Rotten Tomatoes", "Value": f"{min(100, round(12 * vote_average))}%"})
        ratings.append({"Source": "Metacritic", "Value": f"{metascore}/100"})
    return {
        "Title": details.get("title", details.get("name")),
        "Ratings": ratings,
        "Metascore": metascore,
        "imdbRating": average,
        "imdbVotes": f"{votes * VOTES_FOR_ONE:,}" if votes >= MIN_VOTES else NONE,
        "imdbID": imdb_id,
        "Type": kind,
        "Response": "True",
    }
