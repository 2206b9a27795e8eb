"""Looking at everything that can be broken: each look bounded in time, none of them in need of another.

What was found means is `operations.health.findings` and `operations.health.data`; the calls to services are
`operations.health.services`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg
import sqlalchemy as sa

from movie_assets.config.settings import Settings
from movie_assets.database.addresses import DatabaseError
from movie_assets.database.database import Database, rows
from movie_assets.database.embedded import (
    EmbeddedPostgresError,
    embedded_data,
    embedded_postgres,
    is_embedded,
)
from movie_assets.database.migrations import require_current_schema
from movie_assets.database.server_checks import pgvector_warning
from movie_assets.embeddings.embedder import Embedder, EmbedderError
from movie_assets.embeddings.registry import embedder_from
from movie_assets.operations.ages import ALLOWED
from movie_assets.operations.alerts.destinations import destinations_from
from movie_assets.operations.health import data as health_of_data
from movie_assets.operations.health import findings as health
from movie_assets.operations.health.findings import Finding
from movie_assets.operations.health.services import probe_embedder, probe_tmdb, room_at

SECONDS_PER_POLL = 10
CATALOGUE = "movie_assets"  # the embedded server's database
Rows = Sequence[Any]
DATABASE_ERRORS = (sa.exc.SQLAlchemyError, psycopg.Error)


@dataclass(frozen=True)
class Observations:
    """One question to the database and what its answer means."""

    name: str
    query: str
    assess: Callable[[Rows, datetime], Finding | list[Finding]]
    takes_as_of: bool = False


def looks(settings: Settings) -> tuple[Observations, ...]:
    """All of them; the first tells whether the database answers at all."""
    return (
        Observations("database", "health_database", lambda found, _: [_database(found[0]), *_pgvector(found[0])]),
        Observations("export", "health_export", lambda found, now: health.of_export(_newest(found), now.date())),
        Observations("freshness", "ages", lambda found, _: health_of_data.freshness(found), takes_as_of=True),
        Observations("terms", "expired_films", lambda found, _: health_of_data.terms(found), takes_as_of=True),
        Observations("due backlog", "health_due", health_of_data.due_backlog, takes_as_of=True),
        Observations("failed ids", "health_failed_ids", lambda found, _: health_of_data.failed_ids(found)),
        Observations(
            "stale embeddings",
            "health_texts",
            lambda found, _: [health_of_data.stale_embeddings(found), health_of_data.embedding_runs(found)],
            takes_as_of=True,
        ),
        Observations("index", "health_index", lambda found, _: health_of_data.index(found)),
        Observations("gaps", "health_gaps", lambda found, _: health_of_data.gaps(found)),
        Observations("duplicate identities", "health_duplicates", lambda found, _: health_of_data.duplicates(found)),
        Observations(
            "runs",
            "health_steps",
            lambda found, now: health_of_data.steps(found, now, ALLOWED, settings.rating_files.off),
            takes_as_of=True,
        ),
        Observations("triggers", "health_triggers", lambda found, _: health_of_data.triggers(found)),
        Observations("destinations", "health_destinations", health_of_data.destinations),
        Observations("calls", "health_calls", lambda found, _: health_of_data.calls(found), takes_as_of=True),
    )


def probe_services(settings: Settings, database: Database, embedder: Embedder) -> list[Finding]:
    """Findings on what is around the catalogue: TMDB, the embedder, the disk. Calls the services."""
    return _without_secrets(settings, _services(settings, embedder, database))


def probe_database(settings: Settings, database: Database, now: datetime) -> list[Finding]:
    """Findings on what the database contains. Calls no service."""
    return _without_secrets(settings, _data(settings, database, now))


def probe_from_outside(settings: Settings, now: datetime) -> list[Finding]:
    """All findings, whatever cannot be opened; nothing is created, migrated or changed."""
    embedder: Embedder | EmbedderError
    try:
        embedder = embedder_from(settings)
    except EmbedderError as error:
        embedder = error
    with _opened(settings) as found:
        database = found if isinstance(found, Database) else None
        data = [found] if isinstance(found, Finding) else _data(settings, found, now)
        return _without_secrets(settings, health.merged([*_services(settings, embedder, database), *data]))


def _services(settings: Settings, embedder: Embedder | EmbedderError, database: Database | None) -> list[Finding]:
    """What is around the catalogue: source, credential, embedder, disk."""
    reach = probe_tmdb(settings)
    try:
        built_from = _ask(database, "health_export")[0].source if database is not None else None
    except (*DATABASE_ERRORS, IndexError):
        built_from = None  # the database's own look tells what is wrong with it
    made = (
        Finding("embedder", "error", str(embedder), next_step="set the variable that it names")
        if isinstance(embedder, EmbedderError)
        else health.of_embedder(probe_embedder(embedder))
    )
    address = settings.database_url.get_secret_value() if settings.database_url is not None else None
    free, total = room_at(settings.home)
    return [
        health.of_source(reach),
        health.of_credential(reach, built_from),
        made,
        health.of_disk(free, total, str(settings.home), has_catalogue=is_embedded(address, settings.home)),
    ]


def _data(settings: Settings, database: Database, now: datetime) -> list[Finding]:
    """What the database says; when it does not answer at all, the other looks are not waited for."""
    findings: list[Finding] = []
    first, *others = looks(settings)
    for look in (first, *others):
        try:
            parameters = {"as_of": now} if look.takes_as_of else {}
            derived = look.assess(_ask(database, look.query, **parameters), now)
            findings += derived if isinstance(derived, list) else [derived]
        except DATABASE_ERRORS as error:
            findings.append(_not_looked_at(look.name, error))
            if look is first:
                return findings + [Finding(each.name, "unknown", "the database does not answer") for each in others]
    findings.append(_sensors(settings, database, now))
    findings.append(_schema(database))
    return findings


def _ask(database: Database, query: str, **parameters: Any) -> Rows:
    """A query's rows, within seconds."""
    with database.transaction() as connection:
        connection.execute(sa.text(f"set local statement_timeout = '{SECONDS_PER_POLL}s'"))
        connection.execute(sa.text("set local lock_timeout = '2s'"))
        return rows(connection, query, **parameters)


