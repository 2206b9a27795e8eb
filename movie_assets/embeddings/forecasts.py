"""What embedding texts will cost: tokens, and dollars for each model that we know the price of."""

from dataclasses import dataclass

from movie_assets.config.prices import DOLLARS_PER_MILLION_TOKENS, Price
from movie_assets.embeddings.tokens import USUAL_BYTES_PER_TOKEN

MIN_TEXTS_TO_LEARN_FROM = 20


@dataclass(frozen=True)
class History:
    """What a model charged for texts so far."""

    texts: int = 0
    tokens: int = 0
    text_bytes: int = 0

    @property
    def is_enough(self) -> bool:
        """Whether tokens can be foretold from it."""
        return self.texts >= MIN_TEXTS_TO_LEARN_FROM and self.tokens > 0 and self.text_bytes > 0


@dataclass(frozen=True)
class Amount:
    """Texts to embed: films that have them, distinct texts, UTF-8 bytes, and tokens if they were counted."""

    films: int
    texts: int
    text_bytes: int
    tokens: int | None = None


@dataclass(frozen=True)
class ModelCost:
    """What one model would charge, in US dollars; None when its price is not known."""

    model: str
    dollars: float | None
    dollars_in_bulk: float | None


@dataclass(frozen=True)
class Forecast:
    """An amount with its tokens, how they were found, and what each model would charge."""

    amount: Amount
    tokens: int
    counted_by: str
    costs: tuple[ModelCost, ...]

    @property
    def bytes_per_token(self) -> float:
        """Return how many bytes a token of these texts has, as they were counted or foretold."""
        return self.amount.text_bytes / self.tokens if self.tokens else USUAL_BYTES_PER_TOKEN

    @property
    def dollars(self) -> float | None:
        """What the first model, that of the settings, would charge."""
        return self.costs[0].dollars


def forecast(amount: Amount, model: str, price: Price, history: History, counter_says: str) -> Forecast:
    """What an amount will cost with a model (first in the list) and with the others that we know."""
    if amount.tokens is not None:
        tokens, told = amount.tokens, counter_says
    elif history.is_enough:
        ratio = history.text_bytes / history.tokens
        tokens = round(amount.text_bytes / ratio)
        told = f"{ratio:.2f} bytes a token, as the service charged for {history.texts:,} texts so far"
    else:
        tokens = round(amount.text_bytes / USUAL_BYTES_PER_TOKEN)
        told = f"{USUAL_BYTES_PER_TOKEN:g} bytes a token, as in English; at most {amount.text_bytes:,}"
    known = {name: Price(dollars) for name, dollars in DOLLARS_PER_MILLION_TOKENS.items() if name != model}
    return Forecast(amount, tokens, told, tuple(_cost(*item, tokens) for item in [(model, price), *known.items()]))


def _cost(model: str, price: Price, tokens: int) -> ModelCost:
    if price.per_million_tokens is None:
        return ModelCost(model, None, None)
    return ModelCost(model, price.of(tokens), price.of(tokens, in_bulk=True))
