"""The guide to adding a media type names every module that tells movies and series apart."""

import ast
import re
from pathlib import Path

from movie_assets.config.paths import CHECKOUT, PACKAGE

GUIDE = (CHECKOUT / "docs" / "contributing.md").read_text(encoding="utf-8")
CONSTANTS = {"MOVIES": "movie", "MOVIE_ASSETS": "movie", "SERIES": "series", "SERIES_ASSETS": "series"}


def media_types_in(path: Path) -> set[object]:
    """Return the media types that a module's code has, as texts or by the names of their values."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and node.value in ("movie", "series")}
    return texts | {CONSTANTS[node.id] for node in nodes if isinstance(node, ast.Name) and node.id in CONSTANTS}


def test_the_guide_names_the_modules_that_tell_media_types_apart() -> None:
    """The emulator, which makes up a world for tests and the demo, is no part of what a media type needs."""
    naming = {path.relative_to(PACKAGE.parent).as_posix(): media_types_in(path) for path in PACKAGE.rglob("*.py")}
    telling_apart = {name for name, types in naming.items() if len(types) == 2 and "/emulator/" not in name}
    section = GUIDE.partition("## Add a media type\n")[2].partition("\n## ")[0]
    assert telling_apart == set(re.findall(r"`(movie_assets/[a-z_/]+\.py)`", section))
