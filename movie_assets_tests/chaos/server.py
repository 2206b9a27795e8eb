"""The embedded server behind an address, to be stopped and started."""

import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

from movie_assets.database import embedded as embedded_postgres


class Server:
    """A running embedded server."""

    def __init__(self, address: str) -> None:
        self.sockets = Path(parse_qs(urlsplit(address).query)["host"][0])
        with psycopg.connect(address.replace("/?", "/postgres?")) as connection:
            found = connection.execute("show data_directory").fetchone()
        assert found is not None
        self.data = Path(found[0])
        self.user = embedded_postgres._server_user()

    def stop(self, mode: str) -> None:
        """Stop it, as pg_ctl does in a mode."""
        embedded_postgres._run(self.user, "pg_ctl", "-D", str(self.data), "-m", mode, "-w", "stop")

    def start(self) -> None:
        """Start it again, as it was started before."""
        embedded_postgres._start(self.data, self.sockets, self.user, None, embedded_postgres.MEMORY_MB)

    def is_away_for(self, seconds: float, mode: str) -> None:
        """Stop, and start after some seconds while the caller goes on."""
        self.stop(mode)

        def start() -> None:
            time.sleep(seconds)
            self.start()

        threading.Thread(target=start).start()
