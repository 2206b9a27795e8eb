"""Settings of alerts: their destinations and the lowest severity. settings.py reads them with the others."""

import re
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from movie_assets.config.setting_values import MailServer, SecretUrl, SigningKey, Url, Words


class AlertSettings(BaseModel, defer_build=True):
    """The part of the configuration that is about alerts."""

    web_url: Url = Field(
        "http://127.0.0.1:3000",
        alias="MOVIE_ASSETS_WEB_URL",
        description="Address of the web UI for people; links in alerts begin with it.",
    )
    alert_severity: Literal["WARN", "ERROR"] = Field(
        "WARN",
        alias="MOVIE_ASSETS_ALERT_SEVERITY",
        description="Which alerts are sent: `WARN` and worse, or `ERROR` only.",
    )
    alert_slack_url: SecretUrl = Field(
        None,
        alias="MOVIE_ASSETS_ALERT_SLACK_URL",
        description="Incoming webhook of Slack, or of a compatible service (Mattermost, Rocket.Chat, Discord).",
    )
    alert_webhook_url: SecretUrl = Field(
        None,
        alias="MOVIE_ASSETS_ALERT_WEBHOOK_URL",
        description="Address to which alerts are posted as signed JSON.",
    )
    alert_webhook_key: SigningKey = Field(
        None,
        alias="MOVIE_ASSETS_ALERT_WEBHOOK_KEY",
        description="Key with which they are signed (HMAC-SHA256): `whsec_` and base64, or any text.",
    )
    alert_smtp_url: MailServer = Field(
        None,
        alias="MOVIE_ASSETS_ALERT_SMTP_URL",
        description="Mail server for alerts: `smtp://user:password@host:587` (STARTTLS), `smtps://…:465` (TLS), or "
        "`smtp+plain://host:25` (neither, no password). Special characters percent-encoded.",
    )
    alert_mail_from: str | None = Field(
        None, alias="MOVIE_ASSETS_ALERT_MAIL_FROM", description="Sender of alert mails."
    )
    alert_mail_to: Words | None = Field(
        None, alias="MOVIE_ASSETS_ALERT_MAIL_TO", description="Their recipients, separated by blanks or commas."
    )
    heartbeat_url: SecretUrl = Field(
        None,
        alias="MOVIE_ASSETS_HEARTBEAT_URL",
        description="Address of a dead man's switch (healthchecks.io or similar). The alerts' sensor requests it "
        "with GET in each tick, so that the service reports when the daemon is down or no alert can be delivered.",
    )

    @model_validator(mode="after")
    def _alerts_can_be_sent(self) -> Self:
        if bool(self.alert_webhook_url) != bool(self.alert_webhook_key):
            raise ValueError("MOVIE_ASSETS_ALERT_WEBHOOK_URL and MOVIE_ASSETS_ALERT_WEBHOOK_KEY go together")
        if self.alert_smtp_url and not (self.alert_mail_from and self.alert_mail_to):
            raise ValueError(
                "MOVIE_ASSETS_ALERT_SMTP_URL needs MOVIE_ASSETS_ALERT_MAIL_FROM and MOVIE_ASSETS_ALERT_MAIL_TO"
            )
        for address in (self.alert_mail_from or "", *(self.alert_mail_to or ())):
            if address and not re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+", address):
                raise ValueError("MOVIE_ASSETS_ALERT_MAIL_FROM and _TO are bare addresses: name@example.org")
        return self
