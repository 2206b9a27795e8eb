"""The core is plain Python: no Dagster, network, database or clock in it."""

import ast
from pathlib import Path

import pytest

import movie_assets.core

MODULES = sorted(Path(movie_assets.core.__file__).parent.glob("*.py"))
OUTSIDE = {
    "asyncio", "dagster", "httpx", "openai", "os", "pgvector", "psycopg", "random", "requests", "secrets", "socket",
    "sqlalchemy", "subprocess", "tempfile", "threading", "time", "urllib", "uuid",
}  # fmt: skip
UPWARDS = {"assets", "automation", "resources", "settings", "standin", "startup"}
CLOCKS = {"now", "utcnow", "today", "time", "monotonic", "perf_counter", "sleep"}


def imported_by(module: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_a_core_module_imports_nothing_from_outside(module: Path) -> None:
    assert {name.partition(".")[0] for name in imported_by(module)} & OUTSIDE == set()


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_a_core_module_imports_nothing_from_above_it(module: Path) -> None:
    ours = {name.split(".")[1] for name in imported_by(module) if name.startswith("movie_assets.")}
    assert ours & UPWARDS == set()


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_a_core_module_asks_no_clock(module: Path) -> None:
    calls = [
        node.func for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
    ]
    assert {call.attr for call in calls if isinstance(call, ast.Attribute)} & CLOCKS == set()


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_a_core_module_opens_no_file_and_no_environment(module: Path) -> None:
    calls = [
        node.func for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
    ]
    assert {call.id for call in calls if isinstance(call, ast.Name)} & {"open", "print", "input"} == set()
