"""Posting signed JSON to webhooks, as https://www.standardwebhooks.com describes, for alerts and for events.

Addresses and keys are secrets: no error contains one, nor a server's response, which may quote them.
"""

import asyncio
import base64
import hashlib
import hmac
import logging
from datetime import UTC, datetime

import httpx
from pydantic import SecretStr

from movie_assets.http_client.backoff import seconds_asked_for

SECONDS_TO_SEND = 15.0  # for name resolution, connection, request and response together
MAX_RETRY_AFTER = 3600.0  # seconds
WHSEC = "whsec_"  # prefix of a key in base64


class DeliveryError(Exception):
    """A message did not arrive. The reason contains no address or key.

    `retry_after` is the number of seconds that the destination asks to wait.
    """

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


def signature(key: str, message_id: str, timestamp: str, body: bytes) -> str:
    """Return `v1,` and the base64 of HMAC-SHA256 over "id.timestamp.body".

    A key that begins with `whsec_` is base64; any other key is text.
    """
    secret = base64.b64decode(key.removeprefix(WHSEC)) if key.startswith(WHSEC) else key.encode()
    signed = b".".join([message_id.encode(), timestamp.encode(), body])
    return f"v1,{base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()}"


def post_signed(url: SecretStr, key: SecretStr, message_id: str, made_at: datetime, body: bytes) -> str:
    """Post JSON with its id, time and the signature of all three in headers; return a description of the response.

    Raises DeliveryError.
    """
    timestamp = str(int(made_at.timestamp()))
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature(key.get_secret_value(), message_id, timestamp, body),
    }
    return post(url, body, headers)


def post(url: SecretStr, body: bytes, headers: dict[str, str]) -> str:
    """Post JSON, and return a description of the response. Raises DeliveryError."""
    return asyncio.run(request("POST", url, body, {"content-type": "application/json", **headers}))


async def request(method: str, url: SecretStr, body: bytes | None, headers: dict[str, str]) -> str:
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
