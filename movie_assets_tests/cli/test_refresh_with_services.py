"""`movie-assets refresh` and `search` with vectors of Gemini, Cohere and Voyage, from an empty database."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.cli.commands import Environment, invoke
from movie_assets_tests.cli.conftest import administer, variables

KEY = "canary-of-a-service-key"
TEMPLATES = {
    "gemini": 'film-v1 taskType="RETRIEVAL_DOCUMENT"',
    "cohere": 'film-v1 input_type="search_document"',
    "voyage": 'film-v1 input_type="document"',
}


@pytest.fixture
def empty(server: str, template: str, service: TmdbEmulator, tmp_path: Path) -> Iterator[Environment]:
    """The environment of a catalogue in which nothing was read yet."""
    name = f"cli_{uuid.uuid4().hex[:8]}"
    administer(server, f"create database {name} template {template} strategy file_copy")
    yield variables(server, name, service, str(tmp_path)) | {"MOVIE_ASSETS_EMBEDDING_DIMENSIONS": "256"}
    administer(server, *(f"drop database if exists {name}{part} with (force)" for part in ("", "_dagster")))


def with_service(environment: Environment, service: TmdbEmulator, provider: str) -> Environment:
    name = provider.upper()
    url: str = getattr(service, f"{provider}_url")
    return environment | {"MOVIE_ASSETS_EMBEDDER": provider, f"{name}_API_KEY": KEY, f"{name}_BASE_URL": url}


@pytest.mark.parametrize("provider", TEMPLATES)
def test_a_refresh_ends_in_vectors_that_are_searched(empty: Environment, service: TmdbEmulator, provider: str) -> None:
    environment = with_service(empty, service, provider)
    service.faults = {"api_key": 1.0}
    try:
        refused = invoke(environment, "refresh", "--json")
    finally:
        service.faults = {}
    assert refused.exit_code == 1
    (problem,) = json.loads(refused.stdout)["problems"]
    assert "refused the key" in problem
    assert f"check {provider.upper()}_API_KEY" in problem
    assert "Traceback" not in refused.output
    assert KEY not in refused.output

    refreshed = invoke(environment, "refresh", "--json")
    assert refreshed.exit_code == 0, refreshed.stderr
    with psycopg.connect(str(empty["MOVIE_ASSETS_DATABASE_URL"])) as connection:
        (active,) = connection.execute(
            "select s.provider, s.dimensions, s.template"
            " from pipeline.embedding_sets s join catalog.embedding_sets c using (set_id) where c.is_active"
        ).fetchall()
        lengths = connection.execute("select l2_norm(embedding) from pipeline.embeddings").fetchall()
    assert active[0].startswith(f"{provider}@127.0.0.1:")
    assert active[1:] == (256, TEMPLATES[provider])
    assert [length for (length,) in lengths] == pytest.approx([1.0] * 5, abs=1e-3)

    found = invoke(environment, "search", "robots", "against", "mankind", "--json", "-n", "1")
    (best,) = json.loads(found.stdout)
    assert best["tmdb_id"] == 3
    assert "meaning" in best["found_by"]
    assert "Searched by words only" not in found.stderr
