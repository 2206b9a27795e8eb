"""IMDb's daily `title.ratings.tsv.gz` for the films of the world.

Its averages follow TMDB's on another part of the scale, with a small deviation for each film, so that ratings can be
calibrated.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from email.utils import format_datetime

import numpy as np
from starlette.requests import Request

from movie_assets.emulator.export import gzip_pieces
from movie_assets.emulator.responses import ServedResponse
from movie_assets.emulator.service import Service

HEADER = b"tconst\taverageRating\tnumVotes\n"
MIN_VOTES = 5  # as IMDb has it
MAX_TITLES = 100_000  # the films with the most votes
VOTES_FOR_ONE = 12  # at IMDb for one at TMDB
SHIFT, SLOPE, OFF = 1.6, 0.78, 0.25  # from TMDB's 0-10, and by how much a film is off
PIECE = 1000


def title_ratings(service: Service, request: Request) -> ServedResponse:
    """Return the day's file, or 304 for a client that has it already."""
    etag = f'"{service.options.world_name}-{service.today}"'
    headers = {
        "ETag": etag,
        "Last-Modified": format_datetime(datetime.combine(service.today, time(2), UTC), usegmt=True),
        "Content-Type": "binary/octet-stream",
    }
    if request.headers.get("if-none-match") == etag:
        return ServedResponse(304, headers=headers)
    return ServedResponse(200, headers=headers, pieces=gzip_pieces(_pieces(service)))


def average_of(tmdb_id: int, vote_average: float) -> float:
    """Return a title's average at IMDb, 1 to 10, by TMDB's."""
    off = OFF * float(np.random.default_rng(tmdb_id).standard_normal())
    return min(10.0, max(1.0, SHIFT + SLOPE * vote_average + off))


def _pieces(service: Service) -> Iterator[bytes]:
    movies = service.world.columns(service.today)
    order = np.argsort(-movies.vote_count, kind="stable")[:MAX_TITLES]
    lines = [HEADER]
    for place in np.sort(order).tolist():
        votes = int(movies.vote_count[place])
        body = service.world.detail(int(movies.tmdb_id[place]), service.today) if votes >= MIN_VOTES else None
        if body is None or not body.get("imdb_id"):
            continue
        average = average_of(int(movies.tmdb_id[place]), float(movies.vote_average[place]))
        lines.append(f"{body['imdb_id']}\t{average:.1f}\t{votes * VOTES_FOR_ONE}\n".encode())
        if len(lines) == PIECE:
            yield b"".join(lines)
            lines = []
    yield b"".join(lines)
