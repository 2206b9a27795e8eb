"""The events of the catalogue, which are compared with it each day.

Triggers write them, each in the transaction of its change (sql/events/events.sql). `movie_ids` deletes them after
ninety days, with all that TMDB's terms do not allow to keep. `webhooks` delivers them.
"""

from datetime import timedelta
from typing import NamedTuple

import dagster as dg

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.events.webhooks import filters_of
from movie_assets.runs.metadata_tables import shown_table
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of

MAX_DELAY = timedelta(hours=1)  # of the delivery to a webhook


class KindCount(NamedTuple):
    """The number of stored events of a kind, and of those of the last day."""

    kind: str
    events: int
    of_last_day: int


class Replay(NamedTuple):
    """The comparison of the catalogue with its events; `examples` names titles that differ, and their fields."""

    titles: int
    differing: int
    examples: list[str]


class WebhookState(NamedTuple):
    """How long the oldest event that a webhook has not received waits, and what was lost.

    `lost_to` is the number of the last event that was deleted before it was delivered; null if none was.
    """

    waiting_seconds: float
    last_error: str | None
    lost_to: int | None


@dg.asset(group_name="catalogue", kinds={"postgres"}, deps=["movie_details"])
@logged()
def events(context: dg.AssetExecutionContext, database: dg.ResourceParam[Database]) -> dg.MaterializeResult[None]:
    """A change of the catalogue: a title was added, changed or left, or an episode came. Kept for ninety days.

    Changes write their events themselves; a run counts them. Popularity and votes make no events.
    """
    counts = database.fetch(KindCount, "count_events", since=run_time_of(context.run) - timedelta(days=1))
    kinds = shown_table(("kind", "events", "of the last day"), [tuple(each) for each in counts])
    return dg.MaterializeResult(metadata={"kinds": kinds})


@dg.asset_check(asset=events)
def events_replay(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """The titles and fields that follow from the events are those of the catalogue."""
    replay = database.fetch_one(Replay, "compare_events")
    return dg.AssetCheckResult(
        passed=replay.differing == 0,
        description=f"{replay.differing:,} of {replay.titles:,} titles differ from their events: "
        + "; ".join(replay.examples)
        if replay.differing
        else None,
        metadata={"titles": replay.titles, "differing": replay.differing},
    )


@dg.asset_check(asset=events)
def webhooks_keep_up(
    context: dg.AssetCheckExecutionContext,
    database: dg.ResourceParam[Database],
    settings: dg.ResourceParam[Settings],
) -> dg.AssetCheckResult:
    """Each webhook has received every event that is older than an hour, and none was deleted before."""
    problems, waiting = [], 0.0
    for webhook in settings.webhooks:
        state = database.fetch_optional(
            WebhookState, "webhook_state", name=webhook.name, as_of=run_time_of(context.run), **filters_of(webhook)
        )
        if state is None:
            continue  # the sensor has not seen it yet
        waiting = max(waiting, state.waiting_seconds)
        if state.waiting_seconds > MAX_DELAY.total_seconds():
            hours = state.waiting_seconds / 3600
            reason = state.last_error or "the sensor that delivers them does not run"
            problems.append(f"{webhook.name} has not received events for {hours:.1f} hours ({reason})")
        if state.lost_to is not None:
            problems.append(f"{webhook.name} never received events up to {state.lost_to}, which were deleted")
    return dg.AssetCheckResult(
        passed=not problems,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(problems) or None,
        metadata={"webhooks": len(settings.webhooks), "seconds_waiting": round(waiting)},
    )