def _not_looked_at(name: str, error: Exception) -> Finding:
    """An error of one look; that of the first is the database's own."""
    why = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    if name == "database":
        return Finding(
            name, "error", f"the database does not answer ({why})",
            next_step="is the server up, MOVIE_ASSETS_DATABASE_URL right, its disk full? Its log tells",
        )  # fmt: skip
    return Finding(name, "error", f"could not be looked at: {why}", next_step="restore what is missing in the database")


def _sensors(settings: Settings, database: Database, now: datetime) -> Finding:
    try:
        written = _ask(database, "has_heartbeats")[0].has_heartbeats
        has_destinations = bool(destinations_from(settings).all)
        decided_at = _ask(database, "last_decision")[0].decided_at if written and has_destinations else None
        return health_of_data.heartbeats(_ask(database, "heartbeats") if written else None, now, decided_at)
    except DATABASE_ERRORS as error:
        return _not_looked_at("sensors", error)


def _schema(database: Database) -> Finding:
    try:
        require_current_schema(database)
    except DatabaseError as error:
        return Finding("schema", "warn", str(error), next_step="run movie-assets status, which migrates")
    except DATABASE_ERRORS as error:
        return _not_looked_at("schema", error)
    return Finding("schema", "ok", "the database has this checkout's migrations and functions")


def _database(found: Any) -> Finding:
    return health.of_database(
        found.version, found.bytes, is_read_only=found.is_read_only, connections=found.connections,
        most_connections=found.most_connections,
    )  # fmt: skip


def _pgvector(found: Any) -> list[Finding]:
    warning = pgvector_warning(found.pgvector)
    return [Finding("pgvector", "warn", warning, next_step="docs/runbook.md, health")] if warning else []


def _newest(found: Rows) -> Any:
    return found[0].export_date if found else None


@contextmanager
def _opened(settings: Settings) -> Iterator[Database | Finding]:
    """The catalogue's database, the embedded server started for it if need be; or why there is none."""
    told = "what was found of the services stands"
    if settings.database_url is None and not (settings.home / "postgres" / "PG_VERSION").exists():
        says = f"there is no catalogue at {settings.home} yet"
        yield Finding("database", "error", says, next_step="movie-assets refresh builds one")
        return
    with ExitStack() as stack:
        try:
            if settings.database_url is not None:
                address = settings.database_url.get_secret_value()
            else:
                server = stack.enter_context(embedded_postgres(settings.home))
                address = server.replace("/?", f"/{CATALOGUE}?")
            database = stack.enter_context(Database(address, embedded_data(address, settings.home)))
        except (DatabaseError, EmbeddedPostgresError) as error:
            yield Finding("database", "error", str(error), next_step=told)
            return
        yield database


def _without_secrets(settings: Settings, findings: Sequence[Finding]) -> list[Finding]:
    """The findings with every secret of the settings struck out, whoever quoted it."""
    secrets = settings.secrets

    def clean(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, "…")
        return text

    return [replace(found, says=clean(found.says), examples=tuple(map(clean, found.examples))) for found in findings]
