"""One bounded call to each service around the catalogue, to learn whether it answers; and the room on the disk.

What an answer means is `operations.health.findings`.
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

SECONDS_FOR_THE_EMBEDDER = 20.0


def probe_tmdb(settings: Settings) -> ServiceProbe | None:
    """Ask TMDB for its configuration, once and outside the shared pace; None when nothing says where TMDB is."""
    if settings.tmdb_api_token is None:
        return None if settings.uses_emulator else ServiceProbe("401", "TMDB_API_TOKEN is not set")
    token = settings.tmdb_api_token.get_secret_value()
    return asyncio.run(_ask(settings.tmdb_api_url, {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}))


async def _ask(url: str, headers: dict[str, str]) -> ServiceProbe:
    began = time.monotonic()
    async with httpx.AsyncClient(headers=headers, timeout=httpx.Timeout(SECONDS_PER_CALL, connect=5)) as http:
        reply = await call(http, f"{url}/configuration", {})
    says = reply.body.get("status_message", "") if isinstance(reply.body, dict) else str(reply.body)[:200]
    status = "no JSON" if reply.status == "200" and not isinstance(reply.body, dict) else reply.status
    return ServiceProbe(status, says, time.monotonic() - began)


def probe_embedder(embedder: Embedder) -> ServiceProbe:
    """Ask for one vector of one word, once: a hundred-thousandth of a cent where it costs anything."""
    if embedder.provider == "local":
        return ServiceProbe("local")
    ended: queue.SimpleQueue[ServiceProbe] = queue.SimpleQueue()

    def ask() -> None:
        began = time.monotonic()
        try:
            embedder.probe()
            ended.put(ServiceProbe("200", "", time.monotonic() - began))
        except EmbedderError as error:
            ended.put(ServiceProbe("failed", str(error)))

    # The client's timeout is one for each read: a service that drips would hold it for ever.
    threading.Thread(target=ask, daemon=True).start()
    try:
        return ended.get(timeout=SECONDS_FOR_THE_EMBEDDER)
    except queue.Empty:
        return ServiceProbe("timeout", f"the embeddings service gave no answer in {SECONDS_FOR_THE_EMBEDDER:.0f} s")


def room_at(folder: Path) -> tuple[int, int]:
    """Free and all bytes where a folder lies, or would lie."""
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    return usage.free, usage.total
