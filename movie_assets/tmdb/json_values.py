"""Reading single values out of TMDB's JSON objects, whatever is in their place.

Which values make a film is for `tmdb.movies`; the people, companies and places around it, for `tmdb.related_rows`.
"""

import math
import re
import unicodedata
from datetime import date
from typing import Any

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
TAKEN_OUT = "\x1a"  # ASCII's substitute, a control character: stands for one that cannot be stored
REPLACED = "\ufffd"  # stands for what is no character
INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")


class Reader:
    """Reads fields of one JSON object; what cannot be right is unknown, and noted in `repairs`."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        self.repairs: list[str] = []

    def text(self, key: str, longest: int) -> str | None:
        """A text of at most so many characters; None when it is empty or no text. Broken characters are noted."""
        value = self.body.get(key)
        if value is not None and not isinstance(value, str):
            self.repairs.append(key)
            return None
        if value is not None and (CONTROL.search(value) or REPLACED in value):
            self.repairs.append(key)
        return (clean(value) or "")[:longest].rstrip() or None

    def number(self, key: str, least: float, greatest: float) -> float | None:
        """A number between two bounds, both included."""
        value = self.body.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= greatest:
            self.repairs.append(key)
            return None
        return float(value)

    def integer(self, key: str, least: int, greatest: int) -> int | None:
        """A whole number between two bounds; 169.0 is one."""
        value = self.number(key, least, greatest)
        if value is not None and not math.isclose(value, round(value)):
            self.repairs.append(key)
            return None
        return None if value is None else round(value)

    def day(self, key: str) -> date | None:
        """A day out of an ISO date or timestamp."""
        value = self.body.get(key)
        if value in (None, ""):
            return None
        try:
            day = date.fromisoformat(value[:10])
        except (ValueError, TypeError):
            day = date.min
        if not 1870 <= day.year <= 2150:  # noqa: PLR2004  # the first films; beyond any announced one
            self.repairs.append(key)
            return None
        return day

    def flag(self, key: str) -> bool:
        """Whether it is true, in any of the ways to write it; anything else is not."""
        value = self.body.get(key)
        if value is not None and not isinstance(value, bool):
            self.repairs.append(key)
        return read_flag(value) is True

    def objects(self, key: str) -> list[dict[str, Any]]:
        """The objects of a list; of anything else, none."""
        value = self.body.get(key)
        return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def read_flag(value: Any) -> bool | None:
    """Return a flag's truth; None where it is neither true, however written ("True", 1), nor a plain false."""
    if isinstance(value, bool):
        return value
    is_true = str(value).strip().lower() in ("true", "1", "1.0") and isinstance(value, str | int | float)
    return True if is_true else None


def clean(value: Any) -> str | None:
    """A text in Unicode NFC, without control characters and outer blanks; None when nothing visible is left."""
    if not isinstance(value, str):
        return None
    text = CONTROL.sub("", unicodedata.normalize("NFC", value.replace("\r\n", "\n"))).strip()
    return text if INVISIBLE.sub("", text).strip() else None
