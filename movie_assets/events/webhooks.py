"""Delivers the catalogue's events to webhooks: up to a hundred events a request, in their order, for each subscription.

What a request contains is stored before it is sent, and its success after it. So each event is delivered at least once,
again only if the process is killed between the response and its storing, and never after a stored success. A request
that is sent again has the same id and the same events.
"""

import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa

from movie_assets.config.webhook_settings import Webhook
from movie_assets.database.database import Database
from movie_assets.http_client.webhooks import DeliveryError, post_signed

MAX_EVENTS = 100  # of a request
SECONDS_OF_A_TICK = 20.0  # after which no further request is begun
WEBHOOKS_LOCK = 0x7765_6268  # "webh"; any number that no other lock has


class DueEvent(NamedTuple):
    """An event of the request that a subscription receives next."""

    sequence: int
    occurred_at: datetime
    title_id: int
    key: str
    media_type: str
    kind: str
    fields: list[str] | None
    payload: dict[str, object]


class DueRequest(NamedTuple):
    """The number of the last event of the request that was begun."""

    sending_to: int


@contextmanager
def webhooks_lock(database: Database) -> Iterator[bool]:
    """Try to take the lock on deliveries; yield whether it was taken. Two processes would send the same events."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        try:
            yield bool(connection.scalar(sa.select(sa.func.pg_try_advisory_lock(WEBHOOKS_LOCK))))
        finally:
            connection.invalidate()  # closes it, which frees the lock


def deliver_events(database: Database, webhooks: Sequence[Webhook]) -> list[str]:
    """Send each subscription the events that it has not received, all at the same time; describe the outcomes.

    A new subscription receives what happens from now on. One whose last request failed is left out until its next
    attempt is due.
    """
    if not webhooks:
        return []
    database.execute("add_webhooks", names=[each.name for each in webhooks])
    until = time.monotonic() + SECONDS_OF_A_TICK
    with ThreadPoolExecutor(len(webhooks)) as threads:
        return [each for each in threads.map(lambda webhook: _deliver(database, webhook, until), webhooks) if each]


def filters_of(webhook: Webhook) -> dict[str, list[str] | None]:
    """Return the parameters of queries for the events of a subscription; None stands for all."""
    return {"kinds": list(webhook.kinds) or None, "media": list(webhook.media) or None}


def _deliver(database: Database, webhook: Webhook, until: float) -> str:
    """Send requests until nothing is left, one fails or the time is over; return what was done."""
    delivered = 0
    while time.monotonic() < until:
        now = datetime.now(UTC)
        begun = database.execute_returning(
            DueRequest, "begin_webhook_request", name=webhook.name, most=MAX_EVENTS, as_of=now, **filters_of(webhook)
        )
        if not begun:
            break
        events = database.fetch(DueEvent, "events_of_webhook_request", name=webhook.name, **filters_of(webhook))
        try:
            if events:  # none is left if they were deleted meanwhile
                _send(webhook, events, now)
        except DeliveryError as error:
            database.execute(
                "record_webhook_failure", name=webhook.name, error=str(error), retry_after=error.retry_after, as_of=now
            )
            return f"{webhook.name} received {delivered:,} events, then failed: {error}"
        database.execute(
            "record_webhook_success", name=webhook.name, sent_to=begun[0].sending_to, events=len(events), as_of=now
        )
        delivered += len(events)
    return f"{webhook.name} received {delivered:,} events" if delivered else ""


def _send(webhook: Webhook, events: Sequence[DueEvent], now: datetime) -> None:
    """Post one request. Raises DeliveryError."""
    message_id = f"{webhook.name}-{events[0].sequence}-{events[-1].sequence}"
    listed = [{**event._asdict(), "occurred_at": event.occurred_at.isoformat()} for event in events]
    body = json.dumps({"webhook": webhook.name, "events": listed}, ensure_ascii=False).encode()
    post_signed(webhook.url, webhook.key, message_id, now, body)
