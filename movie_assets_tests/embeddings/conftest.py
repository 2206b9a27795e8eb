"""A service whose batches are done as soon as somebody asks."""

from collections.abc import Iterator

import pytest

from movie_assets.embeddings import bulk_run
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.http_client import retries


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[TmdbEmulator]:
    """A service with a Batch API; no run waits for it as long as production does."""
    monkeypatch.setattr(retries, "backoff", lambda *_: 0.002)
    monkeypatch.setattr(bulk_run, "FIRST_POLL", 0.02)
    monkeypatch.setattr(bulk_run, "SECONDS_FOR_LOCK", 0.0)
    with TmdbEmulator(EmulatorOptions(movies=1, rate_limit=0, batch_seconds=0)) as running:
        yield running
