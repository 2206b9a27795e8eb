"""The code of the last release, taken out of Git's history, and how a test runs it beside today's."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest

from movie_assets.config.paths import CHECKOUT

# With every release: the commit that was released, and the names that its modules have.
LAST_RELEASE = "c2791908f4419f2118803953cdb204ca13123e32"  # 1 December 2026, the last one before the rooms
COMMAND = "from movie_assets.command import main; main()"
FUNCTIONS = "sql/functions/*.sql"
SEARCHES = """
import json, sys
from datetime import UTC, datetime
from movie_assets.report import status_of
from movie_assets.resources.postgres import Database
from movie_assets.search import recommend, resolve, search, similar
from movie_assets.settings import Settings

database = Database(sys.argv[1])
movie = resolve(database, sys.argv[2])[0].tmdb_id
print(json.dumps({
    "search": [list(row) for row in search(database, Settings.from_env(), sys.argv[2], 5)[0]],
    "similar": [list(row) for row in similar(database, movie, 5)],
    "recommend": [list(row) for row in recommend(database, {"loved": [movie], "liked": [], "disliked": []}, 5, {}, {})],
    "status": status_of(database, datetime(2026, 11, 20, tzinfo=UTC)),
}, default=str))
"""
TODAYS_COMMAND = "from movie_assets.cli.command import main; main()"
OURS = ("MOVIE_ASSETS_", "TMDB_", "OPENAI_", "DAGSTER_")  # how the variables begin that the pipeline reads


def unpack(folder: Path) -> None:
    """Write the files of the last release into a folder. Skips the test where there is no history."""
    if shutil.which("git") is None or not (CHECKOUT / ".git").exists():
        pytest.skip("the last release is taken from Git's history, and there is none here")
    git = ["git", "-C", str(CHECKOUT)]
    if subprocess.run([*git, "cat-file", "-e", LAST_RELEASE], check=False, capture_output=True).returncode:
        pytest.skip(f"Git's history is too short here for the last release, {LAST_RELEASE}")
    archive = subprocess.run([*git, "archive", LAST_RELEASE], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as packed:
        packed.extractall(folder, filter="data")


@dataclass(frozen=True)
class Code:
    """A checkout, what runs its command line, and the variables for it."""

    folder: Path
    command: str
    variables: Mapping[str, str]

    def call(self, *arguments: str) -> str:
        """Run `movie-assets` with arguments, which has to succeed; return what it prints."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run `movie-assets` with arguments to its end."""
        return self._python(self.command, *arguments)

    def searches(self) -> dict[str, list[list[object]]]:
        """Return the rows of the last release's own reading functions, called without its migrations."""
        done = self._python(SEARCHES, self.variables["MOVIE_ASSETS_DATABASE_URL"], "Knives Out")
        assert done.returncode == 0, done.stderr
        rows: dict[str, list[list[object]]] = json.loads(done.stdout)
        return rows

    def _python(self, code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        others = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        # PYTHONPATH comes before the hooks of an editable install.
        environment = {**others, **self.variables, "PYTHONPATH": str(self.folder)}
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
