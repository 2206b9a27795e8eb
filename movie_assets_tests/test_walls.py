"""The rooms and their walls: who may import whom, what pure modules may do, and where Dagster's private API is used."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from movie_assets.config.paths import CHECKOUT, PACKAGE
from movie_assets.runs import dagster_compat

CONTRACTS = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
PURE = CONTRACTS[1]["source_modules"]
CLOCKS = {"now", "utcnow", "today", "time", "monotonic", "perf_counter", "sleep"}
AT_THE_TOP = {"__init__.py", "definitions.py"}


def test_the_contracts_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=CHECKOUT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def calls_in(name: str) -> list[ast.expr]:
    path = CHECKOUT.joinpath(*name.split(".")).with_suffix(".py")
    return [node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("name", PURE)
def test_a_pure_module_asks_no_clock(name: str) -> None:
    assert {call.attr for call in calls_in(name) if isinstance(call, ast.Attribute)} & CLOCKS == set()


@pytest.mark.parametrize("name", PURE)
def test_a_pure_module_opens_no_file(name: str) -> None:
    assert {call.id for call in calls_in(name) if isinstance(call, ast.Name)} & {"open", "print", "input"} == set()


def test_the_top_of_the_package_holds_the_map_only() -> None:
    assert {path.name for path in PACKAGE.glob("*.py")} == AT_THE_TOP


def private_imports(path: Path) -> set[str]:
    return {
        alias.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dagster._")
        for alias in node.names
    }


def test_one_file_imports_what_is_private_in_dagster() -> None:
    importing = {path for path in PACKAGE.rglob("*.py") if private_imports(path)}
    assert importing == {Path(dagster_compat.__file__)}
    assert private_imports(Path(dagster_compat.__file__)) == set(dagster_compat.__all__)


def test_each_name_from_private_dagster_is_used() -> None:
    texts = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if path.name != "dagster_compat.py"]
    users = [text for text in texts if "dagster_compat import" in text]
    assert [name for name in dagster_compat.__all__ if not any(name in text for text in users)] == []
