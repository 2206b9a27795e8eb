"""The embedder of OpenAI's embeddings endpoint, and of servers with a compatible API.

`openai_stream` sends many requests at once, `openai_call` sends one, `openai_bulk` uses the Batch API.
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
    ResultChunk,
    UnlimitedBudget,
    no_vectors,
    openai_provider,
)
from movie_assets.embeddings.openai_bulk import BulkApi
from movie_assets.embeddings.openai_call import Model, ask
from movie_assets.embeddings.openai_stream import Stream
from movie_assets.embeddings.refusals import Refusal
from movie_assets.embeddings.server_limits import Server
from movie_assets.embeddings.tokens import USUAL_BYTES_PER_TOKEN, ByteCounter, TokenCounter

SECONDS_PER_REQUEST = 60.0
SECONDS_PER_PROBE = 15.0


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
    def bulk_api(self) -> BulkApi:
        """Return the service's Batch API."""
        return BulkApi(self._client, self.server)

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Embed texts, all of them or none. Raises EmbedderError when one of them gets no vector."""
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        tokens, dollars = 0, 0.0
        for chunk in self.stream(texts, UnlimitedBudget()):
            for rejected in chunk.rejected:
                raise EmbedderError(f"the text “{texts[rejected.position]:.60}” gets no vector: {rejected.problem}")
            vectors[list(chunk.positions)] = chunk.vectors
            tokens += chunk.tokens
            dollars += chunk.dollars
        return Embedded(vectors, tokens, dollars) if texts else Embedded(no_vectors(self.dimensions), 0, 0.0)

    def probe(self) -> None:
        """Request the vector of one word. Raises EmbedderError when the service returns none within seconds.

        The request is repeated only without a parameter that the server refuses.
        """
        with self._client().with_options(timeout=SECONDS_PER_PROBE) as client:
            while True:
                sent = self.server.parameters
                outcome = ask(client, Model(self.model, self.dimensions), ["film"], sent).outcome
                if not isinstance(outcome, Refusal):
                    return
                if outcome.action != "omit" or not self.server.omit_parameter(outcome, sent):
                    is_width = outcome.error_class == "dimensions"
                    raise EmbedderError(self.server.width_problem(outcome) if is_width else outcome.problem)

    def stream(
        self, texts: Sequence[str], budget: BudgetAccount, bytes_per_token: float = USUAL_BYTES_PER_TOKEN
    ) -> Iterator[ResultChunk]:
        """Embed many texts, as fast as the account's limits and the budget allow."""
        if not texts:
            return
        with self._client() as client:
            model = Model(self.model, self.dimensions)
            stream = Stream(client, model, texts, self.counter, self.price, budget, bytes_per_token, self.server)
            # Closed before the client is, also when the caller stops early.
            chunks = stream.chunks()
            try:
                yield from chunks
            finally:
                chunks.close()

    def _client(self) -> openai.OpenAI:
        # By default the library waits 600 s for a response and retries when the quota is used up.
        return openai.OpenAI(
            api_key=self._api_key.get_secret_value(),
            base_url=self._base_url,
            max_retries=0,
            timeout=SECONDS_PER_REQUEST,
        )
