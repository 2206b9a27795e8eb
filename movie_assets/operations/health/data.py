"""What the catalogue's rows say of its health: the judgement of each look, rows in, a finding out.

The rows are those of the queries of the same names (sql/queries/health_*.sql and others), with their columns.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from movie_assets.embeddings.server_limits import model_changed
from movie_assets.operations.ages import Allowed
from movie_assets.operations.health.findings import Finding, Severity, shown_first

Rows = Sequence[Any]
SOME, MANY = 0.02, 0.2  # shares of films, ids or calls that warn, and that are an error
SLOWED = 0.05  # of the calls, by status 429; a pace that is kept has nearly none
BACKLOG = 0.1  # of the catalogue
BACKLOG_ALWAYS_BORNE = 100
IDLE = timedelta(hours=24)
UNREACHED = timedelta(hours=1)  # the dead man's switch waits as long
AT_WORK = timedelta(hours=48)  # within which a trigger that is on decides something else than before: each day is read
SILENT, DEAD = timedelta(minutes=15), timedelta(hours=1)
# What real catalogues have was measured in detail_checks; TMDB itself has no certification, keyword or poster for many.
MAX_MISSING = {"runtimes": 0.01, "people": 0.02, "overviews": 0.02, "posters": 0.05}


def freshness(tiers: Rows) -> Finding:
    """Copies against the age that they may have."""
    films, within = sum(t.films for t in tiers), sum(t.within for t in tiers)
    if not films:
        return Finding("freshness", "ok", "there are no films yet")
    overdue = sum(t.overdue for t in tiers)
    shares = [t.overdue / t.films for t in tiers if t.films]
    severity: Severity = "error" if max(shares) > MANY else "warn" if max(shares) > SOME else "ok"
    told = "; ".join(f"{_hours(t.allowed_hours)}: {t.within:,} of {t.films:,}" for t in tiers)
    return Finding(
        "freshness", severity, f"{within / films:.1%} of the films are within their age ({told})", overdue,
        shown_first([i for t in tiers for i in t.examples or ()]),
        "" if severity == "ok" else "run the job fetch_details; is the sensor details_are_due on?",
    )  # fmt: skip


def _hours(hours: int) -> str:
    return f"{hours} h" if hours < 48 else f"{hours // 24} d"  # noqa: PLR2004


def terms(rows: Rows) -> Finding:
    """TMDB's six months."""
    (found,) = rows
    severity: Severity = "error" if found.expired else "warn" if found.soon else "ok"
    return Finding(
        "terms", severity,
        f"{found.expired:,} answers are older than the 180 days that TMDB's terms allow, {found.soon:,} than 170"
        if found.soon else "no answer comes near the six months that TMDB's terms allow",
        found.soon, next_step="" if severity == "ok" else "run the job fetch_details; movie_ids purges what is too old",
    )  # fmt: skip


def failed_ids(rows: Rows) -> Finding:
    """Ids without a usable answer."""
    ids, stubborn = sum(r.ids for r in rows), sum(r.stubborn for r in rows)
    if not ids:
        return Finding("failed ids", "ok", "every id had a usable answer at its last attempt")
    share = ids / max(1, rows[0].of)
    severity: Severity = "error" if share > MANY else "warn" if share > SOME or stubborn else "ok"
    reasons = ", ".join(f"{r.reason} {r.ids:,}" for r in rows[:3])
    told = f"{ids:,} ids had no usable answer ({reasons}), {stubborn:,} of them five times or more"
    return Finding(
        "failed ids", severity, told, ids, shown_first([i for r in rows for i in r.examples]),
        "" if severity == "ok" else "select * from pipeline.rejects tells why; they are tried again by themselves",
    )  # fmt: skip


def due_backlog(rows: Rows, as_of: datetime) -> Finding:
    """Films that wait to be fetched."""
    films = sum(r.films for r in rows)
    if not films:
        return Finding("due backlog", "ok", "nothing waits to be fetched")
    movies, worked_at = rows[0].movies, rows[0].worked_at
    large = films > max(BACKLOG_ALWAYS_BORNE, BACKLOG * movies)
    idle = large and (worked_at is None or as_of - worked_at > IDLE)
    since = f"{worked_at:%Y-%m-%d %H:%M} UTC" if worked_at else "ever"
    reasons = ", ".join(f"{r.reason} {r.films:,}" for r in rows)
    return Finding(
        "due backlog", "error" if idle else "warn" if large else "ok",
        f"{films:,} films wait to be fetched ({reasons})" + (f"; no run ended well since {since}" if idle else ""),
        films, shown_first([i for r in rows for i in r.examples]),
        "run fetch_details; is the sensor details_are_due on, MOVIE_ASSETS_DAILY_FILMS too low?" if large else "",
    )  # fmt: skip


