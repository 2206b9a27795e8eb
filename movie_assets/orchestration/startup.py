"""Preparing what a stage needs: a migrated database, Dagster's own database, and an address of TMDB.

If the settings do not name one, it is started here for the length of the `with` block. Dagster and child processes get
the addresses through the environment.
"""

import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from pydantic import SecretStr

from movie_assets.config.paths import CHECKOUT
from movie_assets.config.settings import Settings, SettingsError
from movie_assets.database.addresses import DatabaseError, url_of
from movie_assets.database.creation import ensure_database
from movie_assets.database.database import Database, open_database
from movie_assets.database.embedded import EmbeddedPostgresError, embedded_data, embedded_postgres
from movie_assets.database.migrations import migrate, migrate_for_reading
from movie_assets.database.server_checks import pgvector_warning
from movie_assets.embeddings.embedder import EmbedderError
from movie_assets.embeddings.registry import embedder_from

if TYPE_CHECKING:
    from movie_assets.emulator.server import TmdbEmulator

DAGSTER_DATABASE = "MOVIE_ASSETS_DAGSTER_DATABASE_URL"
DAGSTER_FILES = "MOVIE_ASSETS_DAGSTER_FILES"  # set when everything is prepared for Dagster
CATALOGUE = "movie_assets"
EXPECTED_ERRORS = (SettingsError, DatabaseError, EmbeddedPostgresError, EmbedderError)
EMULATOR_TOKEN = "stand-in"  # noqa: S105  # any token will do for the emulator


@contextmanager
def database_for(settings: Settings, *, only_reads: bool = False) -> Iterator[Settings]:
    """Migrate the catalogue's database, and start the embedded server if the settings name no other.

    With `only_reads`, a database that a newer movie_assets migrated is left as it is instead of refused. Yields
    settings with its address. Raises DatabaseError or EmbeddedPostgresError with one sentence.
    """
    with ExitStack() as stack:
        if settings.database_url is None:
            server = stack.enter_context(embedded_postgres(settings.home, memory_mb=settings.postgres_memory_mb))
            address = server.replace("/?", f"/{CATALOGUE}?")
        else:
            address = settings.database_url.get_secret_value()
        ensure_database(address)
        with Database(address, embedded_data(address, settings.home)) as database:
            if only_reads:
                migrate_for_reading(database)
            else:
                migrate(database)
        yield settings.model_copy(update={"database_url": SecretStr(address)})


@contextmanager
def everything_for(settings: Settings, tmdb_emulator: "TmdbEmulator | None" = None) -> Iterator[Settings]:
    """Prepare everything that a Dagster process needs; yield settings with the addresses, also in the environment.

    `tmdb_emulator` is used if it is given; otherwise one is started if the settings do not name TMDB. Raises the errors
    of `database_for`, and SettingsError or EmbedderError when a credential is missing.
    """
    if settings.tmdb_api_token is None and tmdb_emulator is None and not settings.uses_emulator:
        raise SettingsError("TMDB_API_URL is set and TMDB_API_TOKEN is not; put TMDB's API read access token there")
    embedder_from(settings)  # raises before anything is started
    with ExitStack() as stack:
        ready = stack.enter_context(database_for(settings))
        if tmdb_emulator is None and ready.uses_emulator:
            from movie_assets.emulator.options import EmulatorOptions  # noqa: PLC0415  # searches need no web server
            from movie_assets.emulator.server import TmdbEmulator  # noqa: PLC0415  # as above

            tmdb_emulator = stack.enter_context(TmdbEmulator(EmulatorOptions()))
        if tmdb_emulator is not None:
            ready = pointed_at(ready, tmdb_emulator)
        stack.enter_context(_environment(_for_dagster(ready)))
        yield ready


def prepare_for_dagster() -> None:
    """Prepare everything that Dagster needs in this process and its children, for as long as this process lives.

    Dagster's own commands call it through dagster.yaml. It does nothing if `movie-assets`, a parent process or a
    deployment has prepared everything. Ends the process with one sentence when something cannot be used.
    """
    if DAGSTER_FILES in os.environ:
        return
    if os.environ.get("DAGSTER_IS_DEV_CLI"):
        os.environ.setdefault("MOVIE_ASSETS_AUTOMATION", "1")  # schedules and sensors are on, as in `movie-assets dev`
    home = os.environ.get("DAGSTER_HOME")
    resources = ExitStack()
    try:
        resources.enter_context(everything_for(Settings.from_env()))
    except EXPECTED_ERRORS as error:
        sys.exit(f"Error: {error}")
    atexit.register(resources.close)  # releases the embedded server, which its last user stops
    if home is not None:
        os.environ["DAGSTER_HOME"] = home


def bring_up_to_date(settings: Settings) -> str | None:
    """Migrate the catalogue and Dagster's own records.

    Returns a warning when the server's pgvector has faults that a newer version does not have.
    """
    import dagster as dg  # noqa: PLC0415  # importing Dagster takes a second

    with (
        database_for(settings) as ready,
        _environment(_for_dagster(ready)),
        dg.DagsterInstance.get() as instance,
    ):
        instance.upgrade()
        with open_database(ready) as database:
            return pgvector_warning(database.fetch_value(str, "pgvector_version"))


def pointed_at(settings: Settings, tmdb_emulator: "TmdbEmulator") -> Settings:
    """Return the settings with the addresses of an emulator in place of TMDB's."""
    return settings.model_copy(
        update={
            "tmdb_api_url": tmdb_emulator.tmdb_url,
            "tmdb_export_url": tmdb_emulator.export_url,
            "imdb_ratings": tmdb_emulator.imdb_ratings_url,  # IMDb's own ids mean other films
            "omdb_url": tmdb_emulator.omdb_url,
            "tmdb_api_token": SecretStr(EMULATOR_TOKEN),
        }
    )


def dagster_address(settings: Settings) -> str:
    """Return the address of Dagster's own records, which may not exist yet; the settings name the catalogue's."""
    assert settings.database_url is not None  # noqa: S101  # database_for has set it
    if settings.dagster_database_url is None:
        catalogue = url_of(settings.database_url.get_secret_value(), "psycopg2")
        records = catalogue.set(database=f"{catalogue.database}_dagster")
    else:
        records = url_of(settings.dagster_database_url.get_secret_value(), "psycopg2")
    return records.render_as_string(hide_password=False)


def _for_dagster(settings: Settings) -> dict[str, str]:
    assert settings.database_url is not None  # noqa: S101  # database_for has set it
    address = dagster_address(settings)
    ensure_database(address)
    files = settings.home / "dagster"
    files.mkdir(parents=True, exist_ok=True)
    secrets = {
        "MOVIE_ASSETS_DATABASE_URL": settings.database_url,
        "TMDB_API_TOKEN": settings.tmdb_api_token,
    }
    return {
        "DAGSTER_HOME": str(CHECKOUT),
        DAGSTER_DATABASE: address,
        DAGSTER_FILES: str(files),
        "TMDB_API_URL": settings.tmdb_api_url,
        "TMDB_EXPORT_URL": settings.tmdb_export_url,
        "MOVIE_ASSETS_MEDIA": " ".join(settings.media),
        "MOVIE_ASSETS_IMDB_RATINGS": settings.imdb_ratings or "",
        "OMDB_API_URL": settings.omdb_url,
        "MOVIE_ASSETS_EMBEDDER": settings.embedder_in_use,
        "MOVIE_ASSETS_EMBEDDING_MODEL": settings.embedding_model or "",
        **{name: secret.get_secret_value() for name, secret in secrets.items() if secret is not None},
    }


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
