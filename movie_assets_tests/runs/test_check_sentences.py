"""Every check that can fail says by which figure: the sentence is what an alert repeats."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from movie_assets.config.paths import PACKAGE

MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "AssetCheckResult(" in path.read_text(encoding="utf-8"))


def results_of(module: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "AssetCheckResult":
            yield node


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_every_outcome_that_may_be_a_failure_has_a_sentence(module: Path) -> None:
    silent = []
    for call in results_of(module):
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        always_passes = isinstance(given["passed"], ast.Constant) and given["passed"].value is True
        if not always_passes and "description" not in given:
            silent.append(call.lineno)
    assert silent == []


def test_the_checks_are_found_at_all() -> None:
    assert sum(len(list(results_of(module))) for module in MODULES) > 20
