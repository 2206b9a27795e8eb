"""Destinations of alerts: a Slack-compatible webhook, a signed JSON webhook, mail; and the ping of a dead man's switch.

`operations.alerts.messages` has the content of messages; `operations.alerts.delivery` decides what is sent when.
Addresses and keys are secrets: no error, log line or repr contains one, nor a server's response, which may quote them.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

import httpx
from pydantic import SecretStr

from movie_assets.config.settings import Settings
from movie_assets.http_client.backoff import seconds_asked_for
from movie_assets.operations.alerts.mail import Mail
from movie_assets.operations.alerts.messages import DeliveryError, Message

SECONDS_TO_SEND = 15.0  # for name resolution, connection, request and response together
MAX_RETRY_AFTER = 3600.0  # seconds
WHSEC = "whsec_"  # prefix of a key in base64


class Destination(Protocol):
    """A destination of messages."""

    @property
    def name(self) -> str:
        """The name of the destination in tables and reports."""

    def send(self, message: Message) -> str:
        """Send a message, and return a description of the response. Raises DeliveryError."""


@dataclass(frozen=True)
class SlackWebhook:
    """An incoming webhook of Slack, or a compatible one of Mattermost, Rocket.Chat or Discord (…/slack)."""

    url: SecretStr
    name: str = "slack"

    def send(self, message: Message) -> str:
        """Post the message's text as Slack's JSON."""
        return _post(self.url, json.dumps(message.slack).encode(), {})


@dataclass(frozen=True)
class SignedWebhook:
    """A webhook that receives JSON, signed as https://www.standardwebhooks.com describes."""

    url: SecretStr
    key: SecretStr
    name: str = "webhook"

    def send(self, message: Message) -> str:
        """Post the message as JSON; its headers have the id, the time, and the signature of both and the body."""
        body = json.dumps(message.payload, ensure_ascii=False).encode()
        timestamp = str(int(message.made_at.timestamp()))
        headers = {
            "webhook-id": message.message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": signature(self.key.get_secret_value(), message.message_id, timestamp, body),
        }
        return _post(self.url, body, headers)


def signature(key: str, message_id: str, timestamp: str, body: bytes) -> str:
    """Return `v1,` and the base64 of HMAC-SHA256 over "id.timestamp.body".

    A key that begins with `whsec_` is base64; any other key is text.
    """
    secret = base64.b64decode(key.removeprefix(WHSEC)) if key.startswith(WHSEC) else key.encode()
    signed = b".".join([message_id.encode(), timestamp.encode(), body])
    return f"v1,{base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()}"


@dataclass(frozen=True)
class Destinations:
    """The destinations of the settings, the least severity that they receive, and the addresses for links."""

    all: tuple[Destination, ...] = ()
    least_severity: str = "WARN"
    web_url: str = ""
    runbook_url: str = ""
    heartbeat_url: SecretStr | None = field(default=None)

    def ping(self) -> None:
        """Request the address of the dead man's switch, if there is one. Raises DeliveryError."""
        if self.heartbeat_url is not None:
            asyncio.run(_request("GET", self.heartbeat_url, None, {}))


def destinations_from(settings: Settings) -> Destinations:
    """Return the destinations that the settings name, which may be none."""
    named: list[Destination] = []
    if settings.alert_slack_url:
        named.append(SlackWebhook(settings.alert_slack_url))
    if settings.alert_webhook_url and settings.alert_webhook_key:
        named.append(SignedWebhook(settings.alert_webhook_url, settings.alert_webhook_key))
    if settings.alert_smtp_url:
        named.append(Mail(settings.alert_smtp_url, settings.alert_mail_from or "", settings.alert_mail_to or ()))
    return Destinations(
        tuple(named), settings.alert_severity, settings.web_url, settings.runbook_url, settings.heartbeat_url
    )


def _post(url: SecretStr, body: bytes, headers: dict[str, str]) -> str:
    return asyncio.run(_request("POST", url, body, {"content-type": "application/json", **headers}))


async def _request(method: str, url: SecretStr, body: bytes | None, headers: dict[str, str]) -> str:
    """Make one request with a deadline for all of it, and return its status; the response's body is not read."""
    logging.getLogger("httpx").setLevel(logging.WARNING)  # at INFO it logs addresses, which are secrets
    problem = ""
    try:
        async with asyncio.timeout(SECONDS_TO_SEND), httpx.AsyncClient(timeout=SECONDS_TO_SEND) as http:  # noqa: SIM117
            async with http.stream(method, url.get_secret_value(), content=body, headers=headers) as response:
                if response.is_success:
                    return f"answered {response.status_code}"
                wait = _seconds(response.headers.get("retry-after"))
                problem = f"it answered {response.status_code}"
    except (TimeoutError, httpx.TimeoutException):
        problem = f"no response within {SECONDS_TO_SEND:.0f} s"
    except httpx.ConnectError:
        problem = "no connection (no such host, nobody listening, or a certificate that is not trusted)"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        problem = f"the request failed ({type(error).__name__})"
    else:
        raise DeliveryError(problem, wait)
    # Raised outside the handlers: an exception's context is stored, too, and may contain the address.
    raise DeliveryError(problem)


def _seconds(retry_after: str | None) -> float:
    """Return the seconds that a header Retry-After asks to wait, an hour at most."""
    return min(seconds_asked_for(retry_after, datetime.now(UTC)) or 0.0, MAX_RETRY_AFTER)
