"""Findings on embeddings and their index."""

from datetime import UTC, datetime
from typing import Any

import pytest

from movie_assets.operations.health import vectors
from movie_assets.operations.health.rows import SetTexts, VectorIndex

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HEALTHY = SetTexts(
    set_id=1, movies=100, missing=0, stale=0, refused=0, examples=None, name="openai a-model", is_active=True,
    begun_by=None, answered_by=None, run_texts=0, run_embedded=0, run_refused=0, run_in_flight=0, problem=None,
    ended_at=NOW, run_id="a-run",
)  # fmt: skip


def texts(**changes: Any) -> list[SetTexts]:
    """Return the row of the active set."""
    return [HEALTHY._replace(**changes)]


@pytest.mark.parametrize(
    ("rows", "severity"),
    [(texts(), "ok"), (texts(missing=5), "ok"), (texts(missing=1, refused=1), "warn"),
     (texts(missing=5, stale=5), "warn"), (texts(missing=30, stale=30), "error"), (texts(is_active=False), "error"),
     (texts(movies=0, is_active=False), "ok"), (texts() + texts(is_active=False, missing=30, stale=30), "warn"),
     (texts(missing=30, stale=30) + texts(is_active=False), "error")],
)  # fmt: skip
def test_texts_without_their_vector(rows: list[SetTexts], severity: str) -> None:
    assert vectors.stale_embeddings(rows).severity == severity


def test_not_every_text_has_its_vector_while_one_waits() -> None:
    messages = [vectors.stale_embeddings(texts(missing=missing)).message for missing in (0, 3)]
    assert messages == [
        "every text has its vector", "3 texts wait for their vectors, none for more than six hours",
    ]  # fmt: skip


def met(embedded: int, *, refused: int = 0, in_flight: int = 0, problem: str | None = None) -> dict[str, Any]:
    """What a run with ten texts met."""
    return {
        "run_texts": 10, "run_embedded": embedded, "run_refused": refused, "run_in_flight": in_flight,
        "problem": problem,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "severity"),
    [
        (texts(missing=10), "ok"),  # no run met anything yet
        (texts(missing=10, **met(0, problem="no quota")), "error"),
        (texts(missing=10, **met(0, refused=10, problem="too long")), "error"),
        (texts(missing=0, **met(0, problem="no quota")), "ok"),  # the films have left
        (texts(missing=6, **met(4, problem="no quota")), "warn"),
        (texts(missing=1, **met(9, refused=1, problem="too long")), "ok"),  # one text is to blame, not the service
        (texts(missing=10, **met(0, in_flight=10)), "ok"),
        (texts(missing=6, **met(4, in_flight=6)), "ok"),
        (texts(**met(10), begun_by="one", answered_by="one"), "ok"),
        (texts(**met(10), begun_by="one", answered_by="two"), "warn"),
        (texts(**met(10), begun_by="one"), "ok"),  # a service may give no name
        (texts(**met(10)) + texts(is_active=False, missing=10, **met(0, problem="no quota")), "error"),
    ],
)
def test_the_embedder_is_judged_by_what_the_last_run_of_each_set_met(rows: list[SetTexts], severity: str) -> None:
    found = vectors.embedding_runs(rows)
    assert found.severity == severity
    assert ("no quota" in found.message) == (severity != "ok" and any(row.problem == "no quota" for row in rows))


@pytest.mark.parametrize(
    ("index", "severity", "message"),
    [(VectorIndex(9, is_needed=True, has_index=True, is_valid=True), "ok", "is valid"),
     (VectorIndex(9, is_needed=True, has_index=False, is_valid=False), "error", "is missing"),
     (VectorIndex(9, is_needed=True, has_index=True, is_valid=False), "error", "not built completely"),
     (VectorIndex(9, is_needed=False, has_index=False, is_valid=False), "ok", "which need no index"),
     (VectorIndex(0, is_needed=False, has_index=False, is_valid=False), "ok", "no vectors yet")],
)  # fmt: skip
def test_the_index(index: VectorIndex, severity: str, message: str) -> None:
    found = vectors.index(index)
    assert message in found.message
    assert found.severity == severity


def test_a_finding_that_is_not_ok_says_what_to_do() -> None:
    assert vectors.stale_embeddings(texts(stale=9)).next_step
    assert vectors.embedding_runs(texts(missing=10, **met(0, problem="no quota"))).next_step
    assert vectors.index(VectorIndex(9, is_needed=True, has_index=False, is_valid=False)).next_step
