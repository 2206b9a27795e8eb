"""The options of an import, and the error that ends one."""

from dataclasses import dataclass
from typing import Literal


class ImportFailedError(Exception):
    """Nothing of a source's files was imported. The message gives the reason and the remedy."""


@dataclass(frozen=True)
class Choices:
    """The options of an import."""

    person: str = "me"
    unrated: Literal["seen", "wanted"] | None = None  # the meaning of films without a rating, if a file does not say it
    replace: bool = False  # even if most of the entries of earlier files leave
    request: bool = False  # request films that the catalogue does not have from TMDB
