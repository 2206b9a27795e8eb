"""Messages to real servers on this machine: what they receive, and errors, which contain no secret."""

import logging
import re
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from movie_assets.config.settings import Settings, SettingsError
from movie_assets.http_client import webhooks
from movie_assets.http_client.webhooks import DeliveryError, signature
from movie_assets.operations.alerts import mail
from movie_assets.operations.alerts.destinations import (
    Destination,
    Destinations,
    SignedWebhook,
    SlackWebhook,
    destinations_from,
)
from movie_assets.operations.alerts.mail import Mail
from movie_assets.operations.alerts.messages import Entry, Message
from movie_assets_tests.listeners import Listener, Mailbox, listening, mailbox, self_signed

CANARY = "canary-of-a-secret"
KEY = "whsec_c2VjcmV0IG9mIHRoZSBob29r"
NOW = datetime.now(UTC)
ENTRY = Entry(
    7, "broken", "check", "movie_vectors", "the_index_is_valid", "ERROR", "growth é 2.5", "valid", {"growth": 2.5},
    "/assets/movie_vectors", NOW,
)  # fmt: skip
MESSAGE = Message([ENTRY], NOW, "http://web.test", "http://code.test/docs/runbook.md")
ALERTS_PAGE = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as opened:
        yield opened


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("certificate"))


def failure(destination: Destination) -> DeliveryError:
    with pytest.raises(DeliveryError) as failed:
        destination.send(MESSAGE)
    return failed.value


def slack(url: str) -> SlackWebhook:
    return SlackWebhook(SecretStr(url))


def to_box(box: Mailbox, scheme: str = "smtp", user: str = f"me:{CANARY}%40@") -> Mail:
    return Mail(SecretStr(f"{scheme}://{user}localhost:{box.port}"), "from@a.test", ("one@a.test", "two@a.test"))


def test_slack_gets_a_text(listener: Listener) -> None:
    assert slack(f"{listener.url}/services/T/B/x").send(MESSAGE) == "answered 200"
    (request,) = listener.received
    assert (request.method, request.path) == ("POST", "/services/T/B/x")
    assert request.headers["content-type"] == "application/json"
    assert request.json == MESSAGE.slack


@pytest.mark.parametrize("key", [KEY, "any text"])
def test_the_signature_is_what_the_documents_say(key: str, listener: Listener) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", ALERTS_PAGE, re.DOTALL)
    documented: dict[str, Any] = {}
    exec(code, documented)  # noqa: S102  # our own document's
    is_genuine: Callable[..., bool] = documented["is_genuine"]
    # Made now: the documented receiver refuses a message that is older than five minutes, as long as a suite takes.
    message = Message([ENTRY], datetime.now(UTC), MESSAGE.web_url, MESSAGE.runbook_url)
    SignedWebhook(SecretStr(listener.url), SecretStr(key)).send(message)
    (request,) = listener.received
    assert is_genuine(request.headers, request.body, key)
    assert not is_genuine(request.headers, request.body + b" ", key)
    assert not is_genuine(request.headers, request.body, "another key")
    assert not is_genuine({**request.headers, "webhook-timestamp": "1"}, request.body, key)
    assert request.headers["webhook-id"] == request.json["message_id"] == message.message_id


def test_the_signature_is_that_of_standard_webhooks() -> None:
    # The example of the specification's reference libraries.
    found = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}'
    )
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("status", [301, 400, 404, 410, 429, 500, 503])
def test_an_answer_that_is_no_success_is_a_failure(status: int, listener: Listener) -> None:
    listener.status, listener.headers = status, {"retry-after": "7", "location": "http://elsewhere.test"}
    error = failure(slack(listener.url))
    assert str(error) == f"it answered {status}"
    assert error.retry_after == 7
    assert len(listener.received) == 1


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [("1.5", 1.5, 1.5), ("86400", 3600, 3600), ("9" * 400, 3600, 3600), ("date", 100, 120)],
)
def test_a_retry_after_of_any_form_is_kept_to(asked: str, least: float, most: float, listener: Listener) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=120), usegmt=True)
    listener.status, listener.headers = 503, {"retry-after": later if asked == "date" else asked}
    assert least <= failure(slack(listener.url)).retry_after <= most


