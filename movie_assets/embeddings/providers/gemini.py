"""Gemini: `models/{model}:batchEmbedContents`, with a task type for the role and vectors that are not of length 1.

Sources: https://ai.google.dev/api/embeddings (requests, responses), https://ai.google.dev/gemini-api/docs/embeddings
(task types, dimensions), https://ai.google.dev/gemini-api/docs/rate-limits.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from movie_assets.config.settings import Settings
from movie_assets.embeddings.embedder import KnownModel, Limits, Provider, required_key
from movie_assets.embeddings.native import Json, NativeEmbedder, count_at, value_at
from movie_assets.embeddings.refusals import ErrorWording
from movie_assets.embeddings.roles import Roles

LIMITS = Limits(inputs=100, longest=2048)
# The model takes no task type; its documentation asks for these prefixes.
PREFIXES = Roles("title: none | text: ", "task: search result | query: ")
DIMENSIONS = range(128, 3073)
# US dollars for a million tokens: https://ai.google.dev/gemini-api/docs/pricing (paid tier, text), as of April 2026.
MODELS = {
    "gemini-embedding-001": KnownModel(
        0.15, DIMENSIONS, limits=LIMITS, roles=Roles("RETRIEVAL_DOCUMENT", "RETRIEVAL_QUERY", "taskType")
    ),
    "gemini-embedding-2": KnownModel(0.20, DIMENSIONS, limits=Limits(inputs=100, longest=8192), roles=PREFIXES),
}


class GeminiEmbedder(NativeEmbedder):
    """Makes vectors with a model of the Gemini API."""

    own_host = "generativelanguage.googleapis.com"
    errors = ErrorWording("GEMINI_API_KEY", "GEMINI_BASE_URL")

    @property
    def path(self) -> str:
        """Return the path of requests, which names the model."""
        return f"/models/{quote(self.model, safe='')}:batchEmbedContents"

    def headers(self, key: str) -> dict[str, str]:
        """Return the header of the key; in the address, it would stand in logs of proxies."""
        return {"x-goog-api-key": key}

    def request(self, texts: Sequence[str], marks: Mapping[str, str], dimensions: int | None) -> dict[str, object]:
        """Return a request for each text."""
        width = {} if dimensions is None else {"outputDimensionality": dimensions}
        frame = {"model": f"models/{self.model}", **marks, **width}
        return {"requests": [{**frame, "content": {"parts": [{"text": text}]}} for text in texts]}

    def entries(self, content: Json) -> object:
        """Return the vectors, which are in the order of the texts."""
        found = content.get("embeddings")
        return [{"embedding": value_at(one, "values")} for one in found] if isinstance(found, list) else found

    def tokens(self, content: Json) -> int | None:
        """Return the tokens; most responses do not report them."""
        return count_at(content, "usageMetadata", "promptTokenCount")

    def pause(self, content: Json) -> str | None:
        """Return the `retryDelay` of an error's details, such as `37s`."""
        details = value_at(content, "error", "details")
        for detail in details if isinstance(details, list) else []:
            if isinstance(delay := value_at(detail, "retryDelay"), str):
                return delay.removesuffix("s")
        return None


def make(settings: Settings, model: str, dimensions: int) -> GeminiEmbedder:
    """Return the embedder of a model. Raises EmbedderError without a key."""
    key = required_key("Gemini", "GEMINI_API_KEY", settings.gemini_api_key)
    return GeminiEmbedder(PROVIDER, settings, model, dimensions, key, settings.gemini_base_url)


def guess(model: str) -> KnownModel:
    """Return what can be said of a model that is not known: newer ones take prefixes."""
    return KnownModel(
        limits=LIMITS, roles=PREFIXES if model.startswith("gemini-embedding-2") else MODELS[DEFAULT].roles
    )


DEFAULT = "gemini-embedding-001"
PROVIDER = Provider("gemini", DEFAULT, MODELS, make, ("GEMINI_API_KEY",), "GEMINI_BASE_URL", guess)
