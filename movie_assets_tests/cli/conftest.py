"""A small catalogue for commands: it is refreshed once, and each module works on a copy of its databases."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from click.testing import Result

from movie_assets.emulator.moving_series import MovingSeries
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.cli.commands import Call, Environment, clean_environment, invoke
from movie_assets_tests.conftest import address_of
from movie_assets_tests.support.world import Films, film


@dataclass(frozen=True)
class RefreshedCatalogue:
    """The database of a catalogue after its first refresh, and the result of `refresh --json`."""

    database: str
    result: Result


def films() -> list[dict[str, object]]:
    return [
        film(1, title="The Heist", overview="Thieves rob a casino at night.", vote_count=900, imdb_id="tt0000001"),
        film(2, title="The Heist Returns", overview="The thieves rob the casino again.", vote_count=400),
        film(3, title="Iron Minds", overview="Robots turn against mankind.", genres=[{"id": 878, "name": "Robots"}]),
        film(4, title="Deep Water", overview="A diver and a whale.", original_language="fr", release_date="1999-04-01"),
        film(5, title="100 % Luck", overview="A gambler never loses.", poster_path=None),
        film(6, vote_count=3),
        film(7, popularity=0.1),
    ]


@pytest.fixture(scope="session")
def service() -> Iterator[TmdbEmulator]:
    world = Films(MovingSeries(20, 6))
    world.put(*films())
    with TmdbEmulator(EmulatorOptions(rate_limit=0), world=world) as running:
        yield running


@pytest.fixture(scope="session")
def refreshed_catalogue(
    server: str, template: str, service: TmdbEmulator, tmp_path_factory: pytest.TempPathFactory
) -> RefreshedCatalogue:
    """A catalogue that is only copied from: nothing changes it after the first refresh."""
    name = "cli_refreshed"
    administer(server, f"create database {name} template {template} strategy file_copy")
    result = invoke(
        variables(server, name, service, str(tmp_path_factory.mktemp("cli_refreshed"))), "refresh", "--json"
    )
    return RefreshedCatalogue(name, result)


@pytest.fixture(scope="session")
def refreshed(refreshed_catalogue: RefreshedCatalogue) -> Result:
    """The result of the first refresh."""
    return refreshed_catalogue.result


@pytest.fixture(scope="module")
def environment(
    server: str,
    refreshed_catalogue: RefreshedCatalogue,
    service: TmdbEmulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Environment]:
    """Environment variables that point at the module's copy of the refreshed catalogue, and at the emulator."""
    assert refreshed_catalogue.result.exit_code == 0, refreshed_catalogue.result.stderr
    name = f"cli_{uuid.uuid4().hex[:8]}"
    parts = ("", "_dagster")
    administer(
        server,
        *(
            f"create database {name}{part} template {refreshed_catalogue.database}{part} strategy file_copy"
            for part in parts
        ),
    )
    yield variables(server, name, service, str(tmp_path_factory.mktemp("cli")))
    administer(server, *(f"drop database {name}{part} with (force)" for part in parts))


@pytest.fixture
def call(environment: Environment) -> Call:
    """Call a command on the module's catalogue."""

    def run(*arguments: str, **variables: str) -> Result:
        return invoke({**environment, **variables}, *arguments)

    return run


def variables(server: str, database: str, service: TmdbEmulator, home: str) -> Environment:
    """Return the variables of a catalogue in a database of the server, fed by the emulator."""
    return clean_environment(
        MOVIE_ASSETS_DATABASE_URL=address_of(server, database),
        MOVIE_ASSETS_HOME=home,
        MOVIE_ASSETS_TMDB_RATE="0",
        MOVIE_ASSETS_EMBEDDING_DIMENSIONS="64",
        TMDB_API_URL=service.tmdb_url,
        TMDB_EXPORT_URL=service.export_url,
        TMDB_API_TOKEN="a-token",
    )


def administer(server: str, *statements: str) -> None:
    """Execute statements on the server, outside a transaction."""
    with psycopg.connect(address_of(server, "postgres"), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
