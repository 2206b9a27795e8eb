"""The text of a message, in each of its forms."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from movie_assets.operations.alerts.messages import MAX_ENTRIES, Entry, Message

RUNBOOK = "https://code.test/docs/runbook.md"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def entry(event: str = "broken", **changes: Any) -> Entry:
    values: dict[str, Any] = {
        "alert_id": 1, "event": event, "kind": "check", "place": "movie_details", "name": "it_holds",
        "severity": "WARN", "message": "3 <b> & more", "expected": "At most 2 %.",
        "figures": {"films": 1200, "share": 0.05}, "link": "/assets/movie_details", "since": NOW - timedelta(hours=3),
        **changes,
    }  # fmt: skip
    return Entry(**values)


def message(*entries: Entry) -> Message:
    return Message(entries, NOW, "https://web.test", RUNBOOK)


def test_a_mail_says_all_that_there_is_to_know() -> None:
    assert message(entry()).text == (
        "1 broken: movie_details: it_holds\n\n"
        "movie_details: it_holds: WARN, since 2026-11-25 09:00 UTC\n"
        "    3 <b> & more\n"
        "    expected: At most 2 %.\n"
        "    figures: films 1,200, share 0.05\n"
        "    what to do: https://code.test/docs/runbook.md#it_holds\n"
        "    https://web.test/assets/movie_details\n"
    )


def test_slack_gets_a_link_and_no_markup_of_ours() -> None:
    assert message(entry()).slack == {
        "text": "*1 broken: movie_details: it_holds*\n"
        "• <https://web.test/assets/movie_details|movie_details: it_holds>: WARN, since 2026-11-25 09:00 UTC\n"
        "    3 &lt;b&gt; &amp; more\n"
        "    expected: At most 2 %.\n"
        "    figures: films 1,200, share 0.05\n"
        "    what to do: https://code.test/docs/runbook.md#it_holds"
    }


@pytest.mark.parametrize(
    ("until", "ending"),
    [
        (timedelta(minutes=-150), "(30 min)"),
        (timedelta(minutes=-1), "(2 h 59 min)"),
        (timedelta(days=5), "(5 days)"),
    ],
)
def test_a_recovery_says_how_long_it_lasted(until: timedelta, ending: str) -> None:
    sentence = entry("recovered", until=NOW + until).sentence
    assert sentence.startswith("recovered; it was broken from 2026-11-25 09:00 UTC until ")
    assert sentence.endswith(ending)


def test_what_was_removed_has_not_recovered() -> None:
    assert entry("recovered", until=NOW, is_removed=True).sentence.startswith("no longer exists")


def test_a_title_counts_what_happened() -> None:
    many = message(entry(), entry(), entry("worse"), entry("recovered"), entry("came_and_went"))
    assert many.title == "2 broken, 1 worse, 1 recovered, 1 came and went"


@pytest.mark.parametrize(
    ("kind", "heading"),
    [
        ("job", "run-failed"),
        ("backfill", "backfill-failed"),
        ("freshness", "freshness"),
        ("sensor", "sensor-stopped"),
        ("schedule", "sensor-stopped"),
        ("daemon", "sensor-stopped"),
    ],
)
def test_what_is_no_check_is_named_by_its_kind_and_has_its_kinds_heading(kind: str, heading: str) -> None:
    found = entry(kind=kind, place="", name="publish")
    assert found.subject == f"{kind} publish"
    assert message(found).payload["entries"][0]["runbook"] == f"{RUNBOOK}#{heading}"


def test_a_long_list_is_cut_and_says_so() -> None:
    long = message(*(entry(name=f"check_{n}") for n in range(MAX_ENTRIES + 5)))
    for text in (long.text, long.slack["text"]):
        assert text.endswith("… and 5 more: movie-assets alert list")
        assert text.count("what to do") == MAX_ENTRIES
    assert len(long.payload["entries"]) == MAX_ENTRIES + 5


def test_the_same_content_has_the_same_id() -> None:
    later = Message([entry()], NOW + timedelta(hours=1), "https://web.test", RUNBOOK)
    assert message(entry()).message_id == later.message_id
    assert message(entry()).message_id != message(entry("recovered")).message_id
    assert message(entry()).message_id != message(entry(severity="ERROR")).message_id
    assert message(entry("worse")).message_id != message(entry("worse", message="more of it")).message_id
