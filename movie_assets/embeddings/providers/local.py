"""The local provider: vectors are made on this machine."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from movie_assets.config.prices import Price
from movie_assets.config.settings import Settings
from movie_assets.embeddings.embedder import (
    WORD,
    BudgetAccount,
    Embedded,
    EmbedderError,
    KnownModel,
    ProbeResult,
    Provider,
    ResultChunk,
)
from movie_assets.embeddings.hashing import hashed_vectors, weighted_vectors, words_of
from movie_assets.embeddings.roles import NO_ROLES, Role, Roles
from movie_assets.embeddings.sentence_encoder import DIMENSIONS, sentence_vectors, titled_vectors
from movie_assets.embeddings.tokens import USUAL_BYTES_PER_TOKEN, ByteCounter, TokenCounter

LOCAL_MODEL = "hashing-v2"
SENTENCES = "use-multilingual-v3"
TITLED = "use-multilingual-v3-titled"
HASHING = {"hashing-v1": hashed_vectors, "hashing-v2": weighted_vectors}
MODELS = HASHING | {SENTENCES: sentence_vectors, TITLED: titled_vectors}
LOCAL_CHUNK = 512  # texts of one result chunk


class LocalEmbedder:
    """Models on this machine: no key, no download, no cost; "tokens" are words."""

    provider = "local"
    price = Price(0.0)
    counter: TokenCounter = ByteCounter()
    bulk_api = None
    roles: Roles = NO_ROLES

    def __init__(self, model: str, dimensions: int) -> None:
        if model not in MODELS:
            raise EmbedderError(f"the local embedder has the models {', '.join(MODELS)}, not {model}")
        self.model = model
        self.dimensions = dimensions

    def embed(self, texts: Sequence[str], role: Role = "document") -> Embedded:
        """Return the vectors of texts. Raises EmbedderError when the model's package is not installed."""
        texts = self.roles.applied(texts, role)
        model = SENTENCES if self.model == TITLED and role == "query" else self.model  # a question has no title
        vectors = MODELS[model](texts, self.dimensions)
        return Embedded(vectors, tokens=sum(len(words_of(text)) for text in texts), dollars=0.0)

    def probe(self, texts: Sequence[str] = (WORD,), role: Role = "document") -> ProbeResult:  # noqa: ARG002
        """Return an empty result, as no service is needed."""
        return ProbeResult()

    def stream(
        self,
        texts: Sequence[str],
        budget: BudgetAccount,  # noqa: ARG002  # it costs nothing
        bytes_per_token: float = USUAL_BYTES_PER_TOKEN,  # noqa: ARG002  # words are counted
        role: Role = "document",
    ) -> Iterator[ResultChunk]:
        """Yield the vectors of texts chunk by chunk, in their order, while the next ones are made."""
        chunks = [texts[start : start + LOCAL_CHUNK] for start in range(0, len(texts), LOCAL_CHUNK)]
        maker = ThreadPoolExecutor(1)
        try:
            upcoming = [maker.submit(self.embed, chunk, role) for chunk in chunks[:1]]
            for n in range(len(chunks)):
                embedded = upcoming.pop().result()
                upcoming += [maker.submit(self.embed, chunk, role) for chunk in chunks[n + 1 : n + 2]]
                positions = range(n * LOCAL_CHUNK, n * LOCAL_CHUNK + len(chunks[n]))
                yield ResultChunk(tuple(positions), embedded.vectors, embedded.tokens, 0.0)
        finally:
            maker.shutdown(wait=False, cancel_futures=True)


def make(_settings: Settings, model: str, dimensions: int) -> LocalEmbedder:
    """Return the local embedder, which needs no settings. Raises EmbedderError for a model that it does not have."""
    return LocalEmbedder(model, dimensions)


PROVIDER = Provider(
    "local",
    LOCAL_MODEL,
    {
        "hashing-v1": KnownModel(dollars_per_million_tokens=0.0),
        "hashing-v2": KnownModel(dollars_per_million_tokens=0.0, usual_dimensions=4000),
        **dict.fromkeys(
            (SENTENCES, TITLED),
            KnownModel(dollars_per_million_tokens=0.0, dimensions=(DIMENSIONS,), usual_dimensions=DIMENSIONS),
        ),
    },
    make,
)
