"""Run an emulator: in a background thread for tests and the demo, or until a signal for the command line.

`app` has the routes. Nothing is printed here.
"""

import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from datetime import date
from types import FrameType, TracebackType
from typing import Any, Self

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from movie_assets.emulator.app import create_app
from movie_assets.emulator.moving_world import MovingWorld
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.recorded_world import RecordedWorld
from movie_assets.emulator.responses import SERVER_NAME, TRANSPORT, WORLD_HEADER
from movie_assets.emulator.service import Service
from movie_assets.emulator.world import World

START_SECONDS = 30.0
STOP_SECONDS = 10.0


def world_of(options: EmulatorOptions) -> World:
    """Return the world of the options: recorded details, or the made-up world."""
    if options.details is not None:
        return RecordedWorld(options.details)
    return MovingWorld(options.movies, options.seed, series=options.series)


class TmdbEmulator:
    """An emulator served from a background thread; use it as a context manager.

    The port is bound at construction, so that the URLs are known at once.
    """

    def __init__(self, options: EmulatorOptions | None = None, *, world: World | None = None) -> None:
        self.options = options or EmulatorOptions()
        self.world = world or world_of(self.options)
        self.service = Service(self.world, self.options)
        self._socket = socket.create_server((self.options.host, self.options.port), backlog=2048)
        self.port: int = self._socket.getsockname()[1]
        self._server = uvicorn.Server(
            uvicorn.Config(
                _with_transport(create_app(self.world, self.options, self.service)),
                lifespan="off",
                ws="none",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                headers=[("Server", SERVER_NAME), (WORLD_HEADER, self.options.world_name)],
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(target=self._run, name="emulator", daemon=True)

    @property
    def url(self) -> str:
        """The root of all addresses."""
        return f"http://{self.options.host}:{self.port}"

    @property
    def tmdb_url(self) -> str:
        """The base of TMDB's API, with its version."""
        return f"{self.url}/3"

    @property
    def export_url(self) -> str:
        """The folder of the daily exports."""
        return f"{self.url}/p/exports"

    @property
    def imdb_ratings_url(self) -> str:
        """The address of IMDb's daily file of ratings."""
        return f"{self.url}/imdb/title.ratings.tsv.gz"

    @property
    def omdb_url(self) -> str:
        """The address of OMDb."""
        return f"{self.url}/omdb"

    @property
    def openai_url(self) -> str:
        """The base of the embeddings API, with its version."""
        return f"{self.url}/v1"

    @property
    def gemini_url(self) -> str:
        """The base of Gemini's API, with its version."""
        return f"{self.url}/v1beta"

    @property
    def cohere_url(self) -> str:
        """The base of Cohere's API, with its version."""
        return f"{self.url}/v2"

    @property
    def voyage_url(self) -> str:
        """The base of Voyage's API, with its version."""
        return f"{self.url}/voyage/v1"

    @property
    def rerank_url(self) -> str:
        """The address of Cohere's rerank endpoint."""
        return f"{self.cohere_url}/rerank"

    @property
    def today(self) -> date:
        """The emulator's current day."""
        return self.service.today

    @today.setter
    def today(self, day: date | None) -> None:
        self.service.set_day = day

    @property
    def faults(self) -> Mapping[str, float]:
        """The active faults: rates by name."""
        return self.service.faults

    @faults.setter
    def faults(self, faults: Mapping[str, float]) -> None:
        self.service.set_faults(faults)

    @property
    def requests(self) -> dict[str, dict[int, int]]:
        """The number of requests by endpoint and status."""
        return {endpoint: dict(counts) for endpoint, counts in self.service.requests.items()}

    @property
    def embedded_inputs(self) -> int:
        """The number of texts for which vectors were sent."""
        return self.service.embedded_inputs

    @property
    def max_requests_in_any_second(self) -> int:
        """The number of TMDB requests in the busiest second, refused ones included."""
        return self.service.rate.busiest

    @property
    def is_running(self) -> bool:
        """Whether requests are served."""
        return self._thread.is_alive()

    def state(self) -> dict[str, Any]:
        """Return the state that the control endpoint returns."""
        return self.service.state()

    def reset_counts(self) -> None:
        """Set all counts of requests to zero."""
        self.service.reset_counts()

    def start(self) -> Self:
        """Start the server, and return once it accepts requests. Raises RuntimeError after 30 seconds."""
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError(f"the emulator did not start on port {self.port}")
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        """Stop the server and free its port."""
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join(STOP_SECONDS)
        self._socket.close()

    def __enter__(self) -> Self:
        """Start the server."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        self.stop()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])


def _with_transport(app: ASGIApp) -> ASGIApp:
    """Put uvicorn's connection into the scope, so that a fault can send bytes that are not HTTP."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        cycle = getattr(send, "__self__", None)  # uvicorn hands over a method of its request's cycle
        await app({**scope, TRANSPORT: getattr(cycle, "transport", None)}, receive, send)

    return wrapped


def serve(options: EmulatorOptions, on_ready: Callable[[TmdbEmulator], None]) -> None:
    """Serve until Ctrl-C or SIGTERM; `on_ready` is called once requests are served.

    Call it from the main thread, the only one that can handle signals.
    """
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with TmdbEmulator(options) as tmdb_emulator:
            on_ready(tmdb_emulator)
            while tmdb_emulator.is_running and not stopped.wait(1.0):
                pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