def stale_embeddings(rows: Rows) -> Finding:
    """Films whose text is not the one that was embedded: in the set that is searched, and in one that is built."""
    movies = rows[0].movies
    if movies and not any(r.is_active for r in rows):
        return Finding(
            "stale embeddings", "error", f"no embedding set is searched, and there are {movies:,} films",
            movies, next_step="run the jobs embed_texts and publish",
        )  # fmt: skip
    late = [r for r in rows if r.stale or r.refused]
    if not late:
        waiting = max(r.missing for r in rows) if movies else 0
        told = f"{waiting:,} texts wait for their vectors, none for more than six hours"
        return Finding("stale embeddings", "ok", told if waiting else "every text has its vector")
    # Searches do not miss what a set lacks that is still built.
    is_broken = any(r.is_active and r.stale > MANY * r.movies for r in late)
    return Finding(
        "stale embeddings", "error" if is_broken else "warn",
        "; ".join(
            f"{r.stale:,} texts have waited more than six hours for their vectors, {r.refused:,} were refused "
            f"({_set(r)})" for r in late
        ),
        max(r.stale + r.refused for r in late), shown_first(late[0].examples),
        "run the job embed_texts; movie-assets cost tells what it would cost",
    )  # fmt: skip


def embedding_runs(rows: Rows) -> Finding:
    """What the last run that had texts to embed met at the service, for each set that still lacks vectors.

    A service that answers a request of one word may refuse every text, or the key's quota may be used up since.
    """
    met = [r for r in rows if r.run_texts and r.missing and r.problem is not None]
    in_vain = [r for r in met if not r.run_embedded]
    stopped = [r for r in met if 0 < r.run_embedded < r.run_texts - r.run_refused - r.run_in_flight]
    bad = in_vain or stopped
    if not bad and (changed := [r for r in rows if r.begun_by and r.answered_by not in (None, r.begun_by)]):
        return Finding(
            "embedder", "warn", "; ".join(f"{model_changed(r.begun_by, r.answered_by)} ({_set(r)})" for r in changed),
            len(changed), tuple(r.run_id for r in changed),
            "let the service serve the model of before, or embed all texts again: the job embed_texts with force: true",
        )  # fmt: skip
    if not bad:
        good = [f"the last run embedded {r.run_embedded:,} texts ({_set(r)})" for r in rows if r.run_embedded]
        return Finding("embedder", "ok", "; ".join(good) or "no text waits that a run could not embed")
    return Finding(
        "embedder", "error" if in_vain else "warn",
        "; ".join(
            f"the last run, ended {r.ended_at:%Y-%m-%d %H:%M} UTC, embedded {r.run_embedded or 'none'} of "
            f"{r.run_texts:,} texts ({_set(r)}): {r.problem}" for r in bad
        ),
        max(r.missing for r in bad), tuple(r.run_id for r in bad),
        "correct what the service's message names, then run the job embed_texts",
    )  # fmt: skip


def _set(row: Any) -> str:
    return f"set {row.name}, {'searched' if row.is_active else 'being built'}"


def index(rows: Rows) -> Finding:
    """The index of nearest neighbours."""
    (found,) = rows
    if not found.vectors:
        return Finding("index", "ok", "there are no vectors yet")
    if found.has_index and found.is_valid:
        return Finding("index", "ok", f"the index over {found.vectors:,} vectors is valid")
    what = "was not built to its end" if found.has_index else "is missing"
    return Finding(
        "index", "error", f"the index over {found.vectors:,} vectors {what}: searches compare all of them",
        found.vectors, next_step="run the job publish: movie_vectors builds it",
    )  # fmt: skip


def gaps(rows: Rows) -> list[Finding]:
    """Films that lack what applications show, one finding for each kind."""
    findings = []
    for row in rows:
        share = row.missing / row.films if row.films else 0.0
        most = MAX_MISSING.get(row.what)
        bad = most is not None and share > most
        findings.append(Finding(
            f"missing {row.what}", "warn" if bad else "ok", f"{row.missing:,} of {row.films:,} films ({share:.1%})",
            row.missing, shown_first(row.examples),
            "movie-assets fetch ID asks TMDB again; most often TMDB itself has none" if bad else "",
        ))  # fmt: skip
    return findings


def duplicates(rows: Rows) -> Finding:
    """Films that may be one."""
    if not rows:
        return Finding("duplicate identities", "ok", "no two films share an IMDb id, or title, date and runtime")
    examples = tuple(f"{r.identity}: {', '.join(map(str, r.ids))}" for r in rows[:5])
    return Finding(
        "duplicate identities", "warn", f"{len(rows):,} times two or more films may be one", len(rows), examples,
        "look at them on themoviedb.org: TMDB merges doubles when they are reported, and the pipeline follows",
    )  # fmt: skip


