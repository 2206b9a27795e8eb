"""Reading histories, content and stored weights from Postgres in pieces, into the matrices that are computed with.

Which of them a stage needs is its own business; what is learnt is in the core.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from movie_assets.database.binary_arrays import numbers_of
from movie_assets.database.database import Database
from movie_assets.recommendations.content_rows import content_rows
from movie_assets.recommendations.histories import Histories, Ids, among, histories_of
from movie_assets.recommendations.item_models import Matrix, Popularity, Sparse
from movie_assets.recommendations.model import EASE_LIMIT, kind_for

PEOPLE = 2_000  # read at a time
FILMS = 5_000
MIN_FILMS = 5  # that have a feature in common, before it is one
MAX_FEATURES = 3_000
FIRST = -(2**62)  # before every id


def read_histories(database: Database, people: list[str] | None = None) -> Histories:
    """What people saw; all of them unless told."""
    found = []
    after = ""
    while chunk := database.rows("history_of_people", after=after, people=people, count=PEOPLE):
        found += chunk
        after = chunk[-1].person
    return histories_of(
        [row.person for row in found],
        [numbers_of(row.films, "int8") for row in found],
        [numbers_of(row.ratings, "float8") for row in found],
        [numbers_of(row.dated, "int8") > 0 for row in found],
    )


def catalogue_ids(database: Database) -> Ids:
    """The films that can be recommended, ascending."""
    return np.asarray(numbers_of(database.row("catalogue_ids").films, "int8"), dtype=np.int64)


def read_content(database: Database) -> list[Ids]:
    """What several films of the catalogue have in common: the ids of the films, for each such thing."""
    found = database.rows("content_features", least=MIN_FILMS, most=MAX_FEATURES)
    return [np.asarray(numbers_of(row.films, "int8"), dtype=np.int64) for row in found]


@dataclass(frozen=True)
class Learnable:
    """What a model is fitted on."""

    histories: Histories
    content: sp.csr_matrix | None


def read_learnable(database: Database, *, learn_from_content: bool) -> Learnable:
    """Read histories and, if wanted, content; films that nobody saw are among them as long as EASE can take them."""
    catalogue, features = catalogue_ids(database), read_content(database) if learn_from_content else []
    seen = read_histories(database)
    widened = among(seen, catalogue)
    if kind_for(len(widened.films), len(seen.persons) + len(features)) == "als":
        return Learnable(seen, content_rows(features, seen.films) if len(seen.films) <= EASE_LIMIT else None)
    return Learnable(widened, content_rows(features, widened.films))


@dataclass(frozen=True)
class StoredModel:
    """A model as it is stored, and the films that its weights are between."""

    films: Ids
    weights: Sparse
    popularity: Popularity
    directions: Matrix


def read_model(database: Database, model_id: int) -> StoredModel:
    """The model that is served."""
    found = []
    others, weights = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.float32)]
    directions, after = [], FIRST
    while chunk := database.rows("model_weights", model_id=model_id, after=after, count=FILMS):
        found += [(row.tmdb_id, row.popularity) for row in chunk]
        others += [numbers_of(row.others, "int8") for row in chunk]
        weights += [numbers_of(row.weights, "float4") for row in chunk]
        directions += [numbers_of(row.directions, "float4") for row in chunk]
        after = chunk[-1].tmdb_id
    films = np.array([tmdb_id for tmdb_id, _ in found], dtype=np.int64)
    every = np.union1d(films, np.concatenate(others))
    places, count = np.searchsorted(every, films), len(every)
    rows = np.repeat(places, [len(part) for part in others[1:]])
    columns = np.searchsorted(every, np.concatenate(others))
    prior: Matrix = np.zeros(count, dtype=np.float32)
    prior[places] = [popularity for _, popularity in found]
    sides: Matrix = np.zeros((count, len(directions[0]) if directions else 1), dtype=np.float32)
    sides[places] = directions
    whole = sp.csr_matrix((np.concatenate(weights), (rows, columns)), shape=(count, count))
    return StoredModel(every, Sparse(whole), Popularity(prior), sides)
