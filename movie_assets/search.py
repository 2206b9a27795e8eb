"""Searching from the command line, through the same SQL functions that applications call."""

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from movie_assets.resources.embedder import embedder_for
from movie_assets.resources.postgres import Database
from movie_assets.settings import Settings

Films = Sequence[sa.Row[Any]]


class NothingToSearchError(Exception):
    """There is no catalogue to search in yet, or no film of that name; the message says what to do."""


def search(
    database: Database, settings: Settings, text: str, count: int, filters: dict[str, Any] | None = None
) -> Films:
    """The films nearest to a text, which is embedded as the active set was, whatever today's settings are."""
    active = database.rows("active_set")
    if not active:
        raise NothingToSearchError("the catalogue has no vectors yet; run `movie-assets refresh` first")
    if not text.strip():
        raise NothingToSearchError("say what the films should be about")
    embedder = embedder_for(settings, active[0].provider, active[0].model, active[0].dimensions)
    if embedder.provider != active[0].provider:
        raise NothingToSearchError(
            f"the catalogue was embedded by {active[0].provider} and OPENAI_BASE_URL names {embedder.provider}; "
            "their vectors do not compare"
        )
    vector = embedder.embed([text]).vectors[0]
    return database.rows(
        "search_movies", embedding=str(vector.tolist()), threshold=-1.0, count=count,
        filters=json.dumps(filters or {}),
    )  # fmt: skip


def resolve(database: Database, title_or_id: str) -> Films:
    """The films that a title or an id can mean, the most voted one first; never empty."""
    if not database.rows("active_set"):
        raise NothingToSearchError("the catalogue has no vectors yet; run `movie-assets refresh` first")
    if not title_or_id.strip():
        raise NothingToSearchError("name a film by its title or its TMDB id")
    found = database.rows("film_by_id", tmdb_id=int(title_or_id)) if title_or_id.isdecimal() else []
    found = found or database.rows("resolve_title", title=title_or_id)
    if not found:
        raise NothingToSearchError(f"the catalogue has no film whose title contains “{title_or_id}”")
    return found


def similar(database: Database, tmdb_id: int, count: int) -> Films:
    """The films nearest to a film."""
    return database.rows("similar_movies", tmdb_id=tmdb_id, count=count)
