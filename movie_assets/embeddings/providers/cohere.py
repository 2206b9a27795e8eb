"""Cohere: `POST /v2/embed`, with an input type for the role.

Sources: https://docs.cohere.com/reference/embed (requests, responses, 96 texts), https://docs.cohere.com/reference/errors,
https://docs.cohere.com/docs/cohere-embed (models, dimensions), https://docs.cohere.com/docs/rate-limits.
"""

from collections.abc import Mapping, Sequence

from movie_assets.config.settings import Settings
from movie_assets.embeddings.embedder import KnownModel, Limits, Provider, required_key
from movie_assets.embeddings.native import Json, NativeEmbedder, count_at, value_at
from movie_assets.embeddings.refusals import ErrorWording
from movie_assets.embeddings.roles import Roles

ROLES = Roles("search_document", "search_query", "input_type")
LIMITS = Limits(inputs=96, tokens=128_000)
OF_1024 = KnownModel(0.10, (1024,), 1024, Limits(96, 128_000, longest=512), ROLES)
# US dollars for a million tokens: https://cohere.com/pricing (Embed), as of April 2026.
MODELS = {
    "embed-v4.0": KnownModel(0.12, (256, 512, 1024, 1536), 1536, Limits(96, 128_000, longest=128_000), ROLES),
    "embed-english-v3.0": OF_1024,
    "embed-multilingual-v3.0": OF_1024,
}


class CohereEmbedder(NativeEmbedder):
    """Makes vectors with a model of Cohere."""

    own_host = "api.cohere.com"
    path = "/embed"
    # A trial key's limit a month does not pass within a run, as its limit a minute does.
    errors = ErrorWording("COHERE_API_KEY", "COHERE_BASE_URL", (("quota", r"calls? ?/ ?month"),))

    def request(self, texts: Sequence[str], marks: Mapping[str, str], dimensions: int | None) -> dict[str, object]:
        """Return a request. A text that is too long has to be an error, so that it is cut and marked as such."""
        width = {} if dimensions is None else {"output_dimension": dimensions}
        frame = {"model": self.model, "embedding_types": ["float"], "truncate": "NONE"}
        return {**frame, **marks, **width, "texts": list(texts)}

    def entries(self, content: Json) -> object:
        """Return the vectors, which are in the order of the texts."""
        found = value_at(content, "embeddings", "float")
        return [{"embedding": row} for row in found] if isinstance(found, list) else found

    def tokens(self, content: Json) -> int | None:
        """Return the tokens that are billed."""
        return count_at(content, "meta", "billed_units", "input_tokens")


def make(settings: Settings, model: str, dimensions: int) -> CohereEmbedder:
    """Return the embedder of a model. Raises EmbedderError without a key."""
    key = required_key("Cohere", "COHERE_API_KEY", settings.cohere_api_key)
    return CohereEmbedder(PROVIDER, settings, model, dimensions, key, settings.cohere_base_url)


def guess(_model: str) -> KnownModel:
    """Return what can be said of a model that is not known."""
    return KnownModel(limits=LIMITS, roles=ROLES)


PROVIDER = Provider("cohere", "embed-v4.0", MODELS, make, ("COHERE_API_KEY",), "COHERE_BASE_URL", guess)
