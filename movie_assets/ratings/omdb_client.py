"""The client of OMDb: one request for a title, within the calls of the day. No message has the key or an address."""

import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import httpx
from pydantic import SecretStr

from movie_assets.http_client.backoff import seconds_asked_for
from movie_assets.http_client.connections import certificates
from movie_assets.http_client.retries import HttpRetries, RetryableError

ATTEMPTS = 3
TIMEOUT = httpx.Timeout(20.0)
SECONDS_PER_RESPONSE = 30.0
LARGEST_RESPONSE = 2**20
NO_QUOTA = "Request limit reached!"


class OmdbError(Exception):
    """OMDb gave no usable response for a title in all attempts. The message is the reason."""


class OmdbKeyError(Exception):
    """OMDb refuses the key."""


class OmdbQuotaError(Exception):
    """No further call may be made today; `by_omdb` if OMDb says so, else the calls of the setting are used up."""

    def __init__(self, *, by_omdb: bool) -> None:
        super().__init__("the calls of the day are used up")
        self.by_omdb = by_omdb


class OmdbClient:
    """A connection to OMDb. `reserve` is called before each request, and returns whether it may be sent."""

    def __init__(self, url: str, key: SecretStr, reserve: Callable[[], bool]) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)  # at INFO it logs addresses, which have the key
        self._url = f"{url}/"
        self._key = key
        self._reserve = reserve
        self._http = httpx.Client(timeout=TIMEOUT, verify=certificates())

    def __enter__(self) -> Self:
        """Return the client, which is closed at the end of the block."""
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        """Close the connection."""
        self._http.close()

    def title(self, imdb_id: str) -> object:
        """Return OMDb's JSON about a title. Raises OmdbError, OmdbKeyError or OmdbQuotaError."""
        retries = HttpRetries(ATTEMPTS)
        try:
            return retries.policy.run(lambda: self._try(imdb_id))
        except RetryableError as error:
            raise OmdbError(str(error)) from None

    def _try(self, imdb_id: str) -> object:
        """Send one request. Raises RetryableError, which permits no further attempt for a permanent error."""
        if not self._reserve():
            raise OmdbQuotaError(by_omdb=False)
        try:
            response, body = self._fetch(imdb_id)
        except (httpx.TransportError, httpx.DecodingError) as error:
            problem = type(error).__name__
        else:
            return _json_of(response, body)
        # Raised outside the handler: an exception's context is stored, too, and this one has the address.
        raise RetryableError(problem, ATTEMPTS)

    def _fetch(self, imdb_id: str) -> tuple[httpx.Response, bytes]:
        """Return a response and its body. Raises httpx.ReadError when it is too large or takes too long."""
        parameters = {"i": imdb_id, "apikey": self._key.get_secret_value()}
        deadline, body = time.monotonic() + SECONDS_PER_RESPONSE, b""
        with self._http.stream("GET", self._url, params=parameters) as response:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LARGEST_RESPONSE or time.monotonic() > deadline:
                    raise httpx.ReadError("the response is too large or too slow")
            return response, body


def _json_of(response: httpx.Response, body: bytes) -> object:
    """Return the JSON of a response. Raises RetryableError, OmdbKeyError or OmdbQuotaError."""
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    if response.status_code == httpx.codes.UNAUTHORIZED:
        if isinstance(content, dict) and content.get("Error") == NO_QUOTA:
            raise OmdbQuotaError(by_omdb=True)
        raise OmdbKeyError("OMDb refuses the key (HTTP 401)")
    if response.status_code == httpx.codes.OK:
        if content is None:
            raise RetryableError("HTTP 200 without JSON", ATTEMPTS)
        return content
    is_transient = response.is_server_error or response.status_code == httpx.codes.TOO_MANY_REQUESTS
    asked = seconds_asked_for(response.headers.get("retry-after"), datetime.now(UTC))
    raise RetryableError(f"HTTP {response.status_code}", ATTEMPTS if is_transient else 1, asked)
