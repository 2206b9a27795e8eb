"""Findings on the catalogue: each function turns the rows of one query into a finding.

`operations.health.rows` has the rows, and `operations.health.vectors` the findings on embeddings and their index.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from movie_assets.catalog.detail_ages import AgeTier, ExpiredResponses
from movie_assets.lists.list_changes import ListAge
from movie_assets.operations.ages import AllowedAge
from movie_assets.operations.health.findings import ERROR_SHARE, WARNING_SHARE, Finding, Severity, first_texts
from movie_assets.operations.health.rows import (
    CallCount,
    DueFilms,
    DuplicateFilms,
    FailedIds,
    FieldGap,
    Heartbeat,
    StepOutcome,
    TriggerState,
    UnreachableDestination,
)

MAX_SLOWED = 0.05  # share of calls with status 429; within the rate limit there are nearly none
MAX_BACKLOG = 0.1  # share of the catalogue
ALLOWED_BACKLOG = 100  # films, however small the catalogue is
MAX_IDLE = timedelta(hours=24)
MAX_UNREACHED = timedelta(hours=1)  # as in operations.alerts.sensor
ACTIVE_TRIGGERS = timedelta(hours=48)  # since a decision changed: one does each day while triggers are on
SILENT, DEAD = timedelta(minutes=15), timedelta(hours=1)  # since the last heartbeat
# What real catalogues have was measured in detail_checks; TMDB itself has no certification, keyword or poster for many.
MAX_MISSING = {"runtimes": 0.01, "people": 0.02, "overviews": 0.02, "posters": 0.05}


def freshness(tiers: Sequence[AgeTier]) -> Finding:
    """Evaluate the ages of stored details by the worst tier."""
    films, within = sum(t.films for t in tiers), sum(t.within for t in tiers)
    if not films:
        return Finding("freshness", "ok", "there are no films yet")
    overdue = sum(t.overdue for t in tiers)
    shares = [t.overdue / t.films for t in tiers if t.films]
    severity: Severity = "error" if max(shares) > ERROR_SHARE else "warn" if max(shares) > WARNING_SHARE else "ok"
    by_tier = "; ".join(f"{_hours(t.allowed_hours)}: {t.within:,} of {t.films:,}" for t in tiers)
    return Finding(
        "freshness", severity, f"{within / films:.1%} of the films are within their age ({by_tier})", overdue,
        first_texts([i for t in tiers for i in t.examples or ()]),
        "" if severity == "ok" else "run the job fetch_details; is the sensor details_are_due on?",
    )  # fmt: skip


def _hours(hours: int) -> str:
    return f"{hours} h" if hours < 48 else f"{hours // 24} d"  # noqa: PLR2004


def lists(ages: Sequence[ListAge]) -> Finding:
    """Evaluate the ages of TMDB's lists; nothing is late before the first of them was read."""
    if not any(age.read_at for age in ages):
        return Finding("lists", "ok", "no list of TMDB was read yet" if ages else "lists of TMDB are switched off")
    late = [age for age in ages if age.is_late]
    severity: Severity = "error" if any(age.is_very_late for age in late) else "warn" if late else "ok"
    message = f"{len(late)} of {len(ages)} lists are older than they may be"
    return Finding(
        "lists", severity, message if late else f"all {len(ages)} lists of TMDB are within their age", len(late),
        tuple(age.name for age in late[:5]),
        "is the schedule read_list_snapshots_every_six_hours on? Run the job read_list_snapshots" if late else "",
    )  # fmt: skip


def terms(responses: ExpiredResponses) -> Finding:
    """Evaluate the ages of stored responses by the six months that TMDB's terms allow."""
    severity: Severity = "error" if responses.expired else "warn" if responses.soon else "ok"
    return Finding(
        "terms", severity,
        f"{responses.expired:,} responses are older than the 180 days that TMDB's terms allow, "
        f"{responses.soon:,} are older than 170"
        if responses.soon else "no stored response is older than 170 days; TMDB's terms allow 180",
        responses.soon,
        next_step="" if severity == "ok" else "run the job fetch_details; movie_ids purges what is too old",
    )  # fmt: skip


