"""`movie-assets embed` and `movie-assets providers`, against the emulator's services and without a key."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import Result

from movie_assets.embeddings import request_queue
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.cli.commands import clean_environment, expected_error, invoke
from movie_assets_tests.conftest import DAY

QUESTION = "a murder in a mansion"


@pytest.fixture(scope="module")
def service() -> Iterator[TmdbEmulator]:
    with TmdbEmulator(EmulatorOptions(movies=1, today=DAY, rate_limit=0)) as emulator:
        yield emulator


def run(*arguments: str, text: str | None = None, **environ: str) -> Result:
    return invoke(clean_environment(**environ), *arguments, text=text)


def told(*arguments: str, text: str | None = None, **environ: str) -> Any:
    result = run(*arguments, text=text, **environ)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_vector_is_printed_as_sql_takes_it() -> None:
    vector = told("embed", *QUESTION.split())
    assert (len(vector), round(sum(value * value for value in vector), 3)) == (4000, 1.0)


def test_a_json_object_names_set_and_cost() -> None:
    shown = told("embed", "--json", QUESTION, MOVIE_ASSETS_EMBEDDING_DIMENSIONS="64")
    assert len(shown.pop("vector")) == 64
    assert shown == {
        "set": "local hashing-v2 64 film-v1", "provider": "local", "model": "hashing-v2", "dimensions": 64,
        "role": "query", "tokens": 2, "dollars": 0.0,
    }  # fmt: skip


def test_a_text_comes_from_standard_input() -> None:
    assert told("embed", "-", text=f"{QUESTION}\n") == told("embed", QUESTION)


@pytest.mark.parametrize(("arguments", "text"), [((), None), (("-",), "\n"), ((" ",), None)])
def test_no_text_is_refused(arguments: tuple[str, ...], text: str | None) -> None:
    result = run("embed", *arguments, text=text)
    assert (result.exit_code, "name a text" in result.stderr) == (2, True)


def test_questions_and_documents_of_a_model_that_tells_them_apart_differ(service: TmdbEmulator) -> None:
    environ = {
        "OPENAI_API_KEY": "a-key", "OPENAI_BASE_URL": service.openai_url, "MOVIE_ASSETS_EMBEDDING_DIMENSIONS": "64",
        "MOVIE_ASSETS_EMBEDDING_MODEL": "multilingual-e5-small",
    }  # fmt: skip
    question = told("embed", "--json", QUESTION, **environ)
    document = told("embed", "--json", "--document", QUESTION, **environ)
    plain = told("embed", f"query: {QUESTION}", MOVIE_ASSETS_EMBEDDING_QUERY_PREFIX="none", **environ)
    assert question["vector"] == plain
    assert document["vector"] != plain
    assert question["set"].endswith('multilingual-e5-small 64 film-v1 prefix="passage: "')
    assert (question["tokens"], document["role"]) == (7, "document")


def test_a_refused_key_is_one_sentence_of_the_service(service: TmdbEmulator) -> None:
    service.faults = {"oa_401": 1.0}
    error = expected_error(run("embed", "a", OPENAI_API_KEY="a-secret-key", OPENAI_BASE_URL=service.openai_url))
    service.faults = {}
    assert "Incorrect API key provided" in error
    assert "check OPENAI_API_KEY" in error
    assert "a-secret-key" not in error


# Providers


def test_the_providers_are_listed_with_what_they_take() -> None:
    rows = {(row["provider"], row["model"]): row for row in told("providers", "--json")}
    small = rows["openai", "text-embedding-3-small"]
    assert (small["dollars_per_million_tokens"], small["dimensions"], small["usual_dimensions"]) == (
        0.02,
        "1 to 1536",
        1536,
    )
    assert (small["texts_per_request"], small["tokens_per_request"], small["tokens_per_text"]) == (2048, 300_000, 8191)
    assert small["needs"] == {"OPENAI_API_KEY": False}
    assert [key for key, row in rows.items() if row["is_in_use"]] == [("local", "hashing-v2")]


def test_the_model_in_use_comes_first_also_if_it_is_another_servers() -> None:
    rows = told("providers", "--json", OPENAI_API_KEY="a-key", MOVIE_ASSETS_EMBEDDING_MODEL="nomic-embed-text")
    assert (rows[0]["model"], rows[0]["is_in_use"], rows[0]["needs"]) == (
        "nomic-embed-text",
        True,
        {"OPENAI_API_KEY": True},
    )
    assert (rows[0]["roles"], rows[0]["query"]) == ("prefix", "search_query: ")


def test_people_see_which_setting_is_missing() -> None:
    shown = run("providers").stdout
    assert "openai needs OPENAI_API_KEY (not set)" in shown
    assert "a-key" not in run("providers", OPENAI_API_KEY="a-key").stdout


@pytest.mark.parametrize("provider", ["openai", "gemini"])
def test_a_service_that_cannot_be_reached_is_one_sentence_with_the_setting(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_queue, "backoff", lambda *_: 0.002)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    name = provider.upper()
    address = {f"{name}_API_KEY": "a-key", f"{name}_BASE_URL": f"http://127.0.0.1:{port}/v1"}
    result = run("embed", QUESTION, MOVIE_ASSETS_EMBEDDER=provider, **address)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: 5 attempts to embed a text failed, the last: no response (")
    assert f"refused); check {name}_BASE_URL and the network" in result.stderr
    assert result.stderr.count("\n") == 1


def test_ctrl_c_during_a_request_ends_the_command_with_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environ = {
            "OPENAI_API_KEY": "a-key", "OPENAI_BASE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/v1",
        }  # fmt: skip
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        command = [sys.executable, "-c", "from movie_assets.cli.main import main; main()", "embed", QUESTION]
        with subprocess.Popen(command, env=kept | environ, stderr=subprocess.PIPE, text=True) as running:
            connection, _ = silent.accept()
            running.send_signal(signal.SIGINT)
            _, stderr = running.communicate(timeout=30)
            connection.close()
    assert (running.returncode, stderr.split(".")[0]) == (130, "Stopped")
    assert "Traceback" not in stderr
