"""Probes of what is around the catalogue: one call to each service, with a time limit, and the free space of the disk.

`operations.health.findings` turns the results into findings.
"""

import asyncio
import queue
import shutil
import threading
import time
from pathlib import Path

import httpx

from movie_assets.config.settings import Settings
from movie_assets.embeddings.embedder import Embedder, EmbedderError
from movie_assets.operations.health.findings import ServiceProbe
from movie_assets.tmdb.call import SECONDS_PER_CALL, call

EMBEDDER_TIMEOUT_SECONDS = 20.0


def probe_tmdb(settings: Settings) -> ServiceProbe | None:
    """Request TMDB's configuration once, outside the shared rate limit; return None with the bundled emulator."""
    if settings.tmdb_api_token is None:
        return None if settings.uses_emulator else ServiceProbe("401", "TMDB_API_TOKEN is not set")
    token = settings.tmdb_api_token.get_secret_value()
    return asyncio.run(_probe(settings.tmdb_api_url, {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}))


async def _probe(url: str, headers: dict[str, str]) -> ServiceProbe:
    began = time.monotonic()
    async with httpx.AsyncClient(headers=headers, timeout=httpx.Timeout(SECONDS_PER_CALL, connect=5)) as http:
        response = await call(http, f"{url}/configuration", {})
    seconds = time.monotonic() - began
    if isinstance(response.body, dict):
        return ServiceProbe(response.status, str(response.body.get("status_message", "")), seconds)
    status = "no JSON" if response.status == "200" else response.status
    return ServiceProbe(status, str(response.body)[:200], seconds)


def probe_embedder(embedder: Embedder) -> ServiceProbe:
    """Request the vector of one word, which costs a hundred-thousandth of a cent at most."""
    if embedder.provider == "local":
        return ServiceProbe("local")
    ended: queue.SimpleQueue[ServiceProbe] = queue.SimpleQueue()

    def probe() -> None:
        began = time.monotonic()
        try:
            embedder.probe()
            ended.put(ServiceProbe("200", "", time.monotonic() - began))
        except EmbedderError as error:
            ended.put(ServiceProbe("failed", str(error)))

    # The client's timeout is for each read: a service that sends a byte now and then would block it for ever.
    threading.Thread(target=probe, daemon=True).start()
    try:
        return ended.get(timeout=EMBEDDER_TIMEOUT_SECONDS)
    except queue.Empty:
        return ServiceProbe("timeout", f"the embedder did not respond within {EMBEDDER_TIMEOUT_SECONDS:.0f} s")


def disk_space(folder: Path) -> tuple[int, int]:
    """Return the free and the total bytes of the disk that has a folder, or will have it."""
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    return usage.free, usage.total