def failed_ids(rows: Sequence[FailedIds]) -> Finding:
    """Evaluate the share of ids whose last attempt failed."""
    ids, often = sum(r.ids for r in rows), sum(r.failed_often for r in rows)
    if not ids:
        return Finding("failed ids", "ok", "the last attempt to fetch succeeded for every id")
    share = ids / max(1, rows[0].all_ids)
    severity: Severity = "error" if share > ERROR_SHARE else "warn" if share > WARNING_SHARE or often else "ok"
    reasons = ", ".join(f"{r.reason} {r.ids:,}" for r in rows[:3])
    message = f"the last attempt failed for {ids:,} ids ({reasons}), for {often:,} of them the fifth or a later one"
    return Finding(
        "failed ids", severity, message, ids, first_texts([i for r in rows for i in r.examples]),
        "" if severity == "ok" else "select * from pipeline.rejects shows the reasons; the ids are tried again",
    )  # fmt: skip


def due_backlog(rows: Sequence[DueFilms], as_of: datetime) -> Finding:
    """Evaluate the number of films that are due to be fetched, and whether a run works on them."""
    films = sum(r.films for r in rows)
    if not films:
        return Finding("due backlog", "ok", "no film is due to be fetched")
    succeeded_at = rows[0].succeeded_at
    is_large = films > max(ALLOWED_BACKLOG, MAX_BACKLOG * rows[0].movies)
    is_idle = is_large and (succeeded_at is None or as_of - succeeded_at > MAX_IDLE)
    since = f"no run has succeeded since {succeeded_at:%Y-%m-%d %H:%M} UTC" if succeeded_at else "no run has succeeded"
    reasons = ", ".join(f"{r.reason} {r.films:,}" for r in rows)
    return Finding(
        "due backlog", "error" if is_idle else "warn" if is_large else "ok",
        f"{films:,} films are due to be fetched ({reasons})" + (f"; {since}" if is_idle else ""),
        films, first_texts([i for r in rows for i in r.examples]),
        "run fetch_details; is the sensor details_are_due on, MOVIE_ASSETS_DAILY_FILMS too low?" if is_large else "",
    )  # fmt: skip


def gaps(rows: Sequence[FieldGap]) -> list[Finding]:
    """Return a finding for each kind of data, on the share of films that lack it."""
    findings = []
    for row in rows:
        share = row.missing / row.films if row.films else 0.0
        limit = MAX_MISSING.get(row.field)
        is_bad = limit is not None and share > limit
        findings.append(Finding(
            f"missing {row.field}", "warn" if is_bad else "ok", f"{row.missing:,} of {row.films:,} films ({share:.1%})",
            row.missing, first_texts(row.examples),
            "movie-assets fetch ID fetches a film again; most often TMDB itself lacks the data" if is_bad else "",
        ))  # fmt: skip
    return findings


def duplicates(rows: Sequence[DuplicateFilms]) -> Finding:
    """Evaluate whether several ids may be the same film."""
    if not rows:
        return Finding("duplicate identities", "ok", "no two films share an IMDb id, or title, date and runtime")
    examples = tuple(f"{r.identity}: {', '.join(map(str, r.ids))}" for r in rows[:5])
    return Finding(
        "duplicate identities", "warn", f"in {len(rows):,} cases several ids may be the same film", len(rows), examples,
        "compare them on themoviedb.org: TMDB merges duplicates that are reported, and the catalogue follows",
    )  # fmt: skip


def steps(
    rows: Sequence[StepOutcome], as_of: datetime, allowed: Mapping[str, AllowedAge], off: Collection[str] = ()
) -> Finding:
    """Evaluate how each step ended last, and when it last succeeded.

    Only steps with an allowed age can be late, as others run when there is work. Steps in `off` are left out.
    """
    rows = [r for r in rows if r.step not in off]
    broken = [r for r in rows if r.status in ("failed", "killed")]
    late = [
        r for r in rows if r not in broken and r.step in allowed
        and as_of - (r.succeeded_at or r.started_at) > allowed[r.step].warn
    ]  # fmt: skip
    problems = [f"{r.step} {r.status}: {(r.reason or '').strip()[:200]}" for r in broken]
    problems += [f"{r.step} has not succeeded for {(as_of - (r.succeeded_at or r.started_at)).days} days" for r in late]
    return Finding(
        "runs", "error" if broken else "warn" if late else "ok",
        "; ".join(problems) or (f"the last run of all {len(rows)} steps succeeded" if rows else "no step has run yet"),
        len(broken) + len(late), tuple(r.run_id for r in broken[:5]),
        "open the run in the web UI; running the job again continues where it stopped" if problems else "",
    )  # fmt: skip


