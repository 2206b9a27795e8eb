"""Ranks texts, or the films of a search, anew by a Cohere-compatible rerank endpoint, within a time limit.

The endpoint is optional: without it, without its response in time and with a response that makes no sense, the order
stays as it is, and the reason is returned. A request is sent once, as whoever searches waits for it.
"""

import threading
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.embeddings.error_messages import message_of_error, without_secrets
from movie_assets.search.queries import FoundMovie
from movie_assets.search.ranking import NonsenseError, best_first, scores_of

if TYPE_CHECKING:
    import httpx

MAX_RERANKED = 50  # films that are ranked anew; Cohere's price of a search covers 100
KEY_REFUSED = (401, 403)


class Reranking(NamedTuple):
    """The positions of texts, best first; their scores by position, or None and the reason if the order stayed."""

    order: list[int]
    scores: list[float] | None
    problem: str | None


class MovieText(NamedTuple):
    """The text of a film that a reranker reads."""

    title_id: int
    text: str


class RerankError(Exception):
    """The endpoint did not rank the texts; the message says why and has no secret."""


def rerank(settings: Settings, question: str, texts: Sequence[str]) -> Reranking:
    """Rank texts by how well they answer a question; the order stays as it is where the endpoint does not help.

    Without MOVIE_ASSETS_RERANK_URL nothing is sent.
    """
    unchanged = list(range(len(texts)))
    if settings.rerank_url is None or len(texts) < 2:  # noqa: PLR2004
        return Reranking(unchanged, None, None)
    try:
        scores = _scores(settings, settings.rerank_url.get_secret_value(), question, texts)
    except RerankError as error:
        return Reranking(unchanged, None, str(error))
    return Reranking(best_first(scores), scores, None)


def candidates(settings: Settings, count: int) -> int:
    """Return how many films to search for so that the best `count` can be chosen by the endpoint."""
    return count if settings.rerank_url is None else max(count, MAX_RERANKED)


def rerank_films(
    database: Database, settings: Settings, question: str, films: Sequence[FoundMovie], count: int
) -> tuple[list[FoundMovie], str | None]:
    """Return the best `count` films of a search as the endpoint ranks them, and the reason if their order stayed.

    The first 50 films are ranked anew, and their score is that of the endpoint; the others follow in their order.
    """
    ranked, others = films[:MAX_RERANKED], films[MAX_RERANKED:]
    if settings.rerank_url is None:
        return list(films[:count]), None
    ids = [film.title_id for film in ranked]
    texts = {row.title_id: row.text for row in database.fetch(MovieText, "movie_texts", title_ids=ids)}
    # A film can leave the catalogue between the two queries; its title is left.
    result = rerank(settings, question, [texts.get(film.title_id, film.title) for film in ranked])
    scores = result.scores or [film.score for film in ranked]
    ordered = [ranked[n]._replace(score=scores[n]) for n in result.order]
    return [*ordered, *others][:count], result.problem


def _scores(settings: Settings, url: str, question: str, texts: Sequence[str]) -> list[float]:
    """Request the scores of texts. Raises RerankError."""
    import httpx  # noqa: PLC0415  # a search without a reranker does not wait for this import

    key = settings.rerank_key.get_secret_value() if settings.rerank_key else None
    body: dict[str, object] = {"query": question, "documents": list(texts)}
    # A server with one model may be Text Embeddings Inference, which reads `texts` and ignores other names.
    body |= {"model": settings.rerank_model} if settings.rerank_model else {"texts": list(texts)}
    secrets = (url, *([key] if key else []))
    try:
        response = _posted(url, body, key, settings.rerank_seconds)
        if not response.is_success:
            _, message = message_of_error(response.content, secrets)
            setting = "KEY" if response.status_code in KEY_REFUSED else "URL"
            raise RerankError(
                f"the reranker answered HTTP {response.status_code} {message or response.reason_phrase}; check "
                f"MOVIE_ASSETS_RERANK_{setting}"
            )
        return scores_of(response.json(), len(texts))
    except httpx.HTTPError as error:
        message = without_secrets(str(error) or type(error).__name__, secrets)
        raise RerankError(f"the reranker did not answer ({message}); check MOVIE_ASSETS_RERANK_URL") from None
    except NonsenseError as error:
        raise RerankError(f"the reranker's answer cannot be used: {without_secrets(str(error), secrets)}") from None
    except ValueError:
        raise RerankError("the reranker's answer is not JSON; check MOVIE_ASSETS_RERANK_URL") from None


def _posted(url: str, body: object, key: str | None, seconds: float) -> "httpx.Response":
    """Return the response to a request, if it is whole within so many seconds. Raises RerankError, httpx.HTTPError.

    The timeouts of the HTTP library are for each read, so that a slow server could hold a search for hours.
    """
    import httpx  # noqa: PLC0415  # as above

    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answers: SimpleQueue[httpx.Response | Exception] = SimpleQueue()

    def call() -> None:
        try:
            answers.put(httpx.post(url, json=body, headers=headers, timeout=seconds))
        except Exception as error:  # noqa: BLE001  # raised again in the caller's thread
            answers.put(error)

    # A daemon thread: a call that hangs must not keep the process from ending.
    threading.Thread(target=call, name="rerank", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        answer = RerankError(f"the reranker did not answer within {seconds:g} s (MOVIE_ASSETS_RERANK_SECONDS)")
    if isinstance(answer, httpx.TimeoutException):
        answer = RerankError(f"the reranker did not answer within {seconds:g} s (MOVIE_ASSETS_RERANK_SECONDS)")
    if isinstance(answer, Exception):
        raise answer
    return answer
