"""Reads histories, content features and stored models from Postgres, in chunks, as matrices.

The models are learnt in `recommendations.item_models` and `recommendations.model`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import dagster as dg
import numpy as np
import scipy.sparse as sp

from movie_assets.database.binary_arrays import numbers_of
from movie_assets.database.database import Database
from movie_assets.recommendations.content_rows import content_rows
from movie_assets.recommendations.histories import Histories, Ids, among, histories_of
from movie_assets.recommendations.item_models import Matrix, Popularity, Sparse
from movie_assets.recommendations.model import EASE_LIMIT, Parameters, kind_for

MetadataEntry = str | int | float | bool | dg.MarkdownMetadataValue | dg.TableMetadataValue
Metadata = dict[str, MetadataEntry]
PEOPLE = 2_000  # per query
MOVIES = 5_000  # per query
MIN_MOVIES = 5  # that share a content feature
MAX_FEATURES = 3_000
FIRST = -(2**62)  # below every id


class PersonHistory(NamedTuple):
    """The films that a person saw, by time, as binary arrays (`database.binary_arrays`) of equal length."""

    person: str
    films: bytes  # int8
    ratings: bytes  # float8, NaN without a rating
    dated: bytes  # int8, 1 for a film with a date


class FeatureMovies(NamedTuple):
    """The ids of the films that share a content feature, as a binary array of int8."""

    films: bytes


class MovieWeights(NamedTuple):
    """The stored weights from one film to others, as binary arrays."""

    title_id: int
    popularity: float
    others: bytes  # int8
    weights: bytes  # float4
    directions: bytes  # float4


class ServedModel(NamedTuple):
    """The model that is served, with the number of films that have weights."""

    model_id: int
    kind: str
    method_version: str
    parameters: Mapping[str, float]
    persons: int
    films: int
    likes: int
    fitted_at: datetime
    seconds: float
    films_with_weights: int


def served_model(database: Database, media: str) -> ServedModel | None:
    """Return the model of a media type that is served; None without one."""
    return database.fetch_optional(ServedModel, "served_model", media=media)


def parameters_of(model: ServedModel) -> Parameters:
    """Return the parameters that a stored model was fitted with."""
    return Parameters(**model.parameters)


def read_histories(database: Database, media: str, people: list[str] | None = None) -> Histories:
    """Read the films of a media type that people saw; None stands for all people."""
    histories: list[PersonHistory] = []
    after = ""
    while chunk := database.fetch(
        PersonHistory, "history_of_people", media=media, after=after, people=people, count=PEOPLE
    ):
        histories += chunk
        after = chunk[-1].person
    return histories_of(
        [row.person for row in histories],
        [numbers_of(row.films, "int8") for row in histories],
        [numbers_of(row.ratings, "float8") for row in histories],
        [numbers_of(row.dated, "int8") > 0 for row in histories],
    )


def catalogue_ids(database: Database, media: str) -> Ids:
    """Return the ids of the films of a media type, which can be recommended, ascending."""
    return np.asarray(numbers_of(database.fetch_value(bytes, "catalogue_ids", media=media), "int8"), dtype=np.int64)


def read_content(database: Database, media: str) -> list[Ids]:
    """Return the ids of the films that share a feature, for each content feature of a media type."""
    features = database.fetch(FeatureMovies, "content_features", media=media, least=MIN_MOVIES, most=MAX_FEATURES)
    return [np.asarray(numbers_of(row.films, "int8"), dtype=np.int64) for row in features]


@dataclass(frozen=True)
class Learnable:
    """The data that a model is fitted on; `content` is None without content features."""

    histories: Histories
    content: sp.csr_matrix | None


def read_learnable(database: Database, media: str, *, learn_from_content: bool) -> Learnable:
    """Read the histories of a media type and, if wanted, content.

    Films that nobody saw are included as long as EASE can invert them.
    """
    catalogue, features = catalogue_ids(database, media), read_content(database, media) if learn_from_content else []
    seen = read_histories(database, media)
    widened = among(seen, catalogue)
    if kind_for(len(widened.films), len(seen.persons) + len(features)) == "als":
        return Learnable(seen, content_rows(features, seen.films) if len(seen.films) <= EASE_LIMIT else None)
    return Learnable(widened, content_rows(features, widened.films))


@dataclass(frozen=True)
class StoredModel:
    """A stored model: the ids of its films, ascending, and its weights, popularity and directions by their places."""

    films: Ids
    weights: Sparse
    popularity: Popularity
    directions: Matrix


def read_model(database: Database, model_id: int) -> StoredModel:
    """Read the weights of a model, which are stored for the served one only."""
    popularities: list[tuple[int, float]] = []
    others, weights = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.float32)]
    directions, after = [], FIRST
    while chunk := database.fetch(MovieWeights, "model_weights", model_id=model_id, after=after, count=MOVIES):
        popularities += [(row.title_id, row.popularity) for row in chunk]
        others += [numbers_of(row.others, "int8") for row in chunk]
        weights += [numbers_of(row.weights, "float4") for row in chunk]
        directions += [numbers_of(row.directions, "float4") for row in chunk]
        after = chunk[-1].title_id
    with_weights = np.array([title_id for title_id, _ in popularities], dtype=np.int64)
    films = np.union1d(with_weights, np.concatenate(others))
    places, count = np.searchsorted(films, with_weights), len(films)
    rows = np.repeat(places, [len(part) for part in others[1:]])
    columns = np.searchsorted(films, np.concatenate(others))
    prior: Matrix = np.zeros(count, dtype=np.float32)
    prior[places] = [popularity for _, popularity in popularities]
    by_place: Matrix = np.zeros((count, len(directions[0]) if directions else 1), dtype=np.float32)
    by_place[places] = directions
    whole = sp.csr_matrix((np.concatenate(weights), (rows, columns)), shape=(count, count))
    return StoredModel(films, Sparse(whole), Popularity(prior), by_place)
