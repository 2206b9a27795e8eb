"""Destinations of alerts: a Slack-compatible webhook, a signed JSON webhook, mail; and the ping of a dead man's switch.

`operations.alerts.messages` has the content of messages; `operations.alerts.delivery` decides what is sent when.
Addresses and keys are secrets: no error, log line or repr contains one, nor a server's response, which may quote them.
"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import SecretStr

from movie_assets.config.settings import Settings
from movie_assets.http_client import webhooks
from movie_assets.operations.alerts.mail import Mail
from movie_assets.operations.alerts.messages import Message


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
        return webhooks.post(self.url, json.dumps(message.slack).encode(), {})


@dataclass(frozen=True)
class SignedWebhook:
    """A webhook that receives JSON, signed as https://www.standardwebhooks.com describes."""

    url: SecretStr
    key: SecretStr
    name: str = "webhook"

    def send(self, message: Message) -> str:
        """Post the message as JSON; its headers have the id, the time, and the signature of both and the body."""
        body = json.dumps(message.payload, ensure_ascii=False).encode()
        return webhooks.post_signed(self.url, self.key, message.message_id, message.made_at, body)


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
            asyncio.run(webhooks.request("GET", self.heartbeat_url, None, {}))


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
