"""Each benchmark runs on a small input, so that a change of the product cannot break one without being noticed."""

import ast
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from movie_assets.config.paths import CHECKOUT

pytestmark = pytest.mark.release
BENCH = CHECKOUT / "bench"
SMALL = {
    "full_build": "--movies 300 --growth",
    "list_calls": "--movies 500",
    "limits": "--movies 300",
    "export_stage": "--lines 500",
    "pacing": "--fetches 50",
    "incremental": "--films 50",
    "vector_load": "--rows 100 --peer-rows 50 --dimensions 64",
    "vector_search": "--films 2000 --queries 3 --dimensions 64",
    "search_curves": "--films 300 --queries 3 --days 1",
    "search_peers": "--films 300 --queries 3 --seconds 1 --dimensions 64",
    "text_search": "--movies 300 --queries 40",
    "recommending_live": "--films 300 --questions 3",
    "applications": "--movies 300 --calls 3",
    "ratings": "--films 200 --ratings 2000",
    "rating_intervals": "--films 100",
    "imports": "--movies 300 --rows 100 --ratings 300",
}


def ran(name: str, arguments: list[str], tmp_path: Path) -> str:
    """Run a benchmark in a folder of its own; return its tables."""
    figures = tmp_path / "figures.json"
    ours = {variable: value for variable, value in os.environ.items() if not variable.startswith(("MOVIE_", "TMDB_"))}
    done = subprocess.run(
        [sys.executable, str(BENCH / f"{name}.py"), *arguments, "--json", str(figures)],
        env=ours, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(figures.read_text())
    return done.stdout


def test_each_benchmark_of_the_results_has_a_small_input() -> None:
    assignments = [each for each in ast.parse((BENCH / "all.py").read_text()).body if isinstance(each, ast.Assign)]
    (names,) = (ast.literal_eval(each.value) for each in assignments if ast.unparse(each.targets[0]) == "BENCHES")
    assert set(names) == set(SMALL)


@pytest.mark.parametrize("name", SMALL)
def test_the_benchmark_runs(name: str, tmp_path: Path) -> None:
    assert "--: |" in ran(name, [*SMALL[name].split(), "--rounds", "1"], tmp_path)


def test_recommendations_are_compared_on_the_files_of_movielens(tmp_path: Path) -> None:
    chance = random.Random(1)  # noqa: S311
    links = [f"{film},{film:07d},{film + 1000}" for film in range(1, 121)]
    ratings = [
        f"{person},{film},{chance.choice([2.0, 3.5, 4.0, 5.0])},{10**9 + place}"
        for person in range(1, 41)
        for place, film in enumerate(chance.sample(range(1, 121), 30))
    ]
    (tmp_path / "links.csv").write_text("\n".join(["movieId,imdbId,tmdbId", *links, ""]))
    (tmp_path / "ratings.csv").write_text("\n".join(["userId,movieId,rating,timestamp", *ratings, ""]))
    assert "| popularity |" in ran("recommendations", ["--ratings", str(tmp_path)], tmp_path)
