"""Alerts by mail: one message over SMTP, with STARTTLS, with TLS from the start, or without encryption.

Errors name the code of a server's response only: its text may quote the command, and so the password.
"""

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from movie_assets.http_client.webhooks import DeliveryError
from movie_assets.operations.alerts.messages import Message

SECONDS_TO_SEND = 20.0  # for the whole session
RESPONSE_TIMEOUT_SECONDS = 10.0  # for one response
PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
MEANINGS = {535: "the user or password was refused", 530: "it wants a user and a password", 550: "it does not relay"}


@dataclass(frozen=True)
class Mail:
    """Mail to one or more recipients through one server: `smtp://` (STARTTLS), `smtps://` (TLS) or `smtp+plain://`."""

    url: SecretStr
    sender: str
    recipients: tuple[str, ...]
    name: str = "mail"

    def send(self, message: Message) -> str:
        """Send to all recipients at once; the result counts those that the server refused. Raises DeliveryError."""
        problem = ""
        try:
            with self._connected() as smtp:
                refused = smtp.send_message(self._mail(message), self.sender, self.recipients)
        except smtplib.SMTPRecipientsRefused as error:
            codes = sorted({code for code, _ in error.recipients.values()})
            problem = f"the server refused every recipient ({', '.join(map(str, codes))})"
        except smtplib.SMTPResponseException as error:
            meaning = MEANINGS.get(error.smtp_code, "the server refused")
            problem = f"{meaning} ({error.smtp_code})"
        except smtplib.SMTPNotSupportedError:
            problem = "the server offers no STARTTLS, or no log-in; smtps:// and smtp+plain:// are the other ways"
        except ssl.SSLError as error:
            problem = f"no secure connection ({error.reason or type(error).__name__})"
        except TimeoutError:
            problem = f"no response within {RESPONSE_TIMEOUT_SECONDS:.0f} s"
        except (OSError, smtplib.SMTPException, ValueError) as error:
            problem = f"no connection, or one that broke off ({type(error).__name__})"
        else:
            return f"accepted; {len(refused)} of {len(self.recipients)} recipients refused" if refused else "accepted"
        # Raised outside the handlers: an exception's context is stored, too, and may contain the password.
        raise DeliveryError(problem)

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """Open a session that is logged in; the connection is closed when the session takes too long."""
        url = urlsplit(self.url.get_secret_value())
        tls = ssl.create_default_context()
        smtp = (
            smtplib.SMTP_SSL(timeout=RESPONSE_TIMEOUT_SECONDS, context=tls)
            if url.scheme == "smtps" else smtplib.SMTP(timeout=RESPONSE_TIMEOUT_SECONDS)
        )  # fmt: skip
        deadline = threading.Timer(SECONDS_TO_SEND, _disconnect, [smtp])
        deadline.daemon = True
        deadline.start()
        try:
            smtp._host = url.hostname or ""  # type: ignore[attr-defined]  # noqa: SLF001  # connect() leaves it unset
            smtp.connect(url.hostname or "", url.port or PORTS[url.scheme])
            if url.scheme == "smtp":
                smtp.starttls(context=tls)
            if url.username:
                smtp.login(unquote(url.username), unquote(url.password or ""))
            yield smtp
            with suppress(OSError, smtplib.SMTPException):
                smtp.quit()  # the message was accepted already
        finally:
            deadline.cancel()
            smtp.close()

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["Subject"] = f"[movie_assets] {message.title}"
        mail["From"] = self.sender
        mail["To"] = ", ".join(self.recipients)
        mail["Date"] = format_datetime(message.made_at)
        mail["Message-ID"] = f"<{message.message_id}@movie-assets.invalid>"
        mail["Auto-Submitted"] = "auto-generated"  # keeps automatic replies away
        mail.set_content(message.text)
        return mail


def _disconnect(smtp: smtplib.SMTP) -> None:
    if smtp.sock is not None:
        with suppress(OSError):
            smtp.sock.shutdown(socket.SHUT_RDWR)
