"""OpenAI's embeddings endpoint, or a server that speaks like it, as an embedder.

The flow of requests is in `openai_stream`, one request in `openai_call`, the Batch API in `openai_batches`.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import openai
from pydantic import SecretStr

from movie_assets.config.embedding_limits import TEXTS_PER_REQUEST
from movie_assets.config.prices import Price, price_of
from movie_assets.embeddings.embedder import (
    BudgetAccount,
    Embedded,
    EmbedderError,
    Part,
    UnlimitedBudget,
    no_vectors,
    openai_provider,
)
from movie_assets.embeddings.openai_batches import OpenAiBatches
from movie_assets.embeddings.openai_call import Model, ask
from movie_assets.embeddings.openai_stream import Stream
from movie_assets.embeddings.refusals import Refusal
from movie_assets.embeddings.server_limits import Server
from movie_assets.embeddings.tokens import USUAL_BYTES_PER_TOKEN, ByteCounter, TokenCounter

SECONDS_PER_REQUEST = 60.0
SECONDS_FOR_A_SIGN = 15.0


class OpenAiEmbedder:
    """Makes vectors with a model of an OpenAI-compatible service; any number of requests may be in flight."""

    def __init__(
        self,
        model: str,
        dimensions: int,
        api_key: SecretStr,
        base_url: str,
        *,
        price: Price | None = None,
        counter: TokenCounter | None = None,
        texts_per_request: int = TEXTS_PER_REQUEST,
    ) -> None:
        self.provider = openai_provider(base_url)
        self.model = model
        self.dimensions = dimensions
        self.price = price or price_of(model)
        self.counter = counter or ByteCounter()
        self.server = Server.with_limit(texts_per_request)
        self._api_key = api_key
        self._base_url = base_url

    @property
    def batches(self) -> OpenAiBatches:
        """The service's Batch API."""
        return OpenAiBatches(self._client, self.server)

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Embed texts, all of them or none."""
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        tokens, dollars = 0, 0.0
        for part in self.stream(texts, UnlimitedBudget()):
            for rejected_input in part.culprits:
                raise EmbedderError(
                    f"the text “{texts[rejected_input.position]:.60}” gets no vector: {rejected_input.problem}"
                )
            vectors[list(part.positions)] = part.vectors
            tokens += part.tokens
            dollars += part.dollars
        return Embedded(vectors, tokens, dollars) if texts else Embedded(no_vectors(self.dimensions), 0, 0.0)

    def answer(self) -> None:
        """Ask for the vector of one word; the answer comes within seconds, or an EmbedderError.

        Asked again only without a parameter that the server refuses.
        """
        with self._client().with_options(timeout=SECONDS_FOR_A_SIGN) as client:
            while True:
                sent = self.server.parameters
                outcome = ask(client, Model(self.model, self.dimensions), ["film"], sent).outcome
                if not isinstance(outcome, Refusal):
                    return
                if outcome.action != "omit" or not self.server.can_send_otherwise(outcome, sent):
                    is_width = outcome.kind == "dimensions"
                    raise EmbedderError(self.server.width_problem(outcome) if is_width else outcome.problem)

    def stream(
        self, texts: Sequence[str], budget: BudgetAccount, bytes_per_token: float = USUAL_BYTES_PER_TOKEN
    ) -> Iterator[Part]:
        """Embed many texts, as fast as the account's limits and the purse allow."""
        if not texts:
            return
        with self._client() as client:
            model = Model(self.model, self.dimensions)
            flow = Stream(client, model, texts, self.counter, self.price, budget, bytes_per_token, self.server)
            # Closed before the client is, whoever stops listening.
            parts = flow.parts()
            try:
                yield from parts
            finally:
                parts.close()

    def _client(self) -> openai.OpenAI:
        # The library would wait 600 s for an answer and retry an exhausted quota; the policy here is ours.
        return openai.OpenAI(
            api_key=self._api_key.get_secret_value(),
            base_url=self._base_url,
            max_retries=0,
            timeout=SECONDS_PER_REQUEST,
        )
