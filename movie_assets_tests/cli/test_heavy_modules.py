"""Which heavy modules a command imports: whoever calls it waits for them."""

import os
import subprocess
import sys
from collections.abc import Sequence

import pytest

from movie_assets.cli.main import COMMANDS
from movie_assets_tests.cli.commands import Environment

# Runs the command line and prints, last, which of the named modules were imported for it.
SCRIPT = """
import sys
from movie_assets.cli.command import main
heavy = sys.argv.pop(1).split(",")
try:
    main()
finally:
    print("imported:", *[name for name in heavy if name in sys.modules])
"""
OF_STAGES = ("dagster", "pandas", "scipy", "implicit", "openai", "httpx", "starlette", "uvicorn", "alembic")
OF_SEARCHES = ("sqlalchemy", "psycopg", "pydantic", "numpy", "pgvector", "rich")


def imported(heavy: Sequence[str], arguments: Sequence[str], environment: Environment) -> set[str]:
    """Run a command in a process of its own, and return which of the modules it imported."""
    variables = {**os.environ, **{name: value for name, value in environment.items() if value is not None}}
    for name in [name for name, value in environment.items() if value is None]:
        variables.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, ",".join(heavy), *arguments],
        env=variables, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("arguments", [[], ["--help"], ["--version"]], ids=["nothing", "help", "version"])
def test_the_list_of_commands_imports_none_of_them(arguments: list[str]) -> None:
    assert imported((*OF_STAGES, *OF_SEARCHES), arguments, {}) == set()


@pytest.mark.parametrize(
    "arguments",
    [["search", "a", "heist"], ["similar", "The", "Heist"], ["recommend", "--loved", "The Heist"], ["status"]],
    ids=lambda arguments: arguments[0],
)
def test_what_only_reads_imports_nothing_that_only_stages_need(arguments: list[str], environment: Environment) -> None:
    both = (*OF_STAGES, *OF_SEARCHES)
    assert imported(both, arguments, environment) == set(OF_SEARCHES)


def test_no_command_imports_dagster_or_frames_to_explain_itself() -> None:
    code = (
        "import sys; from movie_assets.cli.main import COMMANDS, main\n"
        "for name in COMMANDS: main.get_command(None, name)\n"
        "print(*{'dagster', 'pandas', 'scipy', 'implicit'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout.split(), len(COMMANDS) > 20) == ([], True)


def test_dagster_loads_the_definitions_without_frames() -> None:
    code = "import sys; from movie_assets.definitions import location; print(*{'pandas', 'pyarrow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
