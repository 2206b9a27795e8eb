"""Telling: each destination what it has not been told, all at once, none waiting for another."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from movie_assets.database.database import Database
from movie_assets.operations.alerts import history as book
from movie_assets.operations.alerts.destinations import Destination, Destinations
from movie_assets.operations.alerts.messages import DeliveryError, Message


def tell(database: Database, destinations: Destinations, now: datetime) -> list[str]:
    """One message to each destination that has something to be told and whose next attempt is due.

    Tells what came of each. Takes no longer than the slowest of them, which its own deadline bounds.
    """
    book.keep_destinations(database, [destination.name for destination in destinations.all], now)
    messages = []
    for destination in destinations.all:
        entries = book.to_tell(database, destination.name, destinations.least_severity, now)
        if entries:
            messages.append((destination, Message(entries, now, destinations.web_url, destinations.runbook_url)))
    outcomes = []
    for (destination, message), outcome in zip(messages, send_all(messages), strict=True):
        if isinstance(outcome, DeliveryError):
            book.not_told(database, destination.name, outcome, now)
            outcomes.append(f"{destination.name} was not told ({message.title}): {outcome}")
        else:
            book.told(database, destination.name, message.entries, now)
            outcomes.append(f"{destination.name} was told ({message.title}): {outcome}")
    return outcomes


def send_all(messages: Sequence[tuple[Destination, Message]]) -> list[str | DeliveryError]:
    """Send each in a thread of its own; what happened, or why it did not arrive."""
    if not messages:
        return []
    with ThreadPoolExecutor(len(messages)) as threads:
        return list(threads.map(lambda pair: _sent(*pair), messages))


def _sent(destination: Destination, message: Message) -> str | DeliveryError:
    try:
        return destination.send(message)
    except DeliveryError as error:
        return error
