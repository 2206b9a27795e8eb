"""Probes everything that can be broken. Each probe has a time limit, and none needs the result of another.

`operations.health.findings`, `data` and `vectors` turn the results into findings; `operations.health.services` calls
the services. This module does not import Dagster, so that `movie-assets health` starts fast.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime

import psycopg
import sqlalchemy as sa

from movie_assets.catalog.detail_ages import AgeTier, ExpiredResponses
from movie_assets.catalog.media_assets import switched_off
from movie_assets.config.settings import Settings
from movie_assets.database.addresses import DatabaseError
from movie_assets.database.database import Database
from movie_assets.database.embedded import (
    EmbeddedPostgresError,
    embedded_data,
    embedded_postgres,
    is_embedded,
)
from movie_assets.database.migrations import require_current_schema
from movie_assets.database.server_checks import pgvector_warning
from movie_assets.embeddings.bulk_progress import BulkJobState
from movie_assets.embeddings.embedder import Embedder, EmbedderError
from movie_assets.embeddings.registry import embedder_from
from movie_assets.lists.list_changes import ListChange, ages_of
from movie_assets.lists.list_kinds import wanted_lists
from movie_assets.operations.ages import ALLOWED_AGES
from movie_assets.operations.alerts.destinations import destinations_from
from movie_assets.operations.health import data, findings, vectors
from movie_assets.operations.health.bounded_queries import BoundedQueries
from movie_assets.operations.health.findings import Finding
from movie_assets.operations.health.rows import (
    CallCount,
    DatabaseState,
    DueFilms,
    DuplicateFilms,
    FailedIds,
    FieldGap,
    Heartbeat,
    LastDecision,
    NewestExport,
    SetTexts,
    StepOutcome,
    TriggerState,
    UnreachableDestination,
    VectorIndex,
)
from movie_assets.operations.health.services import disk_space, probe_embedder, probe_tmdb

CATALOGUE = "movie_assets"  # the embedded server's database
DATABASE_ERRORS = (sa.exc.SQLAlchemyError, psycopg.Error)
Probe = Callable[[], Finding | Sequence[Finding]]


def probe_services(settings: Settings, database: Database, embedder: Embedder) -> list[Finding]:
    """Return the findings on TMDB, the embedder and the disk. Calls the services."""
    return _without_secrets(settings, _services(settings, embedder, database))


def probe_database(settings: Settings, database: Database, now: datetime) -> list[Finding]:
    """Return the findings on the database and its content. Calls no service."""
    return _without_secrets(settings, _database(settings, database, now))


def probe_from_outside(settings: Settings, now: datetime) -> list[Finding]:
    """Return all findings, also when the embedder or the database cannot be opened. Nothing is created or changed."""
    embedder: Embedder | EmbedderError
    try:
        embedder = embedder_from(settings)
    except EmbedderError as error:
        embedder = error
    with _opened(settings) as opened:
        database = opened if isinstance(opened, Database) else None
        of_database = [opened] if isinstance(opened, Finding) else _database(settings, opened, now)
        of_services = _services(settings, embedder, database)
        return _without_secrets(settings, findings.merged([*of_services, *of_database]))


def _services(settings: Settings, embedder: Embedder | EmbedderError, database: Database | None) -> list[Finding]:
    probe = probe_tmdb(settings)
    of_embedder = (
        Finding("embedder", "error", str(embedder), next_step="set the variable that it names")
        if isinstance(embedder, EmbedderError)
        else findings.of_embedder(probe_embedder(embedder))
    )
    address = settings.database_url.get_secret_value() if settings.database_url is not None else None
    free, total = disk_space(settings.home)
    return [
        findings.of_source(probe),
        findings.of_credential(probe, _source_of_newest_export(database)),
        of_embedder,
        findings.of_disk(free, total, str(settings.home), has_catalogue=is_embedded(address, settings.home)),
    ]


def _source_of_newest_export(database: Database | None) -> str | None:
    try:
        newest = BoundedQueries(database).fetch_optional(NewestExport, "health_export") if database else None
    except DATABASE_ERRORS:
        return None  # the probes of the database report the error
    return newest.source if newest else None


def _database(settings: Settings, database: Database, now: datetime) -> list[Finding]:
    """Run the probes of the database; when the first one fails, the others are not run."""
    results: list[Finding] = []
    probes = _probes(settings, BoundedQueries(database), now)
    for name, probe in probes.items():
        try:
            result = probe()
        except DATABASE_ERRORS as error:
            results.append(_failed_probe(name, error))
            if name == "database":
                others = [each for each in probes if each != name]
                return results + [Finding(other, "unknown", "the database does not respond") for other in others]
        else:
            results += [result] if isinstance(result, Finding) else result
    results.append(_schema(database))
    return results


def _probes(settings: Settings, queries: BoundedQueries, now: datetime) -> dict[str, Probe]:
    """Return the probes of the database by the names of their findings; the first shows whether it responds at all."""
    return {
        "database": lambda: _server(queries.fetch_one(DatabaseState, "health_database")),
        "export": lambda: _export(queries.fetch_optional(NewestExport, "health_export"), now),
        "freshness": lambda: data.freshness(queries.fetch(AgeTier, "ages", as_of=now, media=None)),
        "terms": lambda: data.terms(queries.fetch_one(ExpiredResponses, "expired_films", as_of=now)),
        "due backlog": lambda: data.due_backlog(queries.fetch(DueFilms, "health_due", as_of=now), now),
        "failed ids": lambda: data.failed_ids(queries.fetch(FailedIds, "health_failed_ids")),
        "stale embeddings": lambda: _texts(queries.fetch(SetTexts, "health_texts", as_of=now)),
        "bulk jobs": lambda: vectors.bulk_jobs(queries.fetch(BulkJobState, "bulk_jobs_at_service", as_of=now), now),
        "index": lambda: vectors.index(queries.fetch_one(VectorIndex, "health_index")),
        "gaps": lambda: data.gaps(queries.fetch(FieldGap, "health_gaps")),
        "duplicate identities": lambda: data.duplicates(queries.fetch(DuplicateFilms, "health_duplicates")),
        "runs": lambda: data.steps(
            queries.fetch(StepOutcome, "health_steps", as_of=now),
            now,
            ALLOWED_AGES,
            {*settings.switched_off, *switched_off(settings.media_types)},
        ),
        "triggers": lambda: data.triggers(queries.fetch(TriggerState, "health_triggers")),
        "lists": lambda: data.lists(
            ages_of(
                queries.fetch(ListChange, "list_changes", as_of=now),
                wanted_lists(settings.media_types, settings.regions, settings.list_pages),
                now,
            )
        ),
        "destinations": lambda: data.destinations(queries.fetch(UnreachableDestination, "health_destinations"), now),
        "calls": lambda: data.calls(queries.fetch(CallCount, "health_calls", as_of=now)),
        "sensors": lambda: _sensors(settings, queries, now),
    }


def _server(state: DatabaseState) -> list[Finding]:
    warning = pgvector_warning(state.pgvector) if state.pgvector else None
    of_pgvector = [Finding("pgvector", "warn", warning, next_step="docs/runbook.md, health")] if warning else []
    return [findings.of_database(state), *of_pgvector]


def _export(newest: NewestExport | None, now: datetime) -> Finding:
    return findings.of_export(newest.export_date if newest else None, now.date())


def _texts(rows: Sequence[SetTexts]) -> list[Finding]:
    return [vectors.stale_embeddings(rows), vectors.embedding_runs(rows)]


def _sensors(settings: Settings, queries: BoundedQueries, now: datetime) -> Finding:
    if not queries.fetch_value(bool, "has_heartbeats"):
        return data.heartbeats([], now)
    has_destinations = bool(destinations_from(settings).all)
    decided_at = queries.fetch_one(LastDecision, "last_decision").decided_at if has_destinations else None
    return data.heartbeats(queries.fetch(Heartbeat, "heartbeats"), now, decided_at)


def _failed_probe(name: str, error: Exception) -> Finding:
    """Return the finding on a probe that failed; the first one means that the database does not respond."""
    reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    if name == "database":
        return Finding(
            name, "error", f"the database does not respond ({reason})",
            next_step="is the server up, MOVIE_ASSETS_DATABASE_URL right, its disk full? See its log",
        )  # fmt: skip
    return Finding(name, "error", f"the query failed: {reason}", next_step="restore what is missing in the database")


def _schema(database: Database) -> Finding:
    try:
        require_current_schema(database)
    except DatabaseError as error:
        return Finding("schema", "warn", str(error), next_step="run movie-assets status, which migrates")
    except DATABASE_ERRORS as error:
        return _failed_probe("schema", error)
    return Finding("schema", "ok", "the database has this checkout's migrations and functions")


@contextmanager
def _opened(settings: Settings) -> Iterator[Database | Finding]:
    """Open the catalogue's database, and start the embedded server if need be; yield a finding if that fails."""
    if settings.database_url is None and not (settings.home / "postgres" / "PG_VERSION").exists():
        message = f"there is no catalogue at {settings.home} yet"
        yield Finding("database", "error", message, next_step="movie-assets refresh builds one")
        return
    with ExitStack() as stack:
        try:
            if settings.database_url is not None:
                address = settings.database_url.get_secret_value()
            else:
                server = stack.enter_context(embedded_postgres(settings.home, memory_mb=settings.postgres_memory_mb))
                address = server.replace("/?", f"/{CATALOGUE}?")
            database = stack.enter_context(Database(address, embedded_data(address, settings.home)))
        except (DatabaseError, EmbeddedPostgresError) as error:
            yield Finding("database", "error", str(error), next_step="the findings on the services hold nevertheless")
            return
        yield database


def _without_secrets(settings: Settings, results: Sequence[Finding]) -> list[Finding]:
    """Return the findings without the secrets of the settings, which an error's message may quote."""
    secrets = settings.secrets

    def clean(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, "…")
        return text

    return [replace(each, message=clean(each.message), examples=tuple(map(clean, each.examples))) for each in results]
