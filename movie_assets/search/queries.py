"""Searching from the command line, through the same SQL functions that applications call."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.embeddings.embedder import EmbedderError, embedder_for, former_provider

Films = Sequence[sa.Row[Any]]
NO_VECTORS = "the catalogue has no vectors yet"
SAME_TITLE = ("id", "exact", "normalised", "loose")  # how catalog.find_movie calls films with the title asked for
CLEAR = 0.6  # confidence in a title that is written otherwise …
CLEARLY_BETTER = 0.1  # … and how far the next one is behind


class NothingToSearchError(Exception):
    """There is no catalogue to search in yet, or no film of that name; the message says what to do."""


class NoSuchMovieError(NothingToSearchError):
    """The catalogue has no film of that name."""


def search(
    database: Database, settings: Settings, text: str, count: int, filters: dict[str, Any] | None = None
) -> tuple[Films, str | None]:
    """The films that a text finds by its words and its meaning, and why meaning was left out if it was."""
    if not database.row("count_movies").films:
        raise NothingToSearchError("the catalogue is empty; run `movie-assets refresh` first")
    if not text.strip():
        raise NothingToSearchError("say what the films should be about")
    set_id, vector, missing = _embedded(database, settings, text)
    films = database.rows(
        "search_movies", text=text, count=count, filters=json.dumps(filters or {}), embedding=vector, set_id=set_id
    )
    return films, missing


def _embedded(database: Database, settings: Settings, text: str) -> tuple[int | None, str | None, str | None]:
    """The active set and the text's vector in it, whatever today's settings are; or why there is none."""
    active = database.rows("active_set")
    if not active:
        return None, None, NO_VECTORS
    try:
        embedder = embedder_for(settings, active[0].provider, active[0].model, active[0].dimensions)
        if active[0].provider not in (embedder.provider, former_provider(embedder.provider)):
            return None, None, f"OPENAI_BASE_URL names {embedder.provider}, the vectors are {active[0].provider}'s"
        return active[0].set_id, str(embedder.embed([text]).vectors[0].tolist()), None
    except EmbedderError as error:
        return None, None, str(error)


def resolve(database: Database, title_or_id: str) -> Films:
    """The films that a title or an id can mean, the likeliest one first; never empty. `is_certain` judges them."""
    if not database.rows("active_set"):
        raise NothingToSearchError(f"{NO_VECTORS}; run `movie-assets refresh` first")
    if not title_or_id.strip():
        raise NothingToSearchError("name a film by its title or its TMDB id")
    found = database.rows("film_by_id", tmdb_id=int(title_or_id)) if title_or_id.isdecimal() else []
    found = found or database.rows("find_movie", title=title_or_id)
    if not found:
        raise NoSuchMovieError(
            f"the catalogue has no film that is titled “{title_or_id}” or nearly so; try `movie-assets search`"
        )
    return found


def is_certain(film: sa.Row[Any], others: Films) -> bool:
    """Whether the likeliest film is the one to take: it has the title, or is far ahead with one that is nearly it."""
    if film.matched_by.split()[0] in SAME_TITLE:
        return True
    next_best = others[0].confidence if others else 0.0
    return bool(film.confidence >= CLEAR and film.confidence - next_best >= CLEARLY_BETTER)


def similar(database: Database, tmdb_id: int, count: int, filters: dict[str, Any] | None = None) -> Films:
    """The films nearest to a film."""
    return database.rows("films_like", tmdb_id=tmdb_id, count=count, filters=json.dumps(filters or {}))


def recommend(
    database: Database, named: Mapping[str, Sequence[int]], count: int, filters: dict[str, Any], options: dict[str, Any]
) -> Films:
    """Films for somebody who loved, liked and disliked others: `named` has the ids under these three names."""
    if not database.row("count_movies").films:
        raise NothingToSearchError("the catalogue is empty; run `movie-assets refresh` first")
    return database.rows(
        "recommended_movies", loved=list(named["loved"]), liked=list(named["liked"]), disliked=list(named["disliked"]),
        filters=json.dumps(filters), count=count, options=json.dumps(options),
    )  # fmt: skip


def recommend_for(database: Database, person: str, count: int, filters: dict[str, Any]) -> Films:
    """Films for somebody with a watch history, none of which is in it."""
    known = database.rows("people_with_histories", person=person)
    if not known or known[0].person != person:
        others = f"; some who have one: {', '.join(row.person for row in known)}" if known else ""
        raise NothingToSearchError(f"nobody called “{person}” has a watch history here{others}")
    return database.rows("person_recommendations", person=person, filters=json.dumps(filters), count=count)
