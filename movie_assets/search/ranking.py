"""Reads the response of a rerank endpoint: a score for each document, or the reason why it is nonsense.

Cohere, Jina, vLLM and LiteLLM return `results`, Voyage `data`, with `index` and `relevance_score`; Text Embeddings
Inference returns the bare list with `index` and `score`.
"""

import math

MAX_SHOWN = 100  # characters of a wrong response


class NonsenseError(ValueError):
    """The response does not rank the documents; the message says why."""


def scores_of(content: object, count: int) -> list[float]:
    """Return the scores of `count` documents in their order. Raises NonsenseError unless each has exactly one."""
    results = content
    if isinstance(content, dict):
        results = content.get("results", content.get("data"))
    if not isinstance(results, list) or not all(isinstance(result, dict) for result in results):
        raise NonsenseError(f"the response has no results: {str(content)[:MAX_SHOWN]}")
    scores: dict[int, float] = {}
    for result in results:
        index, score = result.get("index"), result.get("relevance_score", result.get("score"))
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < count:
            raise NonsenseError(f"the response names a document that was not sent: {str(index)[:MAX_SHOWN]}")
        if not isinstance(score, int | float) or isinstance(score, bool) or not math.isfinite(score):
            raise NonsenseError(f"the score of a document is no number: {str(score)[:MAX_SHOWN]}")
        if index in scores:
            raise NonsenseError(f"the response ranks document {index} twice")
        scores[index] = float(score)
    if len(scores) != count:
        raise NonsenseError(f"the response ranks {len(scores)} of {count} documents")
    return [scores[n] for n in range(count)]


def best_first(scores: list[float]) -> list[int]:
    """Return the positions of the best score first; equal ones keep their order."""
    return sorted(range(len(scores)), key=lambda n: -scores[n])
