"""Ways in which the results of a rerank endpoint can be wrong. `faults` has the table of all faults."""

from typing import Any

Ranking = list[dict[str, Any]]  # `index` and `relevance_score`, best first


def without_last(ranking: Ranking) -> Ranking:
    """Leave out the last document."""
    return ranking[:-1]


def one_twice(ranking: Ranking) -> Ranking:
    """Give the last result the document of the first."""
    return [*ranking[:-1], {**ranking[-1], "index": ranking[0]["index"]}]


def beyond(ranking: Ranking) -> Ranking:
    """Give the last result a document that was not sent."""
    return [*ranking[:-1], {**ranking[-1], "index": len(ranking)}]


def not_a_number(ranking: Ranking) -> Ranking:
    """Give the first result the score NaN."""
    return [{**ranking[0], "relevance_score": float("nan")}, *ranking[1:]]


def not_numbers(ranking: Ranking) -> Ranking:
    """Give the results words as scores."""
    return [{**result, "relevance_score": "high"} for result in ranking]
