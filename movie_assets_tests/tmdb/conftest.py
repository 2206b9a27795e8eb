"""Fixtures that several test modules of this room use."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.conftest import DAY
from movie_assets_tests.tmdb.bodies import details
from movie_assets_tests.tmdb.tmdb_calls import FILMS


@pytest.fixture(scope="module")
def sixty_films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "films.jsonl"
    path.write_text("\n".join(json.dumps(details(id=tmdb_id)) for tmdb_id in FILMS))
    return path


@pytest.fixture
def films(sixty_films: Path) -> Iterator[TmdbEmulator]:
    """An emulator with sixty films; one a test, as a call that a test gave up may still arrive after its end."""
    options = EmulatorOptions(details=sixty_films, today=DAY, rate_limit=0, stall_seconds=2, retry_after=0)
    with TmdbEmulator(options) as tmdb_emulator:
        yield tmdb_emulator
