"""Write what is generated: movie_assets/tables.json and docs/reference.md (`make docs`)."""

import tempfile
from pathlib import Path

from movie_assets import reference
from movie_assets.presentation import TABLES_FILE, tables
from movie_assets.resources.embedded_postgres import embedded_postgres
from movie_assets.resources.migrations import ensure_database, migrate
from movie_assets.resources.postgres import Database


def main() -> None:
    """Migrate an empty database, look at it, and write both files."""
    with tempfile.TemporaryDirectory() as folder, embedded_postgres(Path(folder)) as server:
        address = server.replace("/?", "/reference?")
        ensure_database(address)
        database = Database(address)
        migrate(database)
        TABLES_FILE.write_text(reference.tables_as_json(database), encoding="utf-8")
        database.close()
    tables.cache_clear()
    reference.FILE.write_text(reference.as_markdown(), encoding="utf-8")


if __name__ == "__main__":
    main()
