"""Adding a provider is one file, its key and address among the settings, and a test: nothing else names it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from movie_assets.config.embedding_settings import KEY, PROVIDERS_WITH_KEY
from movie_assets.config.paths import PACKAGE
from movie_assets.embeddings.registry import providers

NATIVE = sorted(providers().keys() - {"local", "openai"})  # a hundred sentences are about OpenAI, and most keys
SETTINGS = "config/embedding_settings.py"
MOST_LINES = 100


def names_in(path: Path) -> Iterator[str]:
    """Return names and texts of a module's code, without comments and docstrings."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.alias(name=name):
                yield name
            case ast.Constant(value=str(text)) if len(text.split()) == 1:
                yield text


@pytest.mark.parametrize("provider", NATIVE)
def test_nothing_but_its_file_and_its_settings_names_a_provider(provider: str) -> None:
    """The emulator, which plays the services for tests and without a network, is no part of what a provider needs."""
    naming = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if any(provider in name.lower() for name in names_in(path))
    }
    others = {path for path in naming if not path.startswith("emulator/") and path != "cli/emulator.py"}
    assert others == {f"embeddings/providers/{provider}.py", SETTINGS}


@pytest.mark.parametrize("provider", NATIVE)
def test_the_file_of_a_provider_is_short(provider: str) -> None:
    lines = (PACKAGE / "embeddings" / "providers" / f"{provider}.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= MOST_LINES
    assert PROVIDERS_WITH_KEY[provider] == f"{provider}{KEY}"
