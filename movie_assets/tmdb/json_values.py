"""Reading single values of TMDB's JSON objects, whatever their type is.

`tmdb.movies` reads a movie's own fields with it, `tmdb.related_rows` the people, companies and places around it.
"""

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import date

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
TAKEN_OUT = "\x1a"  # ASCII's substitute, a control character: replaces one that cannot be stored
REPLACED = "\ufffd"  # replaces bytes that are not a character
LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")

JsonObject = Mapping[str, object]


class UnusableResponseError(ValueError):
    """TMDB's response is not what was requested. `reason` is a short code; the message has the details."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def read_json(content: bytes) -> object:
    """Decode the JSON of a response, without values that Postgres could not store.

    A byte order mark is skipped; it also distinguishes UTF-16 and UTF-32. NaN and infinities become null. NUL and lone
    surrogates are replaced by characters that `Reader` notes. Raises UnusableResponseError ("not_json") when it is not
    JSON, or an object has a key twice.
    """
    try:
        text = content.decode(json.detect_encoding(content), errors="replace")  # by REPLACED
        value: object = json.loads(text, parse_constant=lambda _: None, parse_float=_finite, object_pairs_hook=_object)
        return _storable(value) if "\\u0000" in text or "\\ud" in text.lower() else value
    except (ValueError, RecursionError):
        raise UnusableResponseError("not_json", f"the body is not JSON: {content[:80]!r}") from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a key comes twice in one object")
    return read


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _storable(value: object) -> object:
    if isinstance(value, str):
        return LONE_SURROGATE.sub(REPLACED, value.replace("\x00", TAKEN_OUT))
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return value


class Reader:
    """Reads the fields of one JSON object. A value that cannot be right is read as unknown and noted in `repairs`."""

    def __init__(self, body: JsonObject) -> None:
        self.body = body
        self.repairs: list[str] = []

    def text(self, key: str, longest: int) -> str | None:
        """Read a text, cut to `longest` characters; None when it is empty or not a text.

        Broken characters are noted.
        """
        value = self.body.get(key)
        if value is not None and not isinstance(value, str):
            self.repairs.append(key)
            return None
        if value is not None and (CONTROL.search(value) or REPLACED in value):
            self.repairs.append(key)
        return (clean(value) or "")[:longest].rstrip() or None

    def number(self, key: str, least: float, greatest: float) -> float | None:
        """Read a number between two bounds, both included; None for anything else."""
        value = self.body.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= greatest:
            self.repairs.append(key)
            return None
        return float(value)

    def integer(self, key: str, least: int, greatest: int) -> int | None:
        """Read a whole number between two bounds, both included; 169.0 is one. None for anything else."""
        whole = self.body.get(key)
        if type(whole) is int and least <= whole <= greatest:  # most are: what follows takes ten times as long
            return whole
        value = self.number(key, least, greatest)
        if value is not None and not math.isclose(value, round(value)):
            self.repairs.append(key)
            return None
        return None if value is None else round(value)

    def day(self, key: str) -> date | None:
        """Read the day of an ISO date or timestamp; None for anything else."""
        value = self.body.get(key)
        if value in (None, ""):
            return None
        try:
            day = date.fromisoformat(value[:10]) if isinstance(value, str) else date.min
        except ValueError:
            day = date.min
        if not 1870 <= day.year <= 2150:  # noqa: PLR2004  # the first films; beyond any announced one
            self.repairs.append(key)
            return None
        return day

    def flag(self, key: str) -> bool:
        """Return whether a flag is true, however it is written; anything else counts as false."""
        value = self.body.get(key)
        if value is not None and not isinstance(value, bool):
            self.repairs.append(key)
        return read_flag(value) is True

    def texts(self, key: str, longest: int) -> tuple[str, ...]:
        """Read the texts in a list, each once and cut to `longest` characters; a value that is not a list is noted."""
        value = self.body.get(key)
        if value is not None and not isinstance(value, list):
            self.repairs.append(key)
        texts = (clean(item) for item in value) if isinstance(value, list) else ()
        return tuple(dict.fromkeys(text[:longest].rstrip() for text in texts if text is not None))

    def objects(self, key: str) -> list[JsonObject]:
        """Return the objects in a list; none when the value is not a list."""
        value = self.body.get(key)
        return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []

    def inner(self, key: str) -> "Reader":
        """Return a reader of the object under a key; of an empty object when there is none."""
        value = self.body.get(key)
        return Reader(value if isinstance(value, dict) else {})


def read_flag(value: object) -> bool | None:
    """Return a flag's value; None when it is neither true, however written ("True", 1), nor a plain false."""
    if isinstance(value, bool):
        return value
    is_true = str(value).strip().lower() in ("true", "1", "1.0") and isinstance(value, str | int | float)
    return True if is_true else None


def clean(value: object) -> str | None:
    """Return a text in Unicode NFC, without control characters and outer blanks.

    None when it is not a text, or nothing visible is left of it.
    """
    if not isinstance(value, str):
        return None
    if value.isascii() and value.isprintable():  # most are, and have nothing to replace
        return value.strip() or None
    text = CONTROL.sub("", unicodedata.normalize("NFC", value.replace("\r\n", "\n"))).strip()
    return text if INVISIBLE.sub("", text).strip() else None
