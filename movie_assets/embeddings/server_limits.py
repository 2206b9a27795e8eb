"""What a run learns of an embeddings server from its refusals: inputs and tokens per request, parameters, model names.

Bookkeeping without a network. The limit of a single text is learned by `embeddings.shortening`.
"""

from dataclasses import dataclass, field, replace
from typing import Literal, Self

from movie_assets.config.embedding_limits import TEXTS_PER_REQUEST, TOKENS_PER_REQUEST
from movie_assets.embeddings.packing import packed
from movie_assets.embeddings.refusals import Refusal

Encoding = Literal["float", "base64"]
# Other servers may support only one of the two, or refuse the parameter itself.
NEXT_ENCODING: dict[Encoding | None, Encoding | None] = {"float": None, None: "base64"}


@dataclass(frozen=True)
class Parameters:
    """The optional parameters of a request."""

    dimensions: bool = True
    encoding_format: Encoding | None = "float"
    is_list: bool = True  # a single text is sent as a list of one

    def without(self, refused: str) -> "Parameters | None":
        """Return the parameters to try when the server refuses one of them; None when there are no others."""
        if refused == "dimensions" and self.dimensions:
            return replace(self, dimensions=False)
        if refused == "encoding_format" and self.encoding_format != "base64":
            return replace(self, encoding_format=NEXT_ENCODING[self.encoding_format])
        return None


# Tried when a server refuses the first request without a reason, the less consequential ones first.
TRIALS = (Parameters(encoding_format=None), Parameters(dimensions=False, encoding_format=None))


@dataclass
class Server:
    """What is known of a server. It lives as long as its client, so that a run learns nothing twice."""

    max_texts: int = TEXTS_PER_REQUEST  # inputs of a request
    max_tokens: int = TOKENS_PER_REQUEST
    parameters: Parameters = field(default_factory=Parameters)
    dimensions_refusal: str = ""  # the server's message
    trials: list[Parameters] = field(default_factory=lambda: list(TRIALS))  # not tried yet
    models: list[str] = field(default_factory=list)  # the model's names in responses, in the order of the first
    _has_succeeded: bool = False
    _max_accepted: int = 0  # inputs of the largest successful request
    _refused_size: int = 0  # inputs of a request whose size may have been to blame; 0 if none is suspected
    _is_growing: bool = False  # a request succeeded since its size was suspected
    _max_texts_before: int | None = None  # the limit before the number of inputs was suspected

    @classmethod
    def with_limit(cls, max_texts: int) -> Self:
        """Return a server of which only the number of inputs per request is known."""
        return cls(max_texts=max_texts)

    def pieces(self, sizes: list[int], account_tokens: int | None) -> list[range]:
        """Split a request into ranges of positions that the server and the account accept."""
        return list(packed(sizes, self.max_texts, min(self.max_tokens, account_tokens or self.max_tokens)))

    def learn_size(self, refusal: Refusal, texts: int, tokens: int) -> None:
        """Learn the limit of inputs or tokens: the named one if it explains the refusal, else half of the request."""
        if refusal.error_class == "too_many_tokens":
            self.max_tokens = min(self.max_tokens, _limit_below(tokens, refusal.limit))
        else:
            self.max_texts = min(self.max_texts, _limit_below(texts, refusal.limit))
            self.send_no_lists(refusal)

    def send_no_lists(self, refusal: Refusal) -> bool:
        """Send single texts without a list from now on if a server takes one input; False if that was done before."""
        if refusal.limit != 1 or not self.parameters.is_list:
            return False
        self.parameters = replace(self.parameters, is_list=False)
        return True

    def suspect_size(self, texts: int, *, may_grow: bool = False) -> bool:
        """Halve the limit of inputs after a refusal without a reason; False if as many inputs succeeded before.

        With `may_grow` successes double it again, up to the refused size: it may not have been to blame.
        """
        if texts <= self._max_accepted:
            return False
        if not may_grow:
            self._refused_size = 0
        elif self._is_growing:
            self._refused_size, self._is_growing = texts, False
        else:
            self._refused_size = max(texts, self._refused_size)
        self._max_texts_before = self._max_texts_before or self.max_texts
        self.max_texts = min(self.max_texts, max(1, texts // 2))
        return True

    def restore_size(self) -> None:
        """Restore the limit of inputs, as a single input turned out to be the reason of the refusals."""
        self.max_texts, self._max_texts_before = self._max_texts_before or self.max_texts, None
        self._refused_size = 0

    def record_success(self, texts: int, parameters: Parameters, model: str | None) -> None:
        """Remember the size, the parameters and the model's name of a successful request."""
        self._max_accepted = max(self._max_accepted, texts)
        if texts == self.max_texts and 2 * texts < self._refused_size:
            self.max_texts, self._is_growing = 2 * texts, True
        if not self._has_succeeded:
            self.parameters, self._has_succeeded = parameters, True
        if model and model not in self.models:
            self.models.append(model)

    def omit_parameter(self, refusal: Refusal, sent: Parameters) -> bool:
        """Drop the parameter that was refused; return whether the request can be sent again without it."""
        if refusal.error_class == "dimensions":
            self.dimensions_refusal = refusal.problem
        if sent != self.parameters:
            return True  # the refusal of another request dropped it meanwhile
        changed = sent.without(refusal.error_class)
        self.parameters = changed or sent
        return changed is not None

    def width_problem(self, refusal: Refusal) -> str:
        """Return the message about vectors of another width, with the server's message about `dimensions` if any."""
        if not self.dimensions_refusal:
            return refusal.problem
        return f"{refusal.problem} (the server does not take the parameter dimensions: {self.dimensions_refusal[:200]})"


def _limit_below(size: int, named: int | None) -> int:
    """Return the limit that a server names for a refused size; half the size if it names none or a larger one."""
    return named if named and named < size else max(1, size // 2)


def model_changed(before: str, now: str) -> str:
    """Return the message about a service whose responses name another model than before."""
    return f"the vectors were made by {before} and the service now answers as {now}; they may not be comparable"
