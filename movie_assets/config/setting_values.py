"""Validation of settings' values: addresses, tokens, mail servers, names. No message repeats the value.

Names, defaults and meanings are in settings.py and alert_settings.py.
"""

import base64
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

Words = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: tuple(value.replace(",", " ").split()) if isinstance(value, str) else value),
]
Secret = Annotated[
    SecretStr | None,
    # The error of the HTTP library would quote a token with a trailing newline.
    BeforeValidator(lambda value: value.strip() or None if isinstance(value, str) else value),
]


def _are_media_types(words: tuple[str, ...]) -> tuple[str, ...]:
    if set(words) - MEDIA_WORDS.keys():
        raise ValueError("it is `movies` or `movies series`")
    if "movies" not in words:
        raise ValueError("a catalogue always has movies: write `movies series`")
    return tuple(word for word in MEDIA_WORDS if word in words)


def fits_a_header(token: SecretStr | None) -> SecretStr | None:
    """Return a token if a header of HTTP can carry it. Raises ValueError."""
    if token is not None and not re.fullmatch(r"[!-~]+", token.get_secret_value()):
        raise ValueError("the token has blanks or characters that no HTTP header can carry; copy it again")
    return token


def _is_an_address(url: str) -> str:
    if not re.match(r"https?://[^/\s]+", url):
        raise ValueError("an address begins with http:// or https://")
    try:
        parts = urlsplit(url)
        is_usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or re.search(r"\s", url):
        raise ValueError("the address has no host, no usable port, or a blank in it")
    return url


def is_a_secret_address(url: SecretStr | None) -> SecretStr | None:
    """Return a secret address if it is one of HTTP. Raises ValueError."""
    if url is not None:
        _is_an_address(url.get_secret_value())
    return url


def _is_a_mail_server(url: SecretStr | None) -> SecretStr | None:
    if url is None:
        return None
    try:
        parts = urlsplit(url.get_secret_value())
        is_usable = parts.scheme in ("smtp", "smtps", "smtp+plain") and parts.hostname and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise ValueError("a mail server is written smtp://user:password@host:port, smtps://… or smtp+plain://…")
    if parts.scheme == "smtp+plain" and parts.username:
        raise ValueError("smtp+plain:// would send the password unencrypted; use smtp:// (STARTTLS) or smtps://")
    return url


def is_a_key(key: SecretStr | None) -> SecretStr | None:
    """Return a key for signatures if its base64 can be read. Raises ValueError."""
    if key is not None and key.get_secret_value().startswith("whsec_"):
        try:
            base64.b64decode(key.get_secret_value().removeprefix("whsec_"), validate=True)
        except ValueError:
            raise ValueError("a key that begins with whsec_ goes on in base64") from None
    return key


def _are_owners(owners: tuple[str, ...]) -> tuple[str, ...]:
    # The forms that Dagster accepts; it would refuse the whole code location for another.
    wrong = [owner for owner in owners if not re.fullmatch(r"team:[A-Za-z0-9_.-]+|[^@\s]+@[^@\s]+\.[^@\s]+", owner)]
    if wrong:
        raise ValueError(f"{', '.join(wrong)}: an owner is an e-mail address or has the form team:name")
    return owners


def is_a_rate(rate: float) -> float:
    """Return a rate of calls per second if it is within the limits. Raises ValueError."""
    if not (rate == 0 or LOWEST_RATE <= rate <= HIGHEST_RATE):  # also false for NaN
        raise ValueError(f"a rate is 0 (no limit), or {LOWEST_RATE:g} to {HIGHEST_RATE:g} calls a second")
    return rate


def _is_a_folder(path: Path) -> Path:
    try:
        return path.expanduser().absolute()
    except RuntimeError:  # ~name, for a user that this machine does not have
        raise ValueError(f"{path}: the machine has no such user, so there is no such folder") from None


