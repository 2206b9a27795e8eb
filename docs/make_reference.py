"""Write what is generated from the code and a migrated database (`make docs`)."""

import sys
import tempfile
from pathlib import Path

from movie_assets.cli import reference
from movie_assets.config.paths import CHECKOUT
from movie_assets.config.settings import Settings
from movie_assets.database.creation import ensure_database
from movie_assets.database.database import Database
from movie_assets.database.embedded import embedded_postgres
from movie_assets.database.migrations import migrate
from movie_assets.definitions import definitions_for
from movie_assets.runs.presentation import TABLES_FILE, tables

sys.path.insert(0, str(CHECKOUT))  # where the tests are
from movie_assets_tests.database import sql_api
from movie_assets_tests.orchestration import registered


def main() -> None:
    """Migrate an empty database, look at it, and write the files."""
    with tempfile.TemporaryDirectory() as folder, embedded_postgres(Path(folder)) as server:
        address = server.replace("/?", "/reference?")
        ensure_database(address)
        database = Database(address)
        migrate(database)
        TABLES_FILE.write_text(reference.tables_as_json(database), encoding="utf-8")
        sql_api.write(database)
        database.close()
    registered.write(definitions_for(Settings()))
    tables.cache_clear()
    reference.FILE.write_text(reference.as_markdown(), encoding="utf-8")
    reference.EXAMPLE_FILE.write_text(reference.example_environment(), encoding="utf-8")
    page = reference.ARCHITECTURE_PAGE
    page.write_text(reference.architecture_page(page.read_text(encoding="utf-8")), encoding="utf-8")
    page = reference.SETTINGS_PAGE
    page.write_text(reference.settings_page(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
