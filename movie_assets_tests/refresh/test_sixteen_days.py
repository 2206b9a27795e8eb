"""Sixteen days of a moving world with an outage and a broken export: the catalogue ends as the truth, at hardly a call
more than it takes.

The truth is the emulator's world itself, read without HTTP; what a call was good for is worked out here from that
truth and from the days on which a film was asked for, not from what the pipeline believes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import dagster as dg
import pytest

from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.emulator.moving_world import MovingWorld
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.conftest import Pipeline, database_of_ones_own, settings_for
from movie_assets_tests.soak.truth import accepted, worth_a_look

FIRST = date(2026, 10, 1)
DAYS = 16
OUTAGE = (4, 5)
FAULTS = {number: {"503": 1.0, "export_missing": 1.0} for number in OUTAGE} | {9: {"export_half": 1.0}}
IDS = 1200
LOWEST_AVERAGE, OLDEST_RELEASE, LANGUAGES = (
    5.0,
    "1990-01-01",
    {"en", "es", "fr", "de", "it", "ja", "ko"},
)  # of `quality`
TIERS = ((30, 2), (180, 7), (365, 14))  # released in the last so many days: stale after so many


@dataclass
class Ledger:
    """What was asked for when, and which of it had to be asked for."""

    world: MovingWorld
    last_asked: dict[int, date] = field(default_factory=dict)
    accepted: set[int] = field(default_factory=set)
    changed: set[int] = field(default_factory=set)  # by TMDB's feed, and not asked for since

    def due(self, day: date) -> set[int]:
        """Ids that a perfect reader would ask for on a day: new, changed, or older than their age allows.

        TMDB's lists say a film's average, date and language, so that no call is needed to reject it for one of them.
        """
        return {i for i in worth_a_look(self.world, day) if self._passes_by_the_lists(i, day) and self._is_due(i, day)}

    def _passes_by_the_lists(self, tmdb_id: int, day: date) -> bool:
        film = self.world.detail(tmdb_id, day)
        return film is None or (
            film["vote_average"] >= LOWEST_AVERAGE
            and film["release_date"] >= OLDEST_RELEASE
            and film["original_language"] in LANGUAGES
        )

    def _is_due(self, tmdb_id: int, day: date) -> bool:
        asked = self.last_asked.get(tmdb_id)
        if asked is None or tmdb_id in self.changed:
            return True
        film = self.world.detail(tmdb_id, asked)
        if film is None or tmdb_id not in self.accepted:
            return False
        released = date.fromisoformat(film["release_date"])
        days = next((days for within, days in TIERS if released > day - timedelta(days=within)), 30)
        return (day - asked).days >= days


@dataclass
class Weeks:
    """The pipeline after the days, with the calls for details that it made and those that it had to make."""

    pipeline: Pipeline
    world: MovingWorld
    ledger: Ledger
    calls: int = 0
    needed: int = 0
    failed_days: list[int] = field(default_factory=list)


@pytest.fixture(scope="module")
def weeks(server: str, template: str) -> Iterator[Weeks]:
    """Live through the days, once for the module."""
    patch = pytest.MonkeyPatch()
    patch.setattr("movie_assets.http_client.retries.backoff", lambda *_: 0.01)
    world = MovingWorld(IDS, seed=5)
    options = EmulatorOptions(today=FIRST, rate_limit=0)
    with (
        database_of_ones_own(server, template) as database,
        TmdbEmulator(options, world=world) as tmdb_emulator,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        pipeline = Pipeline(database, settings_for(tmdb_emulator), instance, LocalEmbedder("hashing-v1", 64), FIRST)
        yield live(pipeline, tmdb_emulator, world)
    patch.undo()


def live(pipeline: Pipeline, tmdb_emulator: TmdbEmulator, world: MovingWorld) -> Weeks:
    """Run the pipeline day by day as `movie-assets refresh` does, and keep the ledger beside it."""
    weeks = Weeks(pipeline, world, Ledger(world))
    ledger, unread = weeks.ledger, []
    for number in range(DAYS):
        pipeline.day = tmdb_emulator.today = FIRST + timedelta(days=number)
        unread.append(pipeline.day)
        tmdb_emulator.faults = FAULTS.get(number, {})
        read = pipeline.run("read_the_day")
        if number not in OUTAGE:  # the feed of a missed day is read on the next one that can be
            ledger.changed.update(change.tmdb_id for day in unread for change in world.changes(day))
            unread = []
        if not read.success:
            weeks.failed_days.append(number)
            continue
        due = ledger.due(pipeline.day)
        weeks.needed += len(due)
        assert all(pipeline.run(job).success for job in ("fetch_details", "embed_texts", "publish")), number
        ledger.last_asked |= dict.fromkeys(due, pipeline.day)
        ledger.changed -= due
        ledger.accepted = set(first_column(pipeline, "select tmdb_id from pipeline.movie_ids where state = 'accepted'"))
    weeks.calls = sum(count for status, count in tmdb_emulator.requests["movie"].items() if status in (200, 404))
    return weeks


def first_column(pipeline: Pipeline, sql: str) -> list[Any]:
    with pipeline.database.transaction() as connection:
        return list(connection.exec_driver_sql(sql).scalars())


def truth(weeks: Weeks) -> dict[int, tuple[str, str, float, int]]:
    """Every film that belongs in the catalogue on the last day: title, hash of its text, average and votes."""
    films = accepted(weeks.world, weeks.pipeline.day, weeks.pipeline.settings.thresholds)
    return {
        tmdb_id: (each.title.title, each.text_hash, each.title.vote_average, each.title.vote_count)
        for tmdb_id, each in films.items()
    }


def test_the_catalogue_is_the_truth_of_the_last_day(weeks: Weeks) -> None:
    with weeks.pipeline.database.transaction() as connection:
        found = connection.exec_driver_sql(
            "select tmdb_id, title, text_hash, vote_average, vote_count "
            "from catalog.movies join catalog.movie_stats using (tmdb_id)"
        )
        catalogue = {row.tmdb_id: tuple(row)[1:] for row in found}
    assert len(catalogue) > 300
    assert catalogue == truth(weeks)


def test_searches_see_the_truth_of_the_last_day(weeks: Weeks) -> None:
    found = first_column(weeks.pipeline, "select tmdb_id from catalog.movie_vectors order by 1")
    assert found == sorted(truth(weeks))
    assert first_column(weeks.pipeline, "select text_hash from catalog.movie_vectors order by tmdb_id") == [
        film[1] for _, film in sorted(truth(weeks).items())
    ]


def test_hardly_a_call_is_made_that_was_not_needed(weeks: Weeks) -> None:
    assert weeks.needed > 1000
    assert weeks.needed <= weeks.calls <= 1.05 * weeks.needed


def test_only_the_days_fail_on_which_tmdb_failed(weeks: Weeks) -> None:
    assert weeks.failed_days == sorted(FAULTS)


def test_films_came_and_went_and_changed_meanwhile(weeks: Weeks) -> None:
    changes = first_column(weeks.pipeline, "select distinct state_before || ' → ' || state from pipeline.id_history")
    assert {"accepted → gone", "candidate → accepted", "accepted → rejected", "rejected → accepted"} <= set(changes)
