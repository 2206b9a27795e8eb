"""A catalogue for measuring searches: made by `movie-assets refresh` of a checkout, in its own Postgres."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from movie_assets.database.creation import ensure_database
from movie_assets.database.embedded import embedded_postgres
from movie_assets.embeddings.choice import ModelChoice
from movie_assets.emulator.server import TmdbEmulator

COMMAND = ("-c", "from movie_assets.cli.main import main; main()")
SCRIPT = Path(__file__).with_name("question_vectors.py")
DAY = datetime.now(UTC).date() - timedelta(days=1)  # a day that is past is read as of its noon, whatever the clock
PROFILE = "[every_film]\n"  # no rule, so that every film of the files is in the catalogue
# Settings of the user that say how to embed and what it may cost; all others are left out.
CHOSEN = ("MOVIE_ASSETS_EMBEDDING_MODEL", "MOVIE_ASSETS_EMBEDDING_DIMENSIONS")  # by the options
KEPT_SETTINGS = ("MOVIE_ASSETS_EMBEDDING_", "MOVIE_ASSETS_DOLLARS_", "MOVIE_ASSETS_RUN_", "MOVIE_ASSETS_DAILY_DOLLARS")


def settings_of(choice: ModelChoice) -> dict[str, str]:
    """Return the environment variables that choose a model."""
    names = ("MOVIE_ASSETS_EMBEDDER", "MOVIE_ASSETS_EMBEDDING_MODEL", "MOVIE_ASSETS_EMBEDDING_DIMENSIONS")
    return {name: str(value) for name, value in zip(names, choice, strict=True) if value}


class BuildError(Exception):
    """A catalogue cannot be made with an embedder; the message is that of the command."""


@dataclass(frozen=True)
class Catalogue:
    """A catalogue that a checkout's code makes and an application searches over `connection`."""

    checkout: Path
    connection: psycopg.Connection[Any]
    environment: dict[str, str]

    def build(self, choice: ModelChoice) -> tuple[int, str]:
        """Fetch, embed and publish what is due, have the embedder's set searched, and return its number and name."""
        variables = self.environment | settings_of(choice)
        outcome = json.loads(self._run([*COMMAND, "refresh", "--json", "--date", DAY.isoformat()], variables))
        if outcome["failed_jobs"]:
            raise BuildError(f"{', '.join(outcome['failed_jobs'])}: {'; '.join(outcome['problems'])}")
        rows = "select set_id, name, is_active from catalog.embedding_sets order by set_id desc limit 1"
        set_id, name, is_active = self.connection.execute(rows).fetchall()[0]
        if not is_active:
            self._run([*COMMAND, "sets", "use", str(set_id), "--accept-partial"], variables)
        return set_id, name

    def question_vectors(
        self, choice: ModelChoice, questions: Sequence[str], documents: Sequence[str]
    ) -> dict[str, Any]:
        """Return vectors of questions, and the embedder's speed; see `question_vectors.py`."""
        given = json.dumps({"questions": questions, "documents": documents})
        output = self._run([str(SCRIPT)], self.environment | settings_of(choice), given)
        made: dict[str, Any] = json.loads(output)
        if not Path(made["code"]).is_relative_to(self.checkout):
            raise BuildError(f"{made['code']} was measured instead of {self.checkout}")
        return made

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return self.connection.execute(query, values).fetchall()

    def _run(self, arguments: Sequence[str], variables: dict[str, str], given: str | None = None) -> str:
        """Return what a program printed, also of a refresh after which a check fails. Raises BuildError without it."""
        own = self.checkout / ".venv" / "bin" / "python"
        command = [str(own) if own.exists() else sys.executable, *arguments]
        home = self.environment["MOVIE_ASSETS_HOME"]  # not the current folder, whose .env would be read
        done = subprocess.run(
            command, env=variables, cwd=home, input=given, capture_output=True, text=True, check=False
        )  # fmt: skip
        if done.returncode and not done.stdout:
            raise BuildError(done.stderr.strip()[-1000:])
        return done.stdout


@contextmanager
def catalogue_of(checkout: Path, served: TmdbEmulator) -> Iterator[Catalogue]:
    """Yield an empty catalogue in a temporary folder, for the code of a checkout and the films of an emulator."""
    with tempfile.TemporaryDirectory(prefix="movie_assets_quality_") as folder:
        home = Path(folder)
        (home / "profiles.toml").write_text(PROFILE)
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in CHOSEN and (not name.startswith("MOVIE_ASSETS_") or name.startswith(KEPT_SETTINGS))
        }
        environment = {
            **kept,
            "PYTHONPATH": str(checkout),
            "MOVIE_ASSETS_HOME": folder,
            "MOVIE_ASSETS_PROFILES": "every_film",
            "MOVIE_ASSETS_PROFILES_FILE": str(home / "profiles.toml"),
            "MOVIE_ASSETS_TMDB_RATE": "0",
            "TMDB_API_URL": served.tmdb_url,
            "TMDB_EXPORT_URL": served.export_url,
            "TMDB_API_TOKEN": "a-token",
        }
        with embedded_postgres(home) as server:
            address = server.replace("/?", "/movie_assets?")
            ensure_database(address)
            with psycopg.connect(address, autocommit=True) as connection:
                yield Catalogue(checkout, connection, environment)
