"""The files of deploy/ as the tests read them."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any, cast

from dagster_shared.yaml_utils import load_yaml_from_path

from movie_assets.config.paths import CHECKOUT

DEPLOY = CHECKOUT / "deploy"


def read(name: str, folder: Path = DEPLOY) -> dict[str, Any]:
    return cast("dict[str, Any]", load_yaml_from_path(str(folder / name)))


def pinned(path: Path) -> dict[str, set[str]]:
    """Versions by name; a lock file for several Pythons can have several."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, version in re.findall(r"^([a-z0-9-]+)(?:\[[a-z,-]+\])?==([^ ;]+)", path.read_text(), re.MULTILINE):
        found[name].add(version)
    return found


COMPOSE = read("compose.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
