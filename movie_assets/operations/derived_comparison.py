"""Tables that are made from other tables, compared with what they are made from: documents, similar films, scores."""

import json
import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from movie_assets.database.database import Database
from movie_assets.operations.agreements import Agreement
from movie_assets.ratings.pooled_scores import METHOD_VERSION
from movie_assets.ratings.rating_aggregates import DESCRIPTION, METHOD, compute_scores

DOCUMENTS = "each film's document and names are what its rows say"
SIMILAR = "each place in a list of similar films has the similarity of the two vectors"
SHARED_FEATURES = "each list of similar films names what both films share today"
SCORES = "each score is what the votes, ratings and groups give"
DRIFTS = {SHARED_FEATURES}  # what ordinary work leaves behind: made anew, and no fault
FILMS_PER_CHUNK = 1000
TOLERANCE = 1e-9
NUMBERS = ("films", "votes", "score", "score_low", "score_high")


def compare_documents(database: Database, *, repair: bool) -> Agreement:
    """Make every film's document and names again; the publication writes those that differ."""
    found, after, differing = Agreement(DOCUMENTS), 0, set[int]()
    while True:
        chunk = database.rows("compare_documents", after=after, films=FILMS_PER_CHUNK)
        if chunk[0].last_id is None:
            break
        after = chunk[0].last_id
        found.rows_compared += chunk[0].looked_at
        for row in chunk:
            if row.tmdb_id is not None:
                found.differs(row.table_name, row.tmdb_id, row.column_names, row.what)
                differing.add(row.tmdb_id)
    if repair and differing:
        database.execute("forget_documents", tmdb_ids=sorted(differing))
        found.repaired = found.rows_differing
    return found


def compare_similar_lists(database: Database, *, repair: bool) -> list[Agreement]:
    """Compute the similarity and the shared features of each place again; the publication makes lists that differ."""
    places = database.row("count_similar").places
    similar, shared = Agreement(SIMILAR, places), Agreement(SHARED_FEATURES, places)
    differing = set[int]()
    for row in database.rows("compare_similar_lists"):
        is_drift = row.column_names == ["shared_features"]
        (shared if is_drift else similar).differs("similar_movies", f"{row.tmdb_id}/{row.place}", row.column_names)
        differing.add(row.tmdb_id)
    if repair and differing:
        database.execute("outdate_lists_of", tmdb_ids=sorted(differing))
        similar.repaired, shared.repaired = similar.rows_differing, shared.rows_differing
    return [similar, shared]


def compare_scores(database: Database, *, repair: bool) -> Agreement:
    """Compute all scores again; the publication writes them where one differs.

    Scores whose votes, ratings or groups moved since are computed by the next publication anyway and not compared.
    """
    found = Agreement(SCORES)
    content = database.row("scores_content")
    inputs = database.row("rating_inputs", methods=METHOD).name
    if content.fingerprint is None or not content.fingerprint.startswith(f"{inputs} "):
        return found
    computed = compute_scores(database, database.frame("stored_ratings"))
    wanted = {METHOD_VERSION: (True, DESCRIPTION, json.loads(json.dumps(computed.model.as_parameters())))}
    stored = {row.method_version: (row.is_current, row.says, row.parameters) for row in database.rows("stored_methods")}
    for name in sorted(wanted.keys() | stored.keys()):
        found.rows_compared += 1
        if name not in stored or name not in wanted:
            found.differs("rating_methods", name, None, "missing" if name in wanted else "too many")
        elif columns := _differing(("is_current", "says", "parameters"), wanted[name], stored[name]):
            found.differs("rating_methods", name, columns)
    scores = computed.rows.assign(method_version=METHOD_VERSION)
    _compare_rows(found, _by_key(scores), _by_key(database.frame("stored_scores")))
    if repair and found.rows_differing:
        database.execute("forget_scores")
        found.repaired = found.rows_differing
    return found


def _by_key(scores: pd.DataFrame) -> dict[tuple[str, str, str], tuple[Any, ...]]:
    """Scores by method, scope and key."""
    columns = ["method_version", "scope", "key", *NUMBERS, "source_scores"]
    table: list[list[Any]] = scores[columns].astype(object).to_numpy().tolist()
    return {(str(r[0]), str(r[1]), str(r[2])): (*map(float, r[3:8]), r[8]) for r in table}


def _compare_rows(
    found: Agreement, wanted: dict[tuple[str, str, str], tuple[Any, ...]], stored: dict[Any, tuple[Any, ...]]
) -> None:
    for key in wanted.keys() | stored.keys():
        found.rows_compared += 1
        told = "/".join(key)
        if key not in stored or key not in wanted:
            found.differs("rating_aggregates", told, None, "missing" if key in wanted else "too many")
            continue
        if columns := _differing((*NUMBERS, "source_scores"), wanted[key], stored[key]):
            found.differs("rating_aggregates", told, columns)


def _differing(columns: Sequence[str], wanted: Sequence[Any], stored: Sequence[Any]) -> list[str]:
    """The columns whose values differ."""
    return [name for name, one, other in zip(columns, wanted, stored, strict=True) if not _is_same(one, other)]


def _is_same(one: Any, other: Any) -> bool:
    """Whether two values are the same, numbers to within what the order of a sum can change."""
    if isinstance(one, int | float) and isinstance(other, int | float) and not isinstance(one, bool):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(_is_same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other) or (_is_nothing(one) and _is_nothing(other))


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