def steps(rows: Rows, as_of: datetime, allowed: Mapping[str, Allowed], off: Collection[str] = ()) -> Finding:
    """How each step ended last.

    Late is only what may have an age: other steps run when there is work. A step that is switched `off` is left out.
    """
    rows = [r for r in rows if r.step not in off]
    broken = [r for r in rows if r.status in ("failed", "killed")]
    late = [
        r for r in rows if r not in broken and r.step in allowed
        and as_of - (r.succeeded_at or r.started_at) > allowed[r.step].warn
    ]  # fmt: skip
    told = [f"{r.step} {r.status}: {(r.reason or '').strip()[:200]}" for r in broken]
    told += [f"{r.step} has not ended well for {(as_of - (r.succeeded_at or r.started_at)).days} days" for r in late]
    return Finding(
        "runs", "error" if broken else "warn" if late else "ok",
        "; ".join(told) or (f"all {len(rows)} steps ended well the last time" if rows else "nothing has run yet"),
        len(broken) + len(late), tuple(r.run_id for r in broken[:5]),
        "open the run in the web UI; running the job again goes on where it stopped" if told else "",
    )  # fmt: skip


def triggers(rows: Rows) -> Finding:
    """Who launches jobs, and who has given up because runs were in vain."""
    given_up = [r for r in rows if r.given_up_at is not None]
    if not given_up:
        return Finding("triggers", "ok", "none of what launches jobs has given up")
    told = "; ".join(
        f"{r.name} has launched {r.job} no more since {r.given_up_at:%Y-%m-%d %H:%M} UTC ({r.says})" for r in given_up
    )
    jobs = ", ".join(sorted({r.job for r in given_up}))
    return Finding(
        "triggers", "error", told, len(given_up), tuple(r.name for r in given_up[:5]),
        f"mend what the job's last run names, then launch it (web UI, Jobs: {jobs}; or movie-assets refresh): "
        "once there is less to do the trigger goes on",
    )  # fmt: skip


def calls(rows: Rows) -> Finding:
    """How TMDB's answers were within a day. One that asks to slow down is no failure, as the call is made again."""
    by_status = {r.status: r.calls for r in rows}
    total, slowed = sum(by_status.values()), by_status.get("429", 0)
    failed = {status: count for status, count in by_status.items() if status not in ("200", "404", "429")}
    if not total:
        return Finding("calls", "ok", "no call to TMDB within 24 hours")
    share, is_slowed = sum(failed.values()) / total, slowed > SLOWED * total
    told = ", ".join(f"{status} {count:,}" for status, count in failed.items())
    next_steps = ["see pipeline.api_calls, and status.themoviedb.org"] if share > SOME else []
    if is_slowed:
        next_steps.append("lower MOVIE_ASSETS_TMDB_RATE; does something else use the same key?")
    return Finding(
        "calls", "error" if share > MANY else "warn" if share > SOME or is_slowed else "ok",
        f"{share:.1%} of {total:,} calls to TMDB within 24 hours failed" + (f" ({told})" if told else "")
        + (f"; {slowed / total:.1%} were asked to slow down" if slowed else ""),
        sum(failed.values()) + (slowed if is_slowed else 0), next_step="; ".join(next_steps),
    )  # fmt: skip


def heartbeats(rows: Rows | None, as_of: datetime, decided_at: datetime | None = None) -> Finding:
    """Signs of life of the sensors; None where none are written.

    `decided_at` is when a trigger last decided anything, where somebody is to be told of what breaks.
    """
    if not rows and decided_at and as_of - decided_at < AT_WORK:
        return Finding(
            "sensors", "warn", "nobody would be told of what breaks: something_broke_or_recovered has never looked, "
            "though destinations of alerts are named and other triggers are at work", 1,
            ("something_broke_or_recovered",), "switch it on in the web UI, Automation",
        )  # fmt: skip
    if not rows:
        return Finding("sensors", "ok", "no sensor writes heartbeats here")
    silent = [r for r in rows if as_of - r.beat_at > SILENT]
    dead = [r for r in silent if as_of - r.beat_at > DEAD]
    told = "; ".join(f"{r.name} has been silent since {r.beat_at:%Y-%m-%d %H:%M} UTC" for r in silent)
    return Finding(
        "sensors", "error" if dead else "warn" if silent else "ok", told or f"all {len(rows)} give signs of life",
        len(silent), tuple(r.name for r in silent[:5]),
        "is the daemon running, and are they switched on in the web UI?" if silent else "",
    )  # fmt: skip


def destinations(rows: Rows, as_of: datetime) -> Finding:
    """Where alerts go and could not be delivered for long; an error, so that it is told whatever is told."""
    down = [r for r in rows if as_of - r.failing_since > UNREACHED]
    told = "; ".join(
        f"{r.destination} was not reached since {r.failing_since:%Y-%m-%d %H:%M} UTC, in {r.failures:,} attempts "
        f"({r.last_error})" for r in down
    )  # fmt: skip
    return Finding(
        "destinations", "error" if down else "ok",
        told or "none that alerts go to has been out of reach for an hour", len(down),
        tuple(r.destination for r in down[:5]),
        "correct its address or credential in the settings and restart the code location; "
        "movie-assets alert test tries it" if down else "",
    )  # fmt: skip
