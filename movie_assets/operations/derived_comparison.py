"""Compares tables with the tables that they are made from: search documents, similar films and scores.

A table that differs is made again by the next run of the job that makes it.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from movie_assets.database.database import Database
from movie_assets.operations.agreements import Agreement
from movie_assets.ratings.rating_aggregates import DESCRIPTION, METHOD, Scores, ScoresContent, compute_scores, method_of
from movie_assets.tmdb.media import ALL

if TYPE_CHECKING:
    import pandas as pd

DOCUMENTS = "each film's document and names are what its rows say"
SIMILAR = "each place in a list of similar films has the similarity of the two vectors"
SHARED_FEATURES = "each list of similar films names what both films share today"
SCORES = "each score is what the votes, ratings and groups give"
DRIFTS = {SHARED_FEATURES}  # differences that ordinary edits cause: repaired, and no failure of the check
FILMS_PER_CHUNK = 1000
TOLERANCE = 1e-9  # the order in which numbers are added may change a sum by less
NUMBERS = ("films", "votes", "score", "score_low", "score_high")


ScoreKey = tuple[str, str, str]  # method, scope and key
ScoreValues = tuple[object, ...]  # NUMBERS and source_scores


class DocumentDifference(NamedTuple):
    """A row of a film's document or names that differs; `last_id` and `compared` describe the chunk.

    A chunk without differences has one row with `title_id` None. `last_id` is None after the last chunk.
    """

    last_id: int | None
    compared: int
    title_id: int | None
    table_name: str | None
    column_names: list[str] | None
    state: str | None


class SimilarDifference(NamedTuple):
    """A place in a list of similar films whose columns differ."""

    title_id: int
    place: int
    column_names: list[str]


class StoredMethod(NamedTuple):
    """A stored method of computing scores."""

    method_version: str
    is_current: bool
    says: str
    parameters: dict[str, object]


def compare_documents(database: Database, *, repair: bool) -> Agreement:
    """Make each film's document and names again, and compare them with the stored ones.

    With `repair` the documents that differ become due for the next run of `search_documents`.
    """
    agreement, after, differing = Agreement(DOCUMENTS), 0, set[int]()
    while True:
        # executed, as it uses a temporary table
        chunk = database.execute_returning(DocumentDifference, "compare_documents", after=after, films=FILMS_PER_CHUNK)
        last_id = chunk[0].last_id
        if last_id is None:
            break
        after = last_id
        agreement.rows_compared += chunk[0].compared
        for row in chunk:
            if row.title_id is not None and row.table_name is not None:
                agreement.add_difference(row.table_name, row.title_id, row.column_names, row.state or "other")
                differing.add(row.title_id)
    if repair and differing:
        database.execute("forget_documents", title_ids=sorted(differing))
        agreement.repaired = agreement.rows_differing
    return agreement


def compare_similar_lists(database: Database, *, repair: bool) -> list[Agreement]:
    """Compute the similarity and the shared features of each place in a list again.

    With `repair` the lists that differ become due for the next run of `similar_movies`.
    """
    places = database.fetch_value(int, "count_similar")
    similar, shared = Agreement(SIMILAR, places), Agreement(SHARED_FEATURES, places)
    differing = set[int]()
    for row in database.fetch(SimilarDifference, "compare_similar_lists"):
        is_drift = row.column_names == ["shared_features"]
        agreement = shared if is_drift else similar
        agreement.add_difference("similar_titles", f"{row.title_id}/{row.place}", row.column_names)
        differing.add(row.title_id)
    if repair and differing:
        database.execute("outdate_lists_of", title_ids=sorted(differing))
        similar.repaired, shared.repaired = similar.rows_differing, shared.rows_differing
    return [similar, shared]


def compare_scores(database: Database, *, repair: bool) -> Agreement:
    """Compute all scores again; with `repair`, all become due for the run of `rating_aggregates` if one differs.

    Nothing is compared when votes, ratings or groups have changed, as that run computes the scores again anyway.
    """
    agreement = Agreement(SCORES)
    for media in ALL:
        content = database.fetch_one(ScoresContent, "scores_content", media=media.name)
        inputs = database.fetch_value(str, "rating_inputs", methods=METHOD, media=media.name)
        if content.fingerprint is None or not content.fingerprint.startswith(f"{inputs} "):
            continue
        computed = compute_scores(database, database.frame("stored_ratings", media=media.name), media.name)
        method = method_of(media.name)
        _compare_methods(agreement, method, computed, database.fetch(StoredMethod, "stored_methods", media=media.name))
        scores = computed.rows.assign(method_version=method)
        _compare_rows(agreement, _by_key(scores), _by_key(database.frame("stored_scores", media=media.name)))
    if repair and agreement.rows_differing:
        database.execute("forget_scores")
        agreement.repaired = agreement.rows_differing
    return agreement


def _compare_methods(agreement: Agreement, method: str, computed: Scores, stored: Iterable[StoredMethod]) -> None:
    parameters = json.loads(json.dumps(computed.model.as_parameters()))
    computed_by_name = {method: (True, DESCRIPTION, parameters)}
    stored_by_name = {row.method_version: (row.is_current, row.says, row.parameters) for row in stored}
    for name in sorted(computed_by_name.keys() | stored_by_name.keys()):
        agreement.rows_compared += 1
        if name not in stored_by_name or name not in computed_by_name:
            state = "missing" if name in computed_by_name else "too many"
            agreement.add_difference("rating_methods", name, None, state)
        elif columns := _differing(("is_current", "says", "parameters"), computed_by_name[name], stored_by_name[name]):
            agreement.add_difference("rating_methods", name, columns)


def _by_key(scores: "pd.DataFrame") -> dict[ScoreKey, ScoreValues]:
    columns = ["method_version", "scope", "key", *NUMBERS, "source_scores"]
    table = scores[columns].astype(object).to_numpy().tolist()
    return {(str(r[0]), str(r[1]), str(r[2])): (*map(float, r[3:8]), r[8]) for r in table}


def _compare_rows(
    agreement: Agreement, computed: Mapping[ScoreKey, ScoreValues], stored: Mapping[ScoreKey, ScoreValues]
) -> None:
    for key in computed.keys() | stored.keys():
        agreement.rows_compared += 1
        name = "/".join(key)
        if key not in stored or key not in computed:
            agreement.add_difference("rating_aggregates", name, None, "missing" if key in computed else "too many")
        elif columns := _differing((*NUMBERS, "source_scores"), computed[key], stored[key]):
            agreement.add_difference("rating_aggregates", name, columns)


def _differing(columns: Sequence[str], computed: Sequence[object], stored: Sequence[object]) -> list[str]:
    """Return the columns whose values differ."""
    return [name for name, one, other in zip(columns, computed, stored, strict=True) if not _is_same(one, other)]


def _is_same(one: object, other: object) -> bool:
    """Return whether two values are the same; numbers may differ by TOLERANCE."""
    if isinstance(one, int | float) and isinstance(other, int | float) and not isinstance(one, bool):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(_is_same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other) or (_is_nothing(one) and _is_nothing(other))


def _is_nothing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
