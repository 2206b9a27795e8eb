"""Sends each destination the alerts that it has not received, to all destinations at the same time."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from movie_assets.database.database import Database
from movie_assets.http_client.webhooks import DeliveryError
from movie_assets.operations.alerts import history
from movie_assets.operations.alerts.destinations import Destination, Destinations
from movie_assets.operations.alerts.messages import Message


def deliver(database: Database, destinations: Destinations, now: datetime) -> list[str]:
    """Send one message to each destination that has undelivered alerts and whose next attempt is due.

    Returns a description of the outcome for each message. It takes as long as the slowest destination, which has a
    deadline of its own.
    """
    history.update_destinations(database, [destination.name for destination in destinations.all], now)
    messages = []
    for destination in destinations.all:
        entries = history.undelivered(database, destination.name, destinations.least_severity, now)
        if entries:
            messages.append((destination, Message(entries, now, destinations.web_url, destinations.runbook_url)))
    outcomes = []
    for (destination, message), outcome in zip(messages, send_all(messages), strict=True):
        if isinstance(outcome, DeliveryError):
            history.record_delivery_failure(database, destination.name, outcome, now)
            outcomes.append(f"the message to {destination.name} failed ({message.title}): {outcome}")
        else:
            history.record_delivery(database, destination.name, message.entries, now)
            outcomes.append(f"a message was sent to {destination.name} ({message.title}): {outcome}")
    return outcomes


def send_all(messages: Sequence[tuple[Destination, Message]]) -> list[str | DeliveryError]:
    """Send each message in a thread of its own; return for each the destination's response or the error."""
    if not messages:
        return []
    with ThreadPoolExecutor(len(messages)) as threads:
        return list(threads.map(lambda pair: _send(*pair), messages))


def _send(destination: Destination, message: Message) -> str | DeliveryError:
    try:
        return destination.send(message)
    except DeliveryError as error:
        return error