@pytest.mark.parametrize("asked", ["soon", "-1", "nan", "0", ""])
def test_an_odd_retry_after_is_passed_over(asked: str, listener: Listener) -> None:
    listener.status, listener.headers = 503, {"retry-after": asked}
    assert failure(slack(listener.url)).retry_after == 0


def test_a_server_that_drips_is_left_after_the_deadline(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "SECONDS_TO_SEND", 0.5)
    listener.drip = 0.1
    started = time.monotonic()
    assert "no response" in str(failure(slack(listener.url)))
    assert time.monotonic() - started < 3


def test_nobody_listening_is_told() -> None:
    assert str(failure(slack("http://127.0.0.1:1/x"))).startswith("no connection")


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_mail_travels_encrypted_and_logged_in(
    scheme: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mailbox(certificate, tls_at_once=scheme == "smtps") as box:
        assert to_box(box, scheme).send(MESSAGE) == "accepted"
        ((sender, recipients, received),) = box.mails
    assert box.was_secure == [True]
    assert box.log_ins == [("me", f"{CANARY}@")]
    assert (sender, recipients) == ("from@a.test", ["one@a.test", "two@a.test"])
    assert received["subject"] == "[movie_assets] 1 broken: movie_vectors: the_index_is_valid"
    assert received["message-id"] == f"<{MESSAGE.message_id}@movie-assets.invalid>"
    assert received["auto-submitted"] == "auto-generated"
    assert received.get_content().replace("\r", "") == MESSAGE.text  # type: ignore[attr-defined]


def test_a_mail_may_go_to_a_relay_without_a_password() -> None:
    with mailbox() as box:
        assert to_box(box, "smtp+plain", user="").send(MESSAGE) == "accepted"
    assert (len(box.mails), box.log_ins, box.was_secure) == (1, [], [False])


def test_no_password_is_sent_to_a_server_that_cannot_be_trusted(certificate: Path) -> None:
    with mailbox(certificate) as box:
        assert "no secure connection" in str(failure(to_box(box)))
    with mailbox() as box:
        assert "offers no STARTTLS" in str(failure(to_box(box)))
    assert (box.log_ins, box.mails) == ([], [])


@pytest.mark.parametrize(
    ("refuses", "shown"),
    [
        ({"AUTH": f"535 5.7.8 not {CANARY}"}, "the user or password was refused (535)"),
        ({"MAIL": "550 no"}, "it does not relay (550)"),
        ({"RCPT": "550 no"}, "the server refused every recipient (550)"),
        ({"DATA": "452 full"}, "the server refused (452)"),
    ],
)
def test_a_refusal_is_told_by_its_code(
    refuses: dict[str, str], shown: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mailbox(certificate) as box:
        box.refuses = refuses
        assert str(failure(to_box(box))) == shown


def test_a_mail_server_that_falls_silent_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "SECONDS_TO_SEND", 0.5)  # sooner than one answer may take
    with mailbox() as box:
        box.silent_after = "MAIL"
        started = time.monotonic()
        failure(to_box(box, "smtp+plain", user=""))
        assert time.monotonic() - started < 3


def test_no_secret_is_told_whatever_fails(
    listener: Listener, certificate: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").setLevel(logging.NOTSET)
    listener.status = 500
    shown = []
    with mailbox(certificate) as box:
        box.refuses = {"AUTH": f"535 you said {CANARY}"}
        for place in (
            slack(f"{listener.url}/{CANARY}"),
            slack(f"http://nowhere.invalid/{CANARY}"),
            slack(f"http://127.0.0.1:1/{CANARY}"),
            SignedWebhook(SecretStr(f"{listener.url}/{CANARY}"), SecretStr(CANARY)),
            to_box(box),
            replace(to_box(box), url=SecretStr(f"smtp://{CANARY}:{CANARY}@nowhere.invalid")),
        ):
            with pytest.raises(DeliveryError) as failed:
                place.send(MESSAGE)
            shown += [repr(place), "".join(traceback.format_exception(failed.value))]
    listener.status = 200
    slack(f"{listener.url}/{CANARY}").send(MESSAGE)
    everywhere = Destinations(heartbeat_url=SecretStr(f"{listener.url}/{CANARY}"))
    everywhere.ping()
    shown += [repr(everywhere), caplog.text]
    assert len(listener.received) == 4
    assert CANARY not in "\n".join(shown)


def test_settings_name_the_destinations() -> None:
    found = destinations_from(
        Settings.from_env(
            {
                "MOVIE_ASSETS_ALERT_SLACK_URL": " https://hooks.test/x\n",
                "MOVIE_ASSETS_ALERT_WEBHOOK_URL": "https://a.test",
                "MOVIE_ASSETS_ALERT_WEBHOOK_KEY": KEY,
                "MOVIE_ASSETS_ALERT_SMTP_URL": "smtps://a.test",
                "MOVIE_ASSETS_ALERT_MAIL_FROM": "a@a.test",
                "MOVIE_ASSETS_ALERT_MAIL_TO": "b@a.test, c@a.test",
                "MOVIE_ASSETS_ALERT_SEVERITY": "ERROR",
                "MOVIE_ASSETS_WEB_URL": "https://dagster.test/",
            }
        )
    )
    assert [place.name for place in found.all] == ["slack", "webhook", "mail"]
    assert (found.least_severity, found.web_url) == ("ERROR", "https://dagster.test")
    assert destinations_from(Settings.from_env({})).all == ()


def test_no_secret_of_a_destination_is_printed_with_the_settings() -> None:
    url = f"https://a.test/{CANARY}"
    settings = Settings.from_env(
        {
            "MOVIE_ASSETS_ALERT_SLACK_URL": url,
            "MOVIE_ASSETS_ALERT_WEBHOOK_URL": url,
            "MOVIE_ASSETS_ALERT_WEBHOOK_KEY": CANARY,
            "MOVIE_ASSETS_ALERT_SMTP_URL": f"smtp://me:{CANARY}@a.test",
            "MOVIE_ASSETS_ALERT_MAIL_FROM": "a@a.test",
            "MOVIE_ASSETS_ALERT_MAIL_TO": "b@a.test",
            "MOVIE_ASSETS_HEARTBEAT_URL": url,
        }
    )
    assert CANARY not in repr(settings) + str(settings) + settings.model_dump_json() + repr(destinations_from(settings))


@pytest.mark.parametrize(
    ("variables", "shown"),
    [
        ({"SLACK_URL": f"hooks.test/{CANARY}"}, "MOVIE_ASSETS_ALERT_SLACK_URL: an address begins with http"),
        ({"SLACK_URL": f"https://h.test:{CANARY}/"}, "MOVIE_ASSETS_ALERT_SLACK_URL: the address has no host, no us"),
        ({"WEBHOOK_URL": f"https://a.test/{CANARY}"}, "go together"),
        ({"WEBHOOK_KEY": CANARY}, "go together"),
        ({"WEBHOOK_URL": "https://a.test", "WEBHOOK_KEY": f"whsec_{CANARY}!"}, "goes on in base64"),
        ({"SMTP_URL": f"smtp://u:{CANARY}@a.test"}, "needs MOVIE_ASSETS_ALERT_MAIL_FROM"),
        ({"SMTP_URL": f"imap://u:{CANARY}@a.test"}, "a mail server is written smtp://"),
        ({"SMTP_URL": f"smtp+plain://u:{CANARY}@a.test"}, "unencrypted"),
        ({"SMTP_URL": f"smtp://u:{CANARY}@a.test:port"}, "a mail server is written smtp://"),
        ({"MAIL_TO": f"{CANARY}\r\nBcc: x@a.test"}, "bare addresses"),
        ({"SEVERITY": CANARY}, "MOVIE_ASSETS_ALERT_SEVERITY"),
    ],
)
def test_a_destination_that_cannot_be_is_refused_without_repeating_it(variables: dict[str, str], shown: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_env({f"MOVIE_ASSETS_ALERT_{name}": value for name, value in variables.items()})
    assert shown in str(refused.value)
    assert CANARY not in str(refused.value)
