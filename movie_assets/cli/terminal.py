"""Where commands write, and how they open the catalogue; what they show is in report.py."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, open_database

console = Console(soft_wrap=True)
notes = Console(stderr=True, soft_wrap=True)


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The catalogue's database, closed in the end."""
    database = open_database(settings)
    try:
        yield database
    finally:
        database.close()
