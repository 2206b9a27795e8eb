"""What a run learns of an embeddings server from its refusals: inputs and tokens a request, parameters, model's name.

Plain bookkeeping, without a network; the texts that are too long are `embeddings.shortening`.
"""

from dataclasses import dataclass, field, replace
from typing import Literal, Self

from movie_assets.config.embedding_limits import TEXTS_PER_REQUEST, TOKENS_PER_REQUEST
from movie_assets.embeddings.packing import packed
from movie_assets.embeddings.refusals import Refusal

Encoding = Literal["float", "base64"]
# Servers of other makes may know one of the two only, or refuse the parameter as such.
NEXT_ENCODING: dict[Encoding | None, Encoding | None] = {"float": None, None: "base64"}


@dataclass(frozen=True)
class Parameters:
    """The optional parameters of a request."""

    dimensions: bool = True
    encoding_format: Encoding | None = "float"

    def without(self, kind: str) -> "Parameters | None":
        """Return what to send instead when the server refuses one of them; None when nothing is left to try."""
        if kind == "dimensions" and self.dimensions:
            return replace(self, dimensions=False)
        if kind == "encoding_format" and self.encoding_format != "base64":
            return replace(self, encoding_format=NEXT_ENCODING[self.encoding_format])
        return None


# What is tried when a server refuses the first request without a word about the reason, the harmless one first.
TRIALS = (Parameters(encoding_format=None), Parameters(dimensions=False, encoding_format=None))


@dataclass
class Server:
    """What is known of a server; it lives as long as its client, so nothing is learned twice in a run."""

    texts: int = TEXTS_PER_REQUEST  # inputs of a request, at most
    tokens: int = TOKENS_PER_REQUEST
    parameters: Parameters = field(default_factory=Parameters)
    refused_dimensions: str = ""  # the server's sentence
    trials: list[Parameters] = field(default_factory=lambda: list(TRIALS))  # that are left
    models: list[str] = field(default_factory=list)  # names that answered, in the order of their first answer
    _has_answered: bool = False
    _accepted: int = 0  # inputs of the largest request that was good
    _texts_before: int | None = None  # the limit before one was suspected

    @classmethod
    def with_limit(cls, texts: int) -> Self:
        """Return a server that nothing is known of but how many texts a request may have."""
        return cls(texts=texts)

    def pieces(self, sizes: list[int], most_tokens: int | None) -> list[range]:
        """Cut a request into those that the server and the account take."""
        return list(packed(sizes, self.texts, min(self.tokens, most_tokens or self.tokens)))

    def refused_size(self, refusal: Refusal, texts: int, tokens: int) -> None:
        """Learn the limit of inputs or tokens: the one that is named if it explains the refusal, else half."""
        if refusal.kind == "too_many_tokens":
            is_told = refusal.limit is not None and refusal.limit < tokens
            self.tokens = min(self.tokens, refusal.limit if is_told and refusal.limit else max(1, tokens // 2))
        else:
            is_told = refusal.limit is not None and refusal.limit < texts
            self.texts = min(self.texts, refusal.limit if is_told and refusal.limit else max(1, texts // 2))

    def suspect_size(self, texts: int) -> bool:
        """Take a refusal that says nothing for one of the number, unless as many were accepted before."""
        if texts <= self._accepted:
            return False
        self._texts_before = self._texts_before or self.texts
        self.texts = min(self.texts, max(1, texts // 2))
        return True

    def found_culprit(self) -> None:
        """A single text explains the refusals: their number was not to blame."""
        self.texts, self._texts_before = self._texts_before or self.texts, None

    def accepted(self, texts: int, parameters: Parameters, model: str | None) -> None:
        """Remember a good answer."""
        self._accepted = max(self._accepted, texts)
        if not self._has_answered:
            self.parameters, self._has_answered = parameters, True
        if model and model not in self.models:
            self.models.append(model)

    def can_send_otherwise(self, refusal: Refusal, sent: Parameters) -> bool:
        """Drop the parameter that was refused; tells whether the request can be sent again without it."""
        if refusal.kind == "dimensions":
            self.refused_dimensions = refusal.problem
        if sent != self.parameters:
            return True  # another answer said so meanwhile
        changed = sent.without(refusal.kind)
        self.parameters = changed or sent
        return changed is not None

    def width_problem(self, refusal: Refusal) -> str:
        """Return the sentence about vectors of another width, with why they are."""
        if not self.refused_dimensions:
            return refusal.problem
        return f"{refusal.problem} (the server does not take the parameter dimensions: {self.refused_dimensions[:200]})"


def model_changed(before: str, now: str) -> str:
    """Return the sentence about a service that gives another name of the model than it did."""
    return f"the vectors were made by {before} and the service now answers as {now}; they may not compare"
