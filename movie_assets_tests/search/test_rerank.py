"""Reranking over HTTP: the order of the endpoint, and the order of the search whenever the endpoint does not help."""

import socket
import time
from collections.abc import Iterator

import pytest

from movie_assets.config.settings import Settings
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.search.ranking import NonsenseError, scores_of
from movie_assets.search.rerank import candidates, rerank
from movie_assets_tests.conftest import DAY

KEY = "canary-of-a-rerank-key"
QUESTION = "a dragon in the mountains"
TEXTS = ["A heist in Antwerp.", "A dragon wakes in the mountains.", "Nothing of the kind.", "A dragon sleeps."]
UNCHANGED = [0, 1, 2, 3]


@pytest.fixture(scope="module")
def running() -> Iterator[TmdbEmulator]:
    with TmdbEmulator(EmulatorOptions(movies=1, today=DAY, rate_limit=0, stall_seconds=3)) as emulator:
        yield emulator


@pytest.fixture
def emulator(running: TmdbEmulator) -> TmdbEmulator:
    running.faults = {}
    running.reset_counts()
    return running


def settings_of(url: str | None, **more: object) -> Settings:
    variables = {"rerank_url": url, "rerank_key": KEY, "rerank_model": "rerank-v3.5", "rerank_seconds": 10, **more}
    return Settings.model_validate(variables)


@pytest.mark.parametrize("path", ["/v2/rerank", "/v1/rerank", "/voyage/v1/rerank"])
def test_texts_are_ordered_by_the_endpoint(emulator: TmdbEmulator, path: str) -> None:
    result = rerank(settings_of(emulator.url + path), QUESTION, TEXTS)
    assert result.order == [1, 3, 0, 2]
    assert result.problem is None
    assert result.scores is not None
    assert result.scores[1] == max(result.scores)


def test_a_server_with_one_model_and_no_key_ranks_too(emulator: TmdbEmulator) -> None:
    settings = settings_of(f"{emulator.url}/rerank", rerank_key=None, rerank_model=None)
    assert rerank(settings, QUESTION, TEXTS).order == [1, 3, 0, 2]


def test_nothing_is_sent_without_an_address_or_for_a_single_text(emulator: TmdbEmulator) -> None:
    assert rerank(settings_of(None), QUESTION, TEXTS) == (UNCHANGED, None, None)
    assert rerank(settings_of(emulator.rerank_url), QUESTION, TEXTS[:1]) == ([0], None, None)
    assert emulator.requests == {}
    assert (candidates(settings_of(None), 10), candidates(settings_of(emulator.rerank_url), 10)) == (10, 50)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("api_key", "HTTP 401 invalid api token; check MOVIE_ASSETS_RERANK_KEY"),
        ("api_forbidden", "HTTP 403 Your account has been blocked"),
        ("api_429s", "HTTP 429 You are past the per minute request limit"),
        ("api_500", "HTTP 500 internal server error"),
        ("api_503", "HTTP 503 service unavailable"),
        ("api_html", "is not JSON"),
        ("api_cut", "did not answer (peer closed connection"),
        ("rank_missing", "ranks 3 of 4 documents"),
        ("rank_twice", "ranks document 1 twice"),
        ("rank_beyond", "names a document that was not sent: 4"),
        ("rank_nan", "the score of a document is no number: nan"),
        ("rank_text", "the score of a document is no number: high"),
    ],
)
def test_the_order_stays_and_the_reason_is_told(emulator: TmdbEmulator, fault: str, says: str) -> None:
    emulator.faults = {fault: 1.0}
    order, scores, problem = rerank(settings_of(emulator.rerank_url), QUESTION, TEXTS)
    assert (order, scores) == (UNCHANGED, None)
    assert says in str(problem)
    assert KEY not in str(problem)
    assert sum(emulator.requests["rerank"].values()) == 1


@pytest.mark.parametrize("fault", ["api_timeout", "api_drip"])
def test_a_search_waits_no_longer_than_the_limit(emulator: TmdbEmulator, fault: str) -> None:
    emulator.faults = {fault: 1.0}
    began = time.monotonic()
    order, _, problem = rerank(settings_of(emulator.rerank_url, rerank_seconds=0.5), QUESTION, TEXTS)
    assert time.monotonic() - began < 2
    assert order == UNCHANGED
    assert problem == "the reranker did not answer within 0.5 s (MOVIE_ASSETS_RERANK_SECONDS)"


def test_a_wrong_address_is_told_without_secrets_in_it(emulator: TmdbEmulator) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://user:canary-of-a-password@127.0.0.1:{unused.getsockname()[1]}/v2/rerank?key={KEY}"
        problem = str(rerank(settings_of(url), QUESTION, TEXTS).problem)
    assert "check MOVIE_ASSETS_RERANK_URL" in problem
    missing = str(rerank(settings_of(f"{emulator.url}/nothing?key={KEY}"), QUESTION, TEXTS).problem)
    assert "HTTP 404" in missing
    assert "canary" not in problem + missing


@pytest.mark.parametrize(
    "content",
    [None, [], {}, {"results": None}, {"results": [1]}, {"results": [{"index": 0}]}, {"data": [{"index": True}]},
     {"results": [{"index": "0", "relevance_score": 1}]}, {"results": [{"index": -1, "relevance_score": 1}]},
     {"results": [{"index": 0, "relevance_score": 1e999}]}, {"results": [{"index": [], "relevance_score": 1}]}],
)  # fmt: skip
def test_a_response_that_makes_no_sense_is_refused(content: object) -> None:
    with pytest.raises(NonsenseError):
        scores_of(content, 1)