def _is_a_model(name: str) -> str:
    if len(name) > LONGEST_MODEL_NAME or not name.isprintable():
        raise ValueError(f"the name of a model has at most {LONGEST_MODEL_NAME} printable characters")
    return name.strip()


def _is_a_version(version: str) -> str:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d(-preview)?", version.strip()):
        raise ValueError("a version is a date, such as 2024-10-21 or 2025-04-01-preview")
    return version.strip()


def _is_a_prefix(prefix: str) -> str:
    if len(prefix) > LONGEST_PREFIX:
        raise ValueError(f"a prefix has at most {LONGEST_PREFIX} characters")
    return "" if prefix.strip().lower() == "none" else prefix.replace("\\n", "\n")


def _days_of_votes(value: object) -> object:
    if not isinstance(value, str):
        return value
    days = {"exact": "1"}.get(value.strip().lower(), value.strip())
    if not (days.isascii() and days.isdecimal() and 1 <= int(days[:3]) <= MAX_DAYS_OF_VOTES):
        raise ValueError(f"the age of votes is `exact`, or a number of days from 1 to {MAX_DAYS_OF_VOTES}")
    return int(days)


def passwords_in(value: str) -> list[str]:
    """Return the passwords in an address, as written and percent-decoded; an empty list for other values.

    A password may have characters that should be percent-encoded: it ends at the last @ of the address.
    """
    passwords = re.findall(r"^[\w+]+://[^:/?#@]*:(.*)@", value, re.DOTALL)
    passwords += re.findall(r"[?&]\w*password=([^&]*)", value)
    return [part for password in passwords for part in (password, unquote(password)) if part]


def text_error(value: str) -> str | None:
    """Return why a text cannot be the value of any setting; None if it can."""
    if any(letter in CONTROL for letter in value):
        return "the value has control characters"
    if any("\ud800" <= letter <= "\udfff" for letter in value):  # bytes that are no UTF-8, as Python reads them
        return "the value is no UTF-8 text"
    return (
        None if len(value) <= LONGEST_VALUE else f"the value has {len(value):,} characters; at most {LONGEST_VALUE:,}"
    )


def shortened(text: str) -> str:
    """Return a message or name, cut so that it fits a line of a log."""
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}…"


MEDIA_WORDS = {"movies": "movie", "series": "series"}  # what a setting has, and the name of the media type
PROFILES = {"movie": "MOVIE_ASSETS_PROFILES", "series": "MOVIE_ASSETS_SERIES_PROFILES"}  # the settings that name them
LOWEST_RATE, HIGHEST_RATE = 0.01, 10_000.0
MAX_DAYS_OF_VOTES = 30
LONGEST_MODEL_NAME = 200
LONGEST_PREFIX = 500
LONGEST_VALUE = 8192  # a path of Linux has 4,096, a token of a cloud some 2,000
LONGEST_MESSAGE = 300
CONTROL = {chr(code) for code in (*range(32), 127)} - set("\t\r\n")
Folder = Annotated[Path, AfterValidator(_is_a_folder)]
ModelName = Annotated[str, AfterValidator(_is_a_model)]
ApiVersion = Annotated[str, AfterValidator(_is_a_version)]
Prefix = Annotated[str, AfterValidator(_is_a_prefix)]
Token = Annotated[Secret, AfterValidator(fits_a_header)]
SecretUrl = Annotated[Secret, AfterValidator(is_a_secret_address)]
Url = Annotated[str, BeforeValidator(lambda value: value.strip().rstrip("/")), AfterValidator(_is_an_address)]
MailServer = Annotated[Secret, AfterValidator(_is_a_mail_server)]
SigningKey = Annotated[Token, AfterValidator(is_a_key)]
VotesDays = Annotated[int, BeforeValidator(_days_of_votes)]
Media = Annotated[Words, AfterValidator(_are_media_types)]
Owners = Annotated[Words, AfterValidator(_are_owners)]
