"""What a response of OMDb says about a title: its ratings, or that OMDb does not know it.

Values are texts such as 7.4/10, 83%, 74/100 and 1,234,567 votes, or N/A. One that cannot be right is rejected.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

NONE = "N/A"
UNKNOWN_TITLE = re.compile(r"incorrect imdb id|not found", re.IGNORECASE)
VOTES = re.compile(r"[1-9]\d{0,2}(?:,\d{3}){0,3}|[1-9]\d{0,11}", re.ASCII)
WITH_VOTES = "imdb"


class Source(NamedTuple):
    """A source of ratings that OMDb passes on: its name here, how its value is written, lowest and highest value."""

    name: str
    value: re.Pattern[str]
    low: float
    high: float


SOURCES: Mapping[str, Source] = {
    "Internet Movie Database": Source("imdb", re.compile(r"(\d{1,2}(?:\.\d)?)/10", re.ASCII), 1, 10),
    "Rotten Tomatoes": Source("rotten_tomatoes", re.compile(r"(\d{1,3})%", re.ASCII), 0, 100),
    "Metacritic": Source("metacritic", re.compile(r"(\d{1,3})/100", re.ASCII), 0, 100),
}


class UnusableOmdbResponseError(Exception):
    """A response is not one about the title. The message says why."""


class OmdbRating(NamedTuple):
    """The rating of a title by a source, on the scale of the source; `votes` is None where OMDb has no number."""

    source: str
    scale_min: float
    scale_max: float
    raw_value: float
    votes: int | None


class RejectedValue(NamedTuple):
    """A value that cannot be right: its source, the reason and the text."""

    source: str
    reason: str
    sample: str


@dataclass
class OmdbTitle:
    """What OMDb has of a title."""

    is_known: bool = True
    ratings: list[OmdbRating] = field(default_factory=list)
    rejected: list[RejectedValue] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """The outcome of the call: rated, unrated or not_found."""
        if not self.is_known:
            return "not_found"
        return "rated" if self.ratings else "unrated"


def read_title(body: object, imdb_id: str) -> OmdbTitle:
    """Return the ratings in a response about the title with that IMDb id. Other sources than SOURCES are left out.

    Raises UnusableOmdbResponseError.
    """
    if not isinstance(body, dict):
        raise UnusableOmdbResponseError("it is no JSON object")
    if body.get("Response") == "False" and UNKNOWN_TITLE.search(str(body.get("Error"))):
        return OmdbTitle(is_known=False)
    if body.get("Response") != "True":
        raise UnusableOmdbResponseError("OMDb reports an error")
    if body.get("imdbID") != imdb_id:
        raise UnusableOmdbResponseError("it is about another title")
    if not isinstance(body.get("Ratings"), list):
        raise UnusableOmdbResponseError("it has no list of ratings")
    title = OmdbTitle()
    for entry in body["Ratings"]:
        source = SOURCES.get(str(entry.get("Source"))) if isinstance(entry, dict) else None
        if source is None or entry.get("Value") == NONE:
            continue
        try:
            title.ratings.append(_rating(source, entry.get("Value"), body.get("imdbVotes"), title.ratings))
        except ValueError as error:
            title.ratings = [rating for rating in title.ratings if rating.source != source.name]
            sample = f"{imdb_id} {source.name} {entry.get('Value')} {body.get('imdbVotes')}"
            title.rejected.append(RejectedValue(source.name, str(error), sample))
    return title


def _rating(source: Source, value: object, votes: object, known: list[OmdbRating]) -> OmdbRating:
    """Return the rating with this value. Raises ValueError with the reason for which it is rejected."""
    if any(rating.source == source.name for rating in known):
        raise ValueError("repeated_source")
    match = source.value.fullmatch(value) if isinstance(value, str) else None
    if match is None or not source.low <= float(match[1]) <= source.high:
        raise ValueError("bad_value")
    number = _votes(votes) if source.name == WITH_VOTES else None
    return OmdbRating(source.name, source.low, source.high, float(match[1]), number)


def _votes(text: object) -> int | None:
    """Return the number of votes, None where OMDb has none. Raises ValueError."""
    if text in (NONE, None):
        return None
    if not isinstance(text, str) or not VOTES.fullmatch(text):
        raise ValueError("bad_votes")
    return int(text.replace(",", ""))
