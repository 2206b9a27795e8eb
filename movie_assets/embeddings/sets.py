"""Embedding sets in a person's hands: what there is, and which one searches see.

The pipeline makes sets and switches to a new one by itself (assets/movie_vectors.py); here a person goes back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from movie_assets.database.database import Database
from movie_assets.embeddings.embedder import Embedder, set_key

MIN_COVERAGE = 0.99  # of the films, unless a person accepts less


class SetError(Exception):
    """A set cannot be searched; the message says why and what to do."""


@dataclass(frozen=True)
class Chosen:
    """The set that searches see now."""

    set_id: int
    name: str
    films: int
    films_embedded: int
    is_held: bool  # another model is named by the settings, and waits until this set is let go


def embedding_sets(database: Database) -> Sequence[sa.Row[Any]]:
    """Every embedding set: model, state, how many films it covers, what it cost."""
    return database.rows("embedding_progress")


def use_set(database: Database, set_id: int, embedder: Embedder, *, accept_partial: bool = False) -> Chosen:
    """Let searches see a set, in one transaction; a set that is not the settings' own is held against automatic change.

    Raises SetError when there is none of that number, its vectors were dropped, or it does not cover the catalogue.
    """
    found = database.rows("set_by_id", set_id=set_id)
    if not found or not found[0].is_searchable:
        raise SetError(f"there is no set {set_id} that can be searched; `movie-assets sets` lists them")
    (wanted,) = found
    moved = database.row("refresh_vectors", set_id=set_id)
    if moved.total < MIN_COVERAGE * wanted.films and not accept_partial:
        raise SetError(
            f"set {set_id} has the vectors of {moved.total:,} of {wanted.films:,} films; the others would not be "
            "found. Refresh with its model first, or say --accept-partial"
        )
    database.execute("build_vector_index", set_id=set_id)
    settings_own = database.row("ensure_set", **set_key(embedder)).set_id
    hold = set_id != settings_own
    database.execute("activate_set", set_id=set_id, hold=hold)
    name = f"{wanted.provider} {wanted.model} {wanted.dimensions}"
    return Chosen(set_id, name, wanted.films, moved.total, hold)
