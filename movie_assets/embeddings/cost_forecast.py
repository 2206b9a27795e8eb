"""Forecasts the cost of embedding texts: tokens, and US dollars for each model with a known price."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from movie_assets.config.prices import Price
from movie_assets.embeddings.tokens import USUAL_BYTES_PER_TOKEN

MIN_TEXTS_TO_LEARN_FROM = 20


class History(NamedTuple):
    """What a model charged for texts so far, with their UTF-8 bytes."""

    texts: int = 0
    tokens: int = 0
    text_bytes: int = 0

    @property
    def is_enough(self) -> bool:
        """Return whether the tokens of other texts can be estimated from it."""
        return self.texts >= MIN_TEXTS_TO_LEARN_FROM and self.tokens > 0 and self.text_bytes > 0


@dataclass(frozen=True)
class Amount:
    """Texts to embed: the films that have them, distinct texts, UTF-8 bytes, and tokens if they were counted."""

    films: int
    texts: int
    text_bytes: int
    tokens: int | None = None


@dataclass(frozen=True)
class ModelCost:
    """The cost with one model in US dollars; None when its price is not known."""

    model: str
    dollars: float | None
    dollars_in_bulk: float | None


@dataclass(frozen=True)
class Forecast:
    """An amount with its tokens, how they were counted, and the cost with each model."""

    amount: Amount
    tokens: int
    counted_by: str
    costs: tuple[ModelCost, ...]

    @property
    def bytes_per_token(self) -> float:
        """Return the average bytes of a token of these texts, as counted or estimated."""
        return self.amount.text_bytes / self.tokens if self.tokens else USUAL_BYTES_PER_TOKEN

    @property
    def dollars(self) -> float | None:
        """Return the cost with the first model, which is that of the settings."""
        return self.costs[0].dollars


def forecast(
    amount: Amount, model: str, price: Price, history: History, counter_description: str, published: Mapping[str, float]
) -> Forecast:
    """Return the cost of an amount with a model, which comes first, and with the other models of known price.

    `published` has the prices by model, in US dollars for a million tokens.
    """
    if amount.tokens is not None:
        tokens, counted_by = amount.tokens, counter_description
    elif history.is_enough:
        ratio = history.text_bytes / history.tokens
        tokens = round(amount.text_bytes / ratio)
        counted_by = f"{ratio:.2f} bytes a token, as the service charged for {history.texts:,} texts so far"
    else:
        tokens = round(amount.text_bytes / USUAL_BYTES_PER_TOKEN)
        counted_by = f"{USUAL_BYTES_PER_TOKEN:g} bytes a token, as in English; at most {amount.text_bytes:,}"
    known = {name: Price(dollars) for name, dollars in published.items() if name != model}
    costs = tuple(_cost(name, each, tokens) for name, each in [(model, price), *known.items()])
    return Forecast(amount, tokens, counted_by, costs)


def _cost(model: str, price: Price, tokens: int) -> ModelCost:
    if price.per_million_tokens is None:
        return ModelCost(model, None, None)
    return ModelCost(model, price.of(tokens), price.of(tokens, in_bulk=True))
