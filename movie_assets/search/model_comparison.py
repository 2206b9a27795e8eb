"""Compares embedding models on films of the user's own catalogue, before a whole catalogue is embedded.

`search.comparison_sample` makes the questions, `search.relevance` has the measures. Nothing is stored but the cost.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from movie_assets.config.prices import Price
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.embeddings.budget_check import require_a_price
from movie_assets.embeddings.choice import ModelChoice, name_of
from movie_assets.embeddings.embedder import Embedder, EmbedderError
from movie_assets.embeddings.registry import embedder_for, providers
from movie_assets.embeddings.spending import DatabaseBudget
from movie_assets.embeddings.tokens import USUAL_BYTES_PER_TOKEN
from movie_assets.search.comparison_embedding import CostAccount, embed_texts, index_recall, utf8_bytes
from movie_assets.search.comparison_measures import franchise_gains, plot_ranks
from movie_assets.search.comparison_sample import ComparisonSample, SampledMovie, sample_of
from movie_assets.search.queries import NothingToSearchError
from movie_assets.search.relevance import mean_and_error


class CatalogueTexts(NamedTuple):
    """The distinct texts of the catalogue, and their UTF-8 bytes."""

    texts: int
    text_bytes: int


@dataclass(frozen=True)
class ModelResult:
    """What was measured of a model, or the problem because of which it was not.

    Tokens and dollars are those that were spent, also before a problem. Dollars are None if the price is not known.
    `plot_mrr` and its standard error are of searches by vectors alone. `catalogue_dollars` and `catalogue_minutes` are
    expected of embedding the whole catalogue.
    """

    model: str
    problem: str | None = None
    dimensions: int | None = None
    plot_mrr: float | None = None
    plot_mrr_error: float | None = None
    franchise_ndcg_at_10: float | None = None
    index_recall_at_10: float | None = None
    rejected_texts: int = 0
    tokens: int = 0
    dollars: float | None = None
    seconds: float = 0.0
    catalogue_dollars: float | None = None
    catalogue_minutes: float | None = None


@dataclass(frozen=True)
class Candidate:
    """A model that is to be compared, with its embedder, or the problem because of which there is none."""

    choice: ModelChoice
    embedder: Embedder | None = None
    problem: str | None = None
    expected_tokens: int = 0

    @property
    def expected_dollars(self) -> float | None:
        """Return the expected cost of the comparison in US dollars; None if the price is not known."""
        price = self.embedder.price if self.embedder else Price(0.0)
        return None if price.per_million_tokens is None else price.of(self.expected_tokens)


@dataclass(frozen=True)
class Comparison:
    """A sample of the catalogue, the models to compare on it, and the texts of the whole catalogue."""

    database: Database
    sample: ComparisonSample
    catalogue: CatalogueTexts
    candidates: Sequence[Candidate]
    budget: DatabaseBudget
    run_id: str
    as_of: datetime

    @property
    def expected_dollars(self) -> float:
        """Return the expected cost of the models whose price is known."""
        return sum(candidate.expected_dollars or 0.0 for candidate in self.candidates)

    @property
    def is_paid(self) -> bool:
        """Return whether a model costs money, or may."""
        return any(candidate.expected_dollars != 0 for candidate in self.candidates)

    def require_budget(self) -> None:
        """Raise EmbedderError if less remains of a budget than the comparison is expected to cost."""
        for name, dollars in self.budget.remaining().items():
            if self.expected_dollars > dollars:
                raise EmbedderError(
                    f"the comparison costs about ${self.expected_dollars:.4f} and {name} has ${dollars:.4f} left; "
                    "compare on fewer films (--films), or raise it"
                )

    def results(self, say: Callable[[str], None]) -> Iterator[ModelResult]:
        """Measure each model, one after the other. `say` gets the name of the model as it begins.

        A model that fails is a result with a problem, and the others are measured. So is the model at which
        KeyboardInterrupt is raised, and then the exception is raised again.
        """
        for candidate in self.candidates:
            embedder = candidate.embedder
            if embedder is None:
                yield ModelResult(str(candidate.choice), candidate.problem)
                continue
            say(str(candidate.choice))
            account = CostAccount(self.database, self.budget, self.run_id, self.as_of)
            try:
                require_a_price(embedder, self.budget)
                yield _measure(self, embedder, account)
            except EmbedderError as error:
                yield _not_measured(self, embedder, account, str(error))
            except KeyboardInterrupt:
                yield _not_measured(self, embedder, account, "interrupted")
                raise


def prepare(
    database: Database, settings: Settings, choices: Sequence[ModelChoice], films: int, questions: int, as_of: datetime
) -> Comparison:
    """Sample the catalogue, and make the embedders. Nothing is sent, and nothing is stored.

    Raises NothingToSearchError when the catalogue is empty.
    """
    movies = database.fetch(SampledMovie, "movies_to_compare", films=films)
    if not movies:
        raise NothingToSearchError("the catalogue is empty; run `movie-assets refresh` first")
    sample = sample_of(movies, questions)
    text_bytes = utf8_bytes(sample.texts) + utf8_bytes(question.text for question in sample.questions)
    candidates = [_candidate(settings, choice, text_bytes) for choice in dict.fromkeys(choices)]
    run_id = f"comparison {uuid.uuid4()}"
    return Comparison(
        database, sample, database.fetch_one(CatalogueTexts, "catalogue_texts"), candidates,
        DatabaseBudget(database, None, run_id, as_of, settings.budgets), run_id, as_of,
    )  # fmt: skip


def _candidate(settings: Settings, choice: ModelChoice, text_bytes: int) -> Candidate:
    provider = providers()[choice.provider]
    published = provider.known(choice.model or provider.default_model).dollars_per_million_tokens
    if published is not None and choice.model != settings.embedding_model:
        # The price in the settings is that of the model in the settings, and of models without a published price.
        settings = settings.model_copy(update={"dollars_per_million_tokens": None})
    try:
        embedder = embedder_for(settings, choice.provider, choice.model, choice.dimensions)
    except EmbedderError as error:
        return Candidate(choice, problem=str(error))
    return Candidate(choice, embedder, expected_tokens=round(text_bytes / USUAL_BYTES_PER_TOKEN))


def _not_measured(comparison: Comparison, embedder: Embedder, account: CostAccount, problem: str) -> ModelResult:
    texts = len(comparison.sample.texts) + len(comparison.sample.questions)
    place = f" (after {account.texts:,} of {texts:,} texts)" if account.texts else ""
    dollars = None if embedder.price.per_million_tokens is None else account.dollars
    return ModelResult(name_of(embedder), problem + place, tokens=account.tokens, dollars=dollars)


def _measure(comparison: Comparison, embedder: Embedder, account: CostAccount) -> ModelResult:
    sample, price = comparison.sample, embedder.price
    texts = embed_texts(account, embedder, sample.texts, "document")
    questions = embed_texts(account, embedder, [question.text for question in sample.questions], "query")
    ranks = plot_ranks(texts.vectors, questions.vectors, [question.place for question in sample.questions])
    mrr, error = mean_and_error([1 / rank if rank else 0.0 for rank in ranks])
    is_priced = price.per_million_tokens is not None
    # Tokens grow with the bytes, seconds with the number of texts.
    share = comparison.catalogue.text_bytes / max(1, utf8_bytes(sample.texts))
    return ModelResult(
        name_of(embedder),
        dimensions=embedder.dimensions,
        plot_mrr=mrr,
        plot_mrr_error=error,
        franchise_ndcg_at_10=mean_and_error(franchise_gains(texts.vectors, sample.franchises))[0],
        index_recall_at_10=index_recall(comparison.database, texts.embedded),
        rejected_texts=texts.rejected + questions.rejected,
        tokens=account.tokens,
        dollars=account.dollars if is_priced else None,
        seconds=texts.seconds + questions.seconds,
        catalogue_dollars=price.of(texts.tokens * share) if is_priced else None,
        catalogue_minutes=texts.seconds * comparison.catalogue.texts / max(1, len(texts.embedded)) / 60,
    )
