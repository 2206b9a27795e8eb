"""Embedding sets for the command line: lists them, and lets a person choose the one that searches see.

The pipeline makes sets, and switches to a new one by itself (`search.movie_vectors`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from movie_assets.database.database import Database, execute, fetch_value
from movie_assets.embeddings.embedder import Embedder, set_key

MIN_COVERAGE = 0.99  # of the films, unless a person accepts less


class SetError(Exception):
    """A set cannot be searched; the message says why and what to do."""


class SetId(NamedTuple):
    """The number of an embedding set."""

    set_id: int


class ActiveSet(NamedTuple):
    """The embedding set that searches use. A held set is not replaced automatically."""

    set_id: int
    provider: str
    model: str
    dimensions: int
    template: str
    is_held: bool


class SetProgress(NamedTuple):
    """An embedding set with the films that it covers and its cost so far."""

    set_id: int
    provider: str
    model: str
    dimensions: int
    template: str
    state: str
    films: int
    films_embedded: int
    tokens: int
    dollars: float
    created_at: datetime
    activated_at: datetime | None
    retired_at: datetime | None


class SearchableSet(NamedTuple):
    """An embedding set, the number of films in the catalogue, and whether the set still has a table of vectors."""

    provider: str
    model: str
    dimensions: int
    films: int
    is_searchable: bool


class RefreshedVectors(NamedTuple):
    """The rows that a refresh of a set's searchable vectors changed, and how many vectors there are now."""

    removed: int
    written: int
    refiltered: int
    total: int


@dataclass(frozen=True)
class ChosenSet:
    """The set that searches see from now on."""

    set_id: int
    name: str
    films: int
    films_embedded: int
    is_held: bool  # the settings name another set, which waits until this one is released


def embedding_set(database: Database, embedder: Embedder) -> int:
    """Return the number of the set of an embedder's vectors; the set is made if it is new.

    An existing set is only read, as sensors call this every half minute and each transaction that changes something
    has a row in pipeline.units.
    """
    existing = database.fetch_optional(SetId, "current_set", **set_key(embedder))
    if existing is not None:
        return existing.set_id
    (made,) = database.execute_returning(SetId, "ensure_set", **set_key(embedder))
    return made.set_id


def embedding_sets(database: Database) -> Sequence[SetProgress]:
    """Return every embedding set: model, state, how many films it covers, and its cost."""
    return database.fetch(SetProgress, "embedding_progress")


def build_vector_index(connection: sa.Connection, set_id: int, *, anew: bool = False) -> bool:
    """Build the index of a set if it needs one and has no valid one, or a new one with `anew`; return whether it did.

    No time limit holds for the rest of the transaction.
    """
    execute(connection, "lift_time_limit")
    return fetch_value(connection, bool, "build_vector_index", set_id=set_id, anew=anew)


def use_set(database: Database, set_id: int, embedder: Embedder, *, accept_partial: bool = False) -> ChosenSet:
    """Let searches see a set, in one transaction; a set that is not the settings' own is held against automatic change.

    Raises SetError when no set has that number, its vectors were dropped, or it does not cover the catalogue.
    """
    wanted = database.fetch_optional(SearchableSet, "set_by_id", set_id=set_id)
    if wanted is None or not wanted.is_searchable:
        raise SetError(f"there is no set {set_id} that can be searched; `movie-assets sets` lists them")
    (refreshed,) = database.execute_returning(RefreshedVectors, "refresh_vectors", set_id=set_id)
    if refreshed.total < MIN_COVERAGE * wanted.films and not accept_partial:
        raise SetError(
            f"set {set_id} has the vectors of {refreshed.total:,} of {wanted.films:,} films; the others would not be "
            "found. Refresh with its model first, or use --accept-partial"
        )
    database.once(lambda connection: build_vector_index(connection, set_id))
    is_held = set_id != embedding_set(database, embedder)
    database.execute("activate_set", set_id=set_id, hold=is_held)
    name = f"{wanted.provider} {wanted.model} {wanted.dimensions}"
    return ChosenSet(set_id, name, wanted.films, refreshed.total, is_held)
