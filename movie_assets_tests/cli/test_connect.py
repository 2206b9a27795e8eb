"""Every command, statement and program of docs/connect.md, run as it is written on a small catalogue."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest

from movie_assets.config.paths import CHECKOUT
from movie_assets.database.embedded import BINARIES
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.support.ports import free_port

PAGE = (CHECKOUT / "docs" / "connect.md").read_text(encoding="utf-8")
PORT_OF_THE_PAGE = "5433"  # another one takes its place: something else on this machine may listen there
BLOCKS = re.findall(r"^```(\w+)( openai)?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMAND = '#!/bin/sh\nexec "{python}" -c "from movie_assets.cli.main import main; main()" "$@"\n'


def programs(language: str, *, of_openai: bool = False) -> list[str]:
    return [text for kind, mark, text in BLOCKS if kind == language and bool(mark) is of_openai]


@pytest.fixture(scope="module")
def port() -> str:
    return str(free_port())


@pytest.fixture(scope="module")
def environment(port: str) -> Iterator[dict[str, str]]:
    """Yield the environment of a reader of the page: the commands, a catalogue, and its exported address."""
    with tempfile.TemporaryDirectory(prefix="ma-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        command = Path(folder) / "bin" / "movie-assets"
        command.parent.mkdir()
        command.write_text(COMMAND.format(python=sys.executable))
        command.chmod(0o755)
        if shutil.which("psql") is None:
            command.with_name("psql").symlink_to(BINARIES / "psql")
        names = {
            name: value for name, value in os.environ.items()
            if not name.startswith(("MOVIE_ASSETS_", "TMDB_", "OPENAI_"))
        }  # fmt: skip
        names |= {
            "MOVIE_ASSETS_HOME": f"{folder}/home", "PYTHONPATH": str(CHECKOUT),
            "PATH": f"{command.parent}:{names['PATH']}",
            "MOVIE_ASSETS_EMBEDDING_DIMENSIONS": "1536",  # as OpenAI's model has, for the programs that ask it
        }  # fmt: skip
        run(["movie-assets", "refresh"], names)
        run(["movie-assets", "database", "start", "--port", port], names)
        try:
            yield names | {"DATABASE_URL": run(["movie-assets", "database", "url"], names).strip()}
        finally:
            run(["movie-assets", "database", "stop"], names)


def run(command: list[str], environment: dict[str, str], folder: Path | None = None) -> str:
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def require_node(environment: dict[str, str], *packages: str) -> None:
    if shutil.which("node") is None:
        pytest.skip("Node is not installed")
    for package in packages:
        found = subprocess.run(["node", "-e", f"require('{package}')"], env=environment, check=False)  # noqa: S607
        if found.returncode:
            pytest.skip(
                f"Node's package {package} is not installed (npm install {package}; NODE_PATH names its folder)"
            )


def test_the_page_has_what_it_promises() -> None:
    assert {(kind, bool(mark)) for kind, mark, _ in BLOCKS} == {
        ("sh", False), ("sql", False), ("python", False), ("python", True), ("js", False), ("js", True),
    }  # fmt: skip


def test_the_commands_of_the_page(environment: dict[str, str], port: str, tmp_path: Path) -> None:
    names = {name: value for name, value in environment.items() if name != "DATABASE_URL"}
    script = "\n".join(programs("sh"))
    assert f"--port {PORT_OF_THE_PAGE}" in script
    commands = ["bash", "-euo", "pipefail", "-c", script.replace(PORT_OF_THE_PAGE, port)]
    printed = run(commands, names, tmp_path)
    assert f"@127.0.0.1:{port}/movie_assets" in printed
    assert len(re.findall(r"\([3-9] rows\)", printed)) == 2  # a search by words, one by meaning


def test_the_statements_of_the_page(environment: dict[str, str]) -> None:
    statements = [each.strip() for text in programs("sql") for each in text.split(";") if each.strip()]
    assert len(statements) == 7
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        found = {statement: connection.execute(statement.encode()).fetchall() for statement in statements}
    assert [statement for statement, rows in found.items() if not rows] == []


@pytest.mark.parametrize("program", programs("python"))
def test_the_python_programs_of_the_page(environment: dict[str, str], program: str) -> None:
    assert len(run([sys.executable, "-c", program], environment).strip()) > len("[]")


@pytest.mark.parametrize("program", programs("js"))
def test_the_node_programs_of_the_page(environment: dict[str, str], program: str) -> None:
    require_node(environment, "pg")
    assert run(["node", "-e", program], environment).count("title:") >= 3


@pytest.mark.parametrize("language", ["python", "js"])
def test_the_programs_that_ask_openai(environment: dict[str, str], language: str) -> None:
    if language == "js":
        require_node(environment, "pg", "openai")
    with TmdbEmulator(EmulatorOptions(today=date(2026, 11, 19))) as emulator:
        names = environment | {"OPENAI_BASE_URL": emulator.openai_url, "OPENAI_API_KEY": "a-key"}
        for program in programs(language, of_openai=True):
            command = [sys.executable, "-c"] if language == "python" else ["node", "-e"]
            assert len(run([*command, program], names).strip()) > len("[]")
