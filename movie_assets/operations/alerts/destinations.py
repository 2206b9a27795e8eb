"""Where alerts go: a Slack-compatible webhook, a signed JSON webhook, mail; and the ping of a dead man's switch.

What a message says is `operations.alerts.messages`; whether and when one is sent is `automation.alerts`. Addresses
and keys are secrets: no error, log line or repr here holds one, nor anything that a server said, which may quote them.
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

SECONDS_TO_SEND = 15.0  # all of it: name look-up, connection, answer
MAX_RETRY_AFTER = 3600.0
WHSEC = "whsec_"


class Destination(Protocol):
    """Where a message can be sent. `name` is what tables and reports call it."""

    @property
    def name(self) -> str:
        """What tables and reports call it."""

    def send(self, message: Message) -> str:
        """Send; tells what happened. Raises DeliveryError."""


@dataclass(frozen=True)
class SlackWebhook:
    """An incoming webhook of Slack, Mattermost, Rocket.Chat, Discord (…/slack) or the like."""

    url: SecretStr
    name: str = "slack"

    def send(self, message: Message) -> str:
        """Post the text."""
        return _post(self.url, json.dumps(message.slack).encode(), {})


@dataclass(frozen=True)
class SignedWebhook:
    """An endpoint of one's own; signed as https://www.standardwebhooks.com describes."""

    url: SecretStr
    key: SecretStr
    name: str = "webhook"

    def send(self, message: Message) -> str:
        """Post the JSON with its id, its time and the signature of both and the body."""
        body = json.dumps(message.payload, ensure_ascii=False).encode()
        timestamp = str(int(message.made_at.timestamp()))
        headers = {
            "webhook-id": message.message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": signature(self.key.get_secret_value(), message.message_id, timestamp, body),
        }
        return _post(self.url, body, headers)


def signature(key: str, message_id: str, timestamp: str, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over "id.timestamp.body"; a key `whsec_…` is base64, any other is text."""
    secret = base64.b64decode(key.removeprefix(WHSEC)) if key.startswith(WHSEC) else key.encode()
    signed = b".".join([message_id.encode(), timestamp.encode(), body])
    return f"v1,{base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()}"


@dataclass(frozen=True)
class Destinations:
    """All that the settings name."""

    all: tuple[Destination, ...] = ()
    least_severity: str = "WARN"
    web_url: str = ""
    runbook_url: str = ""
    heartbeat_url: SecretStr | None = field(default=None)

    def ping(self) -> None:
        """Tell the dead man's switch, if there is one, that alerts are alive. Raises DeliveryError."""
        if self.heartbeat_url is not None:
            asyncio.run(_request("GET", self.heartbeat_url, None, {}))


def destinations_from(settings: Settings) -> Destinations:
    """The destinations that the settings name; none are an answer, too."""
    found: list[Destination] = []
    if settings.alert_slack_url:
        found.append(SlackWebhook(settings.alert_slack_url))
    if settings.alert_webhook_url and settings.alert_webhook_key:
        found.append(SignedWebhook(settings.alert_webhook_url, settings.alert_webhook_key))
    if settings.alert_smtp_url:
        found.append(Mail(settings.alert_smtp_url, settings.alert_mail_from or "", settings.alert_mail_to or ()))
    return Destinations(
        tuple(found), settings.alert_severity, settings.web_url, settings.runbook_url, settings.heartbeat_url
    )


def _post(url: SecretStr, body: bytes, headers: dict[str, str]) -> str:
    return asyncio.run(_request("POST", url, body, {"content-type": "application/json", **headers}))


async def _request(method: str, url: SecretStr, body: bytes | None, headers: dict[str, str]) -> str:
    """Make one request with a deadline for all of it; only the answer's status is read."""
    logging.getLogger("httpx").setLevel(logging.WARNING)  # at INFO it logs each address, which is the secret
    problem = ""
    try:
        async with asyncio.timeout(SECONDS_TO_SEND), httpx.AsyncClient(timeout=SECONDS_TO_SEND) as http:  # noqa: SIM117
            async with http.stream(method, url.get_secret_value(), content=body, headers=headers) as response:
                if response.is_success:
                    return f"answered {response.status_code}"
                wait = _seconds(response.headers.get("retry-after"))
                problem = f"it answered {response.status_code}"
    except TimeoutError:
        problem = f"no answer in {SECONDS_TO_SEND:.0f} s"
    except httpx.TimeoutException:
        problem = f"no answer in {SECONDS_TO_SEND:.0f} s"
    except httpx.ConnectError:
        problem = "no connection (no such host, nobody listening, or a certificate that is not trusted)"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        problem = f"the request failed ({type(error).__name__})"
    else:
        raise DeliveryError(problem, wait)
    # Raised here and not in the handler: an exception's context is stored too, and that one may hold the address.
    raise DeliveryError(problem)


def _seconds(retry_after: str | None) -> float:
    return min(seconds_asked_for(retry_after, datetime.now(UTC)) or 0.0, MAX_RETRY_AFTER)
