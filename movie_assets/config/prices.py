"""Prices of tokens, and the budgets of a run and of a day. `embeddings.spending` counts the spending."""

from dataclasses import dataclass

BATCH_SHARE = 0.5  # of the price, with the Batch API: https://platform.openai.com/docs/guides/batch


@dataclass(frozen=True)
class Price:
    """The price of a million tokens of a model in US dollars; None when it is not known."""

    per_million_tokens: float | None

    def of(self, tokens: float, *, in_bulk: bool = False) -> float:
        """Return the price of a number of tokens in US dollars; 0 when the price is not known."""
        return tokens * (self.per_million_tokens or 0.0) / 1e6 * (BATCH_SHARE if in_bulk else 1.0)


@dataclass(frozen=True)
class Budgets:
    """US dollars that a run and a day (UTC) may cost; 0 is no limit."""

    run_dollars: float = 0.0
    daily_dollars: float = 0.0

    @property
    def are_set(self) -> bool:
        """Whether there is any limit."""
        return self.run_dollars > 0 or self.daily_dollars > 0
