"""A finding on health, the severity of several, and the findings on the services around the catalogue: pure functions.

`operations.health.data` and `operations.health.vectors` have the findings on the catalogue's rows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from movie_assets.operations.health.rows import DatabaseState

Severity = Literal["ok", "warn", "error", "unknown"]
RANK: dict[Severity, int] = {"ok": 0, "unknown": 1, "warn": 1, "error": 2}  # exit codes that monitors know
PARTS = "parts"  # metadata key: the names of the broken things in a check of several
WARNING_SHARE, ERROR_SHARE = 0.02, 0.2  # of films, ids or calls
GIB = 2**30
MIN_FREE_WARNING, MIN_FREE_ERROR = 5 * GIB, GIB  # bytes
MAX_CONNECTION_SHARE = 0.8
MAX_EXPORT_WARNING, MAX_EXPORT_ERROR = 1, 4  # days behind today; older exports than 7 days are not used
MAX_EMBEDDER_SECONDS = 10.0


@dataclass(frozen=True)
class Finding:
    """The state of one thing: severity, description, number and examples of what is affected, and what to do next."""

    name: str
    severity: Severity
    message: str
    count: int = 0
    examples: tuple[str, ...] = ()
    next_step: str = ""

    def as_json(self) -> dict[str, object]:
        """Return the finding under the keys of `movie-assets health --json`."""
        return {
            "name": self.name,
            "severity": self.severity,
            "says": self.message,
            "count": self.count,
            "examples": self.examples,
            "next_step": self.next_step,
        }


@dataclass(frozen=True)
class ServiceProbe:
    """The outcome of a call to a service: an HTTP status or the name of an error, details, and the duration.

    The status `local` means that no service is needed.
    """

    status: str
    detail: str = ""
    seconds: float = 0.0


def worst(findings: Iterable[Finding]) -> int:
    """Return 0 when all findings are ok, 2 when one is an error, else 1."""
    return max((RANK[finding.severity] for finding in findings), default=0)


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings with the most severe first; those of equal severity keep their order."""
    return sorted(findings, key=lambda finding: -RANK[finding.severity])


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Return one finding for each name, in the order of the names' first findings.

    Of several findings with one name the most severe is kept; equally severe ones are combined. The embedder has two:
    one on a request to it, and one on the last runs.
    """
    by_name: dict[str, Finding] = {}
    for finding in findings:
        other = by_name.setdefault(finding.name, finding)
        if RANK[finding.severity] > RANK[other.severity]:
            by_name[finding.name] = finding
        elif finding is not other and RANK[finding.severity] == RANK[other.severity]:
            by_name[finding.name] = replace(
                other, message=f"{other.message}; {finding.message}", count=other.count + finding.count,
                examples=other.examples + finding.examples,
                next_step="; ".join(step for step in (other.next_step, finding.next_step) if step),
            )  # fmt: skip
    return list(by_name.values())


def of_source(probe: ServiceProbe | None) -> Finding:
    """Evaluate whether TMDB responds; `probe` is None when the bundled emulator is used."""
    if probe is None:
        return Finding("source", "ok", "the bundled emulator is used in place of TMDB; each command starts it")
    if probe.status in ("200", "401", "403"):
        return Finding("source", "ok", f"TMDB responds within {probe.seconds:.1f} s")
    if probe.status == "429":
        return Finding(
            "source", "warn", "TMDB responds with status 429: too many calls", next_step="lower MOVIE_ASSETS_TMDB_RATE"
        )
    return Finding(
        "source", "error", f"TMDB does not respond ({probe.status}: {probe.detail})",
        next_step="is the network up, TMDB_API_URL right? Stored data remains; sensors continue once TMDB responds",
    )  # fmt: skip


def of_credential(probe: ServiceProbe | None, built_from: str | None) -> Finding:
    """Evaluate whether TMDB accepts the token; `built_from` is the source of the newest export."""
    if probe is None:
        if built_from == "tmdb":
            return Finding(
                "credential", "error", "TMDB_API_TOKEN is not set and this catalogue was built from TMDB",
                next_step="set TMDB_API_TOKEN where the pipeline runs",
            )  # fmt: skip
        return Finding("credential", "ok", "none is needed for the emulator")
    if probe.status == "200":
        return Finding("credential", "ok", "TMDB accepts TMDB_API_TOKEN")
    if probe.status in ("401", "403"):
        return Finding(
            "credential", "error", f"TMDB refuses TMDB_API_TOKEN (HTTP {probe.status}: {probe.detail})",
            next_step="put a valid API read access token (themoviedb.org, Settings, API) into TMDB_API_TOKEN",
        )  # fmt: skip
    return Finding("credential", "unknown", "TMDB did not respond, so the credential could not be tested")


def of_embedder(probe: ServiceProbe) -> Finding:
    """Evaluate whether the embedder returns vectors."""
    if probe.status == "local":
        return Finding("embedder", "ok", "the local embedder needs no service")
    if probe.status != "200":
        return Finding(
            "embedder", "error", f"the embedder returns no vectors: {probe.detail}",
            next_step="searches by words continue; texts wait for their vectors until the service responds",
        )  # fmt: skip
    is_slow = probe.seconds > MAX_EMBEDDER_SECONDS
    message = f"the embeddings service responds within {probe.seconds:.1f} s"
    return Finding("embedder", "warn" if is_slow else "ok", message)


def of_disk(free: int, total: int, where: str, *, has_catalogue: bool) -> Finding:
    """Evaluate the free space, in bytes, of the data folder; it has the catalogue only with the embedded server."""
    whose = "the catalogue's disk" if has_catalogue else "this machine's disk, not PostgreSQL's"
    severity: Severity = "error" if free < MIN_FREE_ERROR else "warn" if free < MIN_FREE_WARNING else "ok"
    return Finding(
        "disk", severity, f"{free / GIB:.1f} of {total / GIB:.1f} GiB are free at {where} ({whose})",
        next_step=""
        if severity == "ok"
        else "free some space, or keep unused embedding sets for fewer days (MOVIE_ASSETS_KEEP_SETS_DAYS)"
        if has_catalogue
        else "free some space; the free space of PostgreSQL's own machine is not measured here",
    )  # fmt: skip


def of_database(state: DatabaseState) -> Finding:
    """Evaluate a database that responds."""
    if state.is_read_only:
        return Finding(
            "database", "error", f"PostgreSQL {state.version} is read-only",
            next_step="point MOVIE_ASSETS_DATABASE_URL at the primary server",
        )  # fmt: skip
    is_crowded = state.connections > MAX_CONNECTION_SHARE * state.max_connections
    return Finding(
        "database", "warn" if is_crowded else "ok",
        f"PostgreSQL {state.version} responds; {state.bytes / 2**20:,.0f} MiB; "
        f"{state.connections} of {state.max_connections} connections",
        next_step="raise max_connections, or run fewer runs at once" if is_crowded else "",
    )  # fmt: skip


def of_export(newest: date | None, today: date) -> Finding:
    """Evaluate the age of the newest ID export; `newest` is None without one."""
    if newest is None:
        return Finding("export", "warn", "no ID export was ever loaded", next_step="run the job read_the_day")
    days = (today - newest).days
    severity: Severity = "ok" if days <= MAX_EXPORT_WARNING else "warn" if days <= MAX_EXPORT_ERROR else "error"
    return Finding(
        "export", severity, f"the ids are those of {newest}, {days} days ago" if days else "the ids are today's",
        count=max(0, days),
        next_step="" if severity == "ok" else "run the job read_the_day; is its schedule on, and TMDB's export there?",
    )  # fmt: skip


def first_texts(ids: Sequence[object] | None) -> tuple[str, ...]:
    """Return the first five ids as texts."""
    return tuple(str(each) for each in (ids or ())[:5])
