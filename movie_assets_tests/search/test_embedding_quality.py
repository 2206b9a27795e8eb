"""bench/embedding_quality.py, which others read files with: it has to run for a stranger."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from movie_assets.config.paths import CHECKOUT
from movie_assets.emulator.moving_world import MovingWorld

SCRIPT = CHECKOUT / "bench" / "embedding_quality.py"
DAY = date(2026, 10, 5)
MOVIES = 40
INDEX_ROWS = 8  # without a filter and with three, for films and for questions


@pytest.fixture(scope="module")
def films() -> list[dict[str, Any]]:
    """Films of the made-up world, as TMDB would describe them."""
    world = MovingWorld(MOVIES, 1)
    parts = ("keywords", "credits")
    bodies = (world.body(row.tmdb_id, DAY, parts) for rows in world.export(DAY) for row in rows)
    found = [json.loads(body) for body in bodies if body]
    return [film for film in found if film["overview"] and not (film["adult"] or film["video"])]


@pytest.fixture(scope="module")
def files(films: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Files as somebody has them: responses in two files, and questions about films that may not be among them."""
    folder, half = tmp_path_factory.mktemp("files"), len(films) // 2
    lines = [json.dumps(film) for film in films]
    (folder / "some.jsonl").write_text("\n".join(lines[:half]))
    with gzip.open(folder / "others.jsonl.gz", "wt") as others:
        others.write("\n".join(["no film", *lines[half:]]))
    plots = [{"tmdb_id": film["id"], "question": film["overview"]} for film in films]
    write_lines(folder / "questions.jsonl", [*plots, {"tmdb_id": 1, "question": "a film that is not there"}])
    collections = {str(film["id"]): f"Collection {n // 3}" for n, film in enumerate(films)} | {"1": "Collection 0"}
    (folder / "collections.json").write_text(json.dumps(collections))
    queries = (("known", f"^{films[0]['title']}$"), ("unknown", "^no such title$"), ("open", None))
    write_lines(folder / "users.jsonl", [{"query": text, "expected_title_regex": right} for text, right in queries])
    return {path.name: path for path in folder.iterdir()}


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))


@pytest.fixture(scope="module")
def outcome(files: Mapping[str, Path]) -> tuple[list[dict[str, Any]], str]:
    """The figures of two embedders, of which one has no key, and the table."""
    figures = files["users.jsonl"].with_name("figures.json")
    options = {
        "--questions": files["questions.jsonl"], "--collections": files["collections.json"],
        "--user-queries": files["users.jsonl"], "--json": figures, "--samples": 10,
    }  # fmt: skip
    command = [sys.executable, SCRIPT, "--details", files["some.jsonl"], "--details", files["others.jsonl.gz"],
               "--embedder", "openai:text-embedding-3-small=64", "--embedder", "local:hashing-v1=256"]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI", "MOVIE_ASSETS"))}
    done = subprocess.run(
        [*map(str, command), *(str(part) for option in options.items() for part in option)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(figures.read_text())["columns"], done.stdout


def test_an_embedder_without_a_key_is_reported_and_the_others_are_measured(outcome: Any) -> None:
    (without_key, local), table = outcome
    assert "OPENAI_API_KEY is not set" in without_key["problem"]
    assert "OPENAI_API_KEY is not set" in table
    assert local["embedder"].startswith("local hashing-v1 256")


def test_films_of_all_files_are_searched_and_questions_about_other_films_left_out(
    outcome: Any, films: list[dict[str, Any]]
) -> None:
    (_, local), _ = outcome
    assert local["films"] == len(films) == local["plot questions"]
    assert local["user queries"] == 1


def test_every_line_is_measured(outcome: Any) -> None:
    (_, local), table = outcome
    for kind in ("words", "words + vectors"):
        assert local[f"plot question, MRR, {kind}"] > 0.9  # the questions are the films' own overviews
        assert local[f"plot question, recall@100, {kind}"] == 1
        assert local[f"plot question, {kind}"]["p95 ms"] >= local[f"plot question, {kind}"]["p50 ms"] > 0
        for name in ("typing errors, first", "typing errors, among ten", "“movies like X”, precision@5",
                     "user queries, first", "user queries, among ten"):  # fmt: skip
            assert 0 <= local[f"{name}, {kind}"] <= 1
    assert 0 <= local["similar films, franchise NDCG@10"] <= 1
    index = {name: figure for name, figure in local.items() if name.startswith("index, ")}
    assert len(index) == INDEX_ROWS
    assert {figure["recall@10"] for figure in index.values()} == {1}  # all are compared, as there are few films
    assert local["texts embedded a second"] > 0
    assert f"| films | {local['films']} |" in table
