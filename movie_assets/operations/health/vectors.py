"""Findings on embeddings and their index: each function turns the rows of one query into a finding."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from movie_assets.embeddings.bulk_progress import BulkJobState, described
from movie_assets.embeddings.server_limits import model_changed
from movie_assets.operations.health.findings import ERROR_SHARE, Finding, first_texts
from movie_assets.operations.health.rows import SetTexts, VectorIndex

MAX_BULK_AGE = timedelta(hours=26)  # the service ends a job after a day, done or not
MAX_BULK_SILENCE = timedelta(hours=2)  # runs ask for a job's state every half hour


def stale_embeddings(rows: Sequence[SetTexts]) -> Finding:
    """Evaluate how many films lack the vector of their text: in the active set, and in the one that is being built."""
    movies = rows[0].movies
    if movies and not any(r.is_active for r in rows):
        return Finding(
            "stale embeddings", "error", f"no embedding set is active, and there are {movies:,} films",
            movies, next_step="run the jobs embed_texts and publish",
        )  # fmt: skip
    late = [r for r in rows if r.stale or r.refused]
    if not late:
        waiting = max(r.missing for r in rows) if movies else 0
        message = f"{waiting:,} texts wait for their vectors, none for more than six hours"
        return Finding("stale embeddings", "ok", message if waiting else "every text has its vector")
    # Searches do not use the set that is being built, so a gap in it is a warning only.
    is_broken = any(r.is_active and r.stale > ERROR_SHARE * r.movies for r in late)
    return Finding(
        "stale embeddings", "error" if is_broken else "warn",
        "; ".join(
            f"{r.stale:,} texts have waited more than six hours for their vectors, {r.refused:,} were refused "
            f"({_set(r)})" for r in late
        ),
        max(r.stale + r.refused for r in late), first_texts(late[0].examples),
        "run the job embed_texts; movie-assets cost estimates its cost",
    )  # fmt: skip


def embedding_runs(rows: Sequence[SetTexts]) -> Finding:
    """Evaluate the last run of each set that still lacks vectors.

    A service that embeds the one word of a health check can still refuse every text, or its quota can be used up.
    """
    with_problem = [r for r in rows if r.run_texts and r.missing and r.problem is not None]
    without_result = [r for r in with_problem if not r.run_embedded]
    stopped = [r for r in with_problem if 0 < r.run_embedded < r.run_texts - r.run_refused - r.run_in_flight]
    bad = without_result or stopped
    changed = [
        (f"{model_changed(r.begun_by, r.answered_by)} ({_set(r)})", r.run_id)
        for r in rows if r.begun_by and r.answered_by and r.answered_by != r.begun_by
    ]  # fmt: skip
    if changed and not bad:
        return Finding(
            "embedder", "warn", "; ".join(message for message, _ in changed), len(changed),
            tuple(run_id for _, run_id in changed),
            "let the service use the former model, or embed all texts again: the job embed_texts with force: true",
        )  # fmt: skip
    if not bad:
        good = [f"the last run embedded {r.run_embedded:,} texts ({_set(r)})" for r in rows if r.run_embedded]
        return Finding("embedder", "ok", "; ".join(good) or "no text waits that a run could not embed")
    return Finding(
        "embedder", "error" if without_result else "warn",
        "; ".join(
            f"the last run, ended {r.ended_at:%Y-%m-%d %H:%M} UTC, embedded {r.run_embedded or 'none'} of "
            f"{r.run_texts:,} texts ({_set(r)}): {r.problem}" for r in bad
        ),
        max(r.missing for r in bad), tuple(r.run_id for r in bad),
        "correct the problem that the service's message names, then run the job embed_texts",
    )  # fmt: skip


def bulk_jobs(rows: Sequence[BulkJobState], as_of: datetime) -> Finding:
    """Evaluate the bulk jobs at the embeddings service: each ends within a day, and runs ask for its state."""
    at_work = [r for r in rows if r.ended_at is None]
    late = [r for r in at_work if as_of - r.sent_at > MAX_BULK_AGE]
    forgotten = [r for r in at_work if as_of - (r.seen_at or r.sent_at) > MAX_BULK_SILENCE]
    message = "; ".join(described(r) for r in rows) or "no batch is at the embeddings service"
    names = tuple(f"batch {r.bulk_id}" for r in forgotten or late)
    if forgotten:
        return Finding(
            "bulk jobs", "warn", f"no run has asked for {', '.join(names)} for two hours ({message})",
            len(forgotten), names,
            "run the job embed_texts; is the sensor texts_are_not_embedded on?",
        )  # fmt: skip
    if late:
        return Finding(
            "bulk jobs", "warn", f"{', '.join(names)} should have ended within a day ({message})", len(late), names,
            "look at it at the service; if it is cancelled there, the next run sends its texts again",
        )  # fmt: skip
    return Finding("bulk jobs", "ok", message)


def _set(row: SetTexts) -> str:
    return f"set {row.name}, {'searched' if row.is_active else 'being built'}"


def index(vectors: VectorIndex) -> Finding:
    """Evaluate whether the active set has a valid index, if it needs one."""
    if not vectors.vectors:
        return Finding("index", "ok", "there are no vectors yet")
    if not vectors.is_needed:
        return Finding("index", "ok", f"searches compare all {vectors.vectors:,} vectors, which need no index")
    if vectors.has_index and vectors.is_valid:
        return Finding("index", "ok", f"the index over {vectors.vectors:,} vectors is valid")
    problem = "was not built completely" if vectors.has_index else "is missing"
    return Finding(
        "index", "error", f"the index over {vectors.vectors:,} vectors {problem}: searches compare all of them",
        vectors.vectors, next_step="run the job publish: movie_vectors builds it",
    )  # fmt: skip
