"""What is broken right now: a finding, how bad all of them are, and the judgement of the services around the catalogue.

What the catalogue's rows say of its health is `operations.health.data`; looking is done elsewhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

Severity = Literal["ok", "warn", "error", "unknown"]
RANK: dict[Severity, int] = {
    "ok": 0,
    "unknown": 1,
    "warn": 1,
    "error": 2,
}  # also the exit code: a monitor knows 0, 1, 2
PARTS = "parts"  # what a check that is of many things calls the list of those that are broken
GIB = 2**30
LITTLE_DISK, HARDLY_ANY_DISK = 5 * GIB, GIB
SHARE_OF_CONNECTIONS = 0.8
EXPORT_LATE, EXPORT_OLD = 1, 4  # days behind today; 7 are walked back before ids cannot be renewed
EMBEDDER_SLOW = 10.0  # seconds


@dataclass(frozen=True)
class Finding:
    """What was found of one thing: how bad, in words, how many and for example which, and what to do next."""

    name: str
    severity: Severity
    says: str
    count: int = 0
    examples: tuple[str, ...] = ()
    next_step: str = ""


@dataclass(frozen=True)
class ServiceProbe:
    """How a call to a service ended: HTTP status or the failure's name (`local`: none needed), in words, how fast."""

    status: str
    says: str = ""
    seconds: float = 0.0


def worst(findings: Iterable[Finding]) -> int:
    """0 when all is well, 1 when something warns or could not be looked at, 2 when something is broken."""
    return max((RANK[finding.severity] for finding in findings), default=0)


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """The worst first, otherwise in the order in which they were looked at."""
    return sorted(findings, key=lambda finding: -RANK[finding.severity])


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Return one finding for each name, in the order of the names: the worst of those that share it.

    The embedder is judged by a request to it and by what runs met. Findings that are equally bad are told in one.
    """
    by_name: dict[str, Finding] = {}
    for finding in findings:
        other = by_name.setdefault(finding.name, finding)
        if RANK[finding.severity] > RANK[other.severity]:
            by_name[finding.name] = finding
        elif finding is not other and RANK[finding.severity] == RANK[other.severity]:
            by_name[finding.name] = replace(
                other, says=f"{other.says}; {finding.says}", count=other.count + finding.count,
                examples=other.examples + finding.examples,
                next_step="; ".join(step for step in (other.next_step, finding.next_step) if step),
            )  # fmt: skip
    return list(by_name.values())


def of_source(reach: ServiceProbe | None) -> Finding:
    """Whether TMDB answers at all; None when nothing says where it is."""
    if reach is None:
        return Finding("source", "ok", "the bundled emulator takes TMDB's place; each command starts it")
    if reach.status in ("200", "401", "403"):
        return Finding("source", "ok", f"TMDB answers within {reach.seconds:.1f} s")
    if reach.status == "429":
        return Finding("source", "warn", "TMDB answers 429: too many calls", next_step="lower MOVIE_ASSETS_TMDB_RATE")
    return Finding(
        "source", "error", f"TMDB does not answer ({reach.status}: {reach.says})",
        next_step="is the network up, TMDB_API_URL right? What is stored stays; the sensors go on when TMDB is back",
    )  # fmt: skip


def of_credential(reach: ServiceProbe | None, built_from: str | None) -> Finding:
    """Whether TMDB accepts the token; `built_from` is the source of the newest export."""
    if reach is None:
        if built_from == "tmdb":
            return Finding(
                "credential", "error", "TMDB_API_TOKEN is not set and this catalogue was built from TMDB",
                next_step="set TMDB_API_TOKEN where the pipeline runs",
            )  # fmt: skip
        return Finding("credential", "ok", "none is needed for the emulator")
    if reach.status == "200":
        return Finding("credential", "ok", "TMDB accepts TMDB_API_TOKEN")
    if reach.status in ("401", "403"):
        return Finding(
            "credential", "error", f"TMDB refuses TMDB_API_TOKEN (HTTP {reach.status}: {reach.says})",
            next_step="put a valid API read access token (themoviedb.org, Settings, API) into TMDB_API_TOKEN",
        )  # fmt: skip
    return Finding("credential", "unknown", "TMDB did not answer, so it said nothing of the credential")


def of_embedder(reach: ServiceProbe) -> Finding:
    """Whether vectors can be had; `says` is the client's own sentence when not."""
    if reach.status == "local":
        return Finding("embedder", "ok", "the local embedder needs no service")
    if reach.status != "200":
        return Finding(
            "embedder", "error", f"no vector can be had: {reach.says}",
            next_step="searches by words go on; texts wait for their vectors until the service answers",
        )  # fmt: skip
    slow = reach.seconds > EMBEDDER_SLOW
    return Finding("embedder", "warn" if slow else "ok", f"the embeddings service answers within {reach.seconds:.1f} s")


def of_disk(free: int, total: int, where: str, *, has_catalogue: bool) -> Finding:
    """Room where the data folder lies, in bytes; the catalogue is there only with the embedded server."""
    whose = "the catalogue's disk" if has_catalogue else "this machine's disk, not PostgreSQL's"
    severity: Severity = "error" if free < HARDLY_ANY_DISK else "warn" if free < LITTLE_DISK else "ok"
    return Finding(
        "disk", severity, f"{free / GIB:.1f} of {total / GIB:.1f} GiB are free at {where} ({whose})",
        next_step=""
        if severity == "ok"
        else "make room, or keep unused embedding sets for fewer days (MOVIE_ASSETS_KEEP_SETS_DAYS)"
        if has_catalogue
        else "make room; what fills PostgreSQL's disk, its own machine tells",
    )  # fmt: skip


def of_database(version: str, size: int, *, is_read_only: bool, connections: int, most_connections: int) -> Finding:
    """A database that answered."""
    if is_read_only:
        return Finding(
            "database", "error", f"PostgreSQL {version} is read-only",
            next_step="point MOVIE_ASSETS_DATABASE_URL at the primary server",
        )  # fmt: skip
    crowded = connections > SHARE_OF_CONNECTIONS * most_connections
    return Finding(
        "database", "warn" if crowded else "ok",
        f"PostgreSQL {version} answers; {size / 2**20:,.0f} MiB; {connections} of {most_connections} connections",
        next_step="raise max_connections, or run fewer runs at once" if crowded else "",
    )  # fmt: skip


def of_export(newest: date | None, today: date) -> Finding:
    """How old the ids are."""
    if newest is None:
        return Finding("export", "warn", "no ID export was ever loaded", next_step="run the job read_the_day")
    days = (today - newest).days
    severity: Severity = "ok" if days <= EXPORT_LATE else "warn" if days <= EXPORT_OLD else "error"
    return Finding(
        "export", severity, f"the ids are those of {newest}, {days} days ago" if days else "the ids are today's",
        count=max(0, days),
        next_step="" if severity == "ok" else "run the job read_the_day; is its schedule on, and TMDB's export there?",
    )  # fmt: skip


def shown_first(ids: Sequence[object] | None) -> tuple[str, ...]:
    """A few ids as texts."""
    return tuple(str(each) for each in (ids or ())[:5])
