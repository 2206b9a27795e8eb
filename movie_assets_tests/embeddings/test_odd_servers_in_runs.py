"""Odd servers in a whole run of `movie_embeddings`: vectors in Postgres, or the server's sentence where people look."""

import json
from collections.abc import Callable

import pytest

from movie_assets.embeddings import request_queue
from movie_assets.embeddings.checks import CURRENT
from movie_assets_tests.cli.commands import clean_environment, invoke
from movie_assets_tests.conftest import failed_checks, figures
from movie_assets_tests.embeddings.odd_server import Answer, Asked, answering, entries, refused, with_vectors
from movie_assets_tests.embeddings.test_movie_embeddings import message_of, rewrite, with_films
from movie_assets_tests.embeddings.test_odd_servers import filled, in_base64
from movie_assets_tests.support.small_pipelines import SmallPipeline

Make = Callable[..., SmallPipeline]
FILMS = tuple(range(64, 64 + 20 * 64, 64))  # of one batch
LONGEST = 200  # letters, in a server that refuses longer texts


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits as long as production does."""
    monkeypatch.setattr(request_queue, "backoff", lambda *_: 0.001)


@pytest.fixture
def waiting(small: Make) -> SmallPipeline:
    """A catalogue whose films wait for their vectors; the text of one is long."""
    pipeline = with_films(small, *FILMS)
    for tmdb_id in FILMS:
        rewrite(pipeline, tmdb_id, f"story number {tmdb_id}" + " of a ship" * (100 if tmdb_id == FILMS[3] else 1))
    return pipeline


def few(asked: Asked) -> bool:
    return len(asked.texts) <= 6


def short(asked: Asked) -> bool:
    return max(map(len, asked.texts)) <= LONGEST


def half(asked: Asked) -> Answer:
    return Answer(200, {"data": [
        each | {"embedding": in_base64(each["embedding"], "<f2"), "index": each["index"] + 1}
        for each in entries(asked.texts)
    ]})  # fmt: skip


SERVERS: dict[str, Callable[[Asked], Answer]] = {
    "429 for inputs": lambda asked: with_vectors(asked) if few(asked) else refused(429, "Limit reached"),
    "500 for inputs": lambda asked: with_vectors(asked) if few(asked) else refused(500, "Internal Server Error"),
    "429 for a long text": lambda asked: with_vectors(asked) if short(asked) else refused(429, "no"),
    "500 for a long text": lambda asked: with_vectors(asked) if short(asked) else refused(500, "oops"),
    "loading": lambda asked: refused(503, "Model is loading") if asked.number <= 5 else with_vectors(asked),
    "loading, 404": lambda asked: refused(404, "model not ready") if asked.number <= 5 else with_vectors(asked),
    "half precision, index from 1": half,
    "zeros for many": filled(0.0, only_above=6),
    "breaks large responses": lambda asked: with_vectors(asked)._replace(is_cut=not few(asked)),
    "redirects": lambda asked: (
        with_vectors(asked) if asked.path == "/new/embeddings" else Answer(301, b"", {"location": "/new/embeddings"})
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SERVERS)
def test_every_film_gets_its_vector(waiting: SmallPipeline, name: str) -> None:
    with answering(SERVERS[name]) as server:
        waiting.embedder = server.client()
        (result,) = waiting.run_all("embed_texts")
    assert failed_checks(result) == set()
    assert waiting.column("select tmdb_id from pipeline.embeddings order by 1") == list(FILMS)
    cut = [FILMS[3]] if "long text" in name else []
    assert waiting.column("select tmdb_id from pipeline.embeddings where is_cut") == cut
    assert figures(result, CURRENT)["texts_cut"] == len(cut)


SENTENCES: dict[str, tuple[Callable[[Asked], Answer], str]] = {
    "key": (lambda _: refused(401, "this key is from another planet"), "this key is from another planet"),
    "model": (lambda _: refused(404, 'model "x" not found, try pulling it'), "try pulling it"),
    "loading": (lambda _: refused(503, "Loading model 7 of 9"), "Loading model 7 of 9"),
    "429": (lambda _: refused(429, "you are too fast, my friend"), "you are too fast, my friend"),
    "500": (lambda _: refused(500, "disk on fire"), "disk on fire"),
    "html": (lambda _: Answer(502, b"<h1>The proxy sleeps</h1>"), "The proxy sleeps"),
    "zeros": (filled(0.0), "only zeros"),
    "portal": (lambda _: Answer(200, b"<p>Please sign in</p>"), "Please sign in"),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_the_server_s_sentence_is_in_the_run_the_metadata_and_the_commands(waiting: SmallPipeline, name: str) -> None:
    answer, words = SENTENCES[name]
    with answering(answer) as server:
        waiting.embedder = server.client()
        result = waiting.run("embed_texts")
    assert not result.success
    assert words in message_of(result)
    (check,) = [each for each in result.get_asset_check_evaluations() if each.check_name == CURRENT]
    assert words in str(check.metadata["problem"].value)
    assert words in str(check.description)
    assert waiting.column("select count(*) from pipeline.embeddings") == [0]
    address = waiting.database.url.render_as_string(hide_password=False).replace("+psycopg", "")
    environment = clean_environment(MOVIE_ASSETS_DATABASE_URL=address)
    problems = json.loads(invoke(environment, "status", "--json").stdout)["problems"]
    assert [words in each["reason"] for each in problems if each["step"] == "movie_embeddings"] == [True]
