"""What one request to an embeddings service leads to, good or bad, as data, and the function that sends one.

Nothing is repeated here: `embeddings.service_errors` classifies errors, `embeddings.refusals` decides what to do about
them, `embeddings.request_queue` does it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from movie_assets.embeddings.error_messages import message_of_error
from movie_assets.embeddings.refusals import ATTEMPTS, Refusal, unfinished
from movie_assets.embeddings.server_limits import Parameters
from movie_assets.embeddings.vectors import CheckedVectors


@dataclass(frozen=True)
class ServiceResponse:
    """Vectors or a refusal, the tokens that the service charged, and the headers (names in lower case)."""

    outcome: CheckedVectors | Refusal
    tokens: int | None = 0  # None: charged, and the service does not report how many
    headers: Mapping[str, str] = field(default_factory=dict)
    model: str | None = None  # the model's name in the response


Ask = Callable[[Sequence[str], Parameters], ServiceResponse]  # requests the vectors of texts, once


def with_lower_names(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a response, names in lower case."""
    return {name.lower(): value for name, value in headers.items()}


def without_vectors(content: object, secrets: tuple[str, ...] = ()) -> Refusal:
    """Return the refusal of a response that is not what the service sends: a page of a portal, or cut off."""
    _, message = message_of_error(content, secrets)
    return unfinished(f"the response does not hold vectors: {message or 'it is empty'}", ATTEMPTS)