def triggers(rows: Sequence[TriggerState]) -> Finding:
    """Evaluate whether a sensor or schedule stopped launching its job because its runs did not reduce the work."""
    given_up = [r for r in rows if r.given_up_at is not None]
    if not given_up:
        return Finding("triggers", "ok", "no sensor or schedule has given up launching its job")
    message = "; ".join(
        f"{r.name} has not launched {r.job} since {r.given_up_at:%Y-%m-%d %H:%M} UTC ({r.reason})" for r in given_up
    )
    jobs = ", ".join(sorted({r.job for r in given_up}))
    return Finding(
        "triggers", "error", message, len(given_up), tuple(r.name for r in given_up[:5]),
        f"correct the error of the job's last run, then launch it (web UI, Jobs: {jobs}; or movie-assets refresh): "
        "once there is less work the trigger launches it again",
    )  # fmt: skip


def calls(rows: Sequence[CallCount]) -> Finding:
    """Evaluate the calls to TMDB of a day. Status 429 is no failure, as the call is repeated."""
    by_status = {r.status: r.calls for r in rows}
    total, slowed = sum(by_status.values()), by_status.get("429", 0)
    failed = {status: count for status, count in by_status.items() if status not in ("200", "404", "429")}
    if not total:
        return Finding("calls", "ok", "no call to TMDB within 24 hours")
    share, is_slowed = sum(failed.values()) / total, slowed > MAX_SLOWED * total
    by_error = ", ".join(f"{status} {count:,}" for status, count in failed.items())
    next_steps = ["see pipeline.api_calls, and status.themoviedb.org"] if share > WARNING_SHARE else []
    if is_slowed:
        next_steps.append("lower MOVIE_ASSETS_TMDB_RATE; does something else use the same key?")
    return Finding(
        "calls", "error" if share > ERROR_SHARE else "warn" if share > WARNING_SHARE or is_slowed else "ok",
        f"{share:.1%} of {total:,} calls to TMDB within 24 hours failed" + (f" ({by_error})" if by_error else "")
        + (f"; {slowed / total:.1%} were asked to slow down" if slowed else ""),
        sum(failed.values()) + (slowed if is_slowed else 0), next_step="; ".join(next_steps),
    )  # fmt: skip


def heartbeats(rows: Sequence[Heartbeat], as_of: datetime, decided_at: datetime | None = None) -> Finding:
    """Evaluate the heartbeats of sensors.

    `decided_at` is when a trigger last changed its decision if the settings name destinations of alerts, else None.
    """
    if not rows and decided_at and as_of - decided_at < ACTIVE_TRIGGERS:
        return Finding(
            "sensors", "warn", "nobody would receive an alert: something_broke_or_recovered has never run, "
            "though destinations of alerts are named and other sensors and schedules work", 1,
            ("something_broke_or_recovered",), "switch it on in the web UI, Automation",
        )  # fmt: skip
    if not rows:
        return Finding("sensors", "ok", "no sensor has sent a heartbeat yet")
    silent = [r for r in rows if as_of - r.beat_at > SILENT]
    dead = [r for r in silent if as_of - r.beat_at > DEAD]
    message = "; ".join(f"{r.name} has sent no heartbeat since {r.beat_at:%Y-%m-%d %H:%M} UTC" for r in silent)
    return Finding(
        "sensors", "error" if dead else "warn" if silent else "ok", message or f"all {len(rows)} send heartbeats",
        len(silent), tuple(r.name for r in silent[:5]),
        "is the daemon running, and are they switched on in the web UI?" if silent else "",
    )  # fmt: skip


def destinations(rows: Sequence[UnreachableDestination], as_of: datetime) -> Finding:
    """Evaluate whether a destination has been unreachable for long.

    That is an error and not a warning, so that other destinations receive it whatever their least severity is.
    """
    down = [r for r in rows if as_of - r.failing_since > MAX_UNREACHED]
    message = "; ".join(
        f"{r.destination} has not been reached since {r.failing_since:%Y-%m-%d %H:%M} UTC, in {r.failures:,} attempts "
        f"({r.last_error})" for r in down
    )  # fmt: skip
    return Finding(
        "destinations", "error" if down else "ok",
        message or "no destination of alerts has been unreachable for an hour", len(down),
        tuple(r.destination for r in down[:5]),
        "correct its address or credential in the settings and restart the code location; "
        "movie-assets alert test sends a test message" if down else "",
    )  # fmt: skip
