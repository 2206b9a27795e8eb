"""Voyage: `POST /v1/embeddings`, with an input type for the role.

Sources: https://docs.voyageai.com/reference/embeddings-api (requests, responses, limits),
https://docs.voyageai.com/docs/embeddings (models, dimensions), https://docs.voyageai.com/docs/error-codes.
"""

from collections.abc import Mapping, Sequence

from movie_assets.config.settings import Settings
from movie_assets.embeddings.embedder import KnownModel, Limits, Provider, required_key
from movie_assets.embeddings.native import Json, NativeEmbedder, count_at
from movie_assets.embeddings.refusals import ErrorWording
from movie_assets.embeddings.roles import Roles

ROLES = Roles("document", "query", "input_type")
DIMENSIONS = (256, 512, 1024, 2048)
MAX_TEXTS, CONTEXT = 1000, 32_000
LARGE, MIDDLE, LITE = (Limits(MAX_TEXTS, tokens, CONTEXT) for tokens in (120_000, 320_000, 1_000_000))
# US dollars for a million tokens: https://docs.voyageai.com/docs/pricing, as of May 2026.
MODELS = {
    "voyage-4-large": KnownModel(0.12, DIMENSIONS, 1024, LARGE, ROLES),
    "voyage-4": KnownModel(0.06, DIMENSIONS, 1024, MIDDLE, ROLES),
    "voyage-4-lite": KnownModel(0.02, DIMENSIONS, 1024, LITE, ROLES),
    "voyage-3-large": KnownModel(0.18, DIMENSIONS, 1024, LARGE, ROLES),
    "voyage-3.5": KnownModel(0.06, DIMENSIONS, 1024, MIDDLE, ROLES),
    "voyage-3.5-lite": KnownModel(0.02, DIMENSIONS, 1024, LITE, ROLES),
}


class VoyageEmbedder(NativeEmbedder):
    """Makes vectors with a model of Voyage."""

    own_host = "api.voyageai.com"
    path = "/embeddings"
    # The sentence about one long text also says "batch" and "number of", as those about many texts do.
    errors = ErrorWording(
        "VOYAGE_API_KEY", "VOYAGE_BASE_URL", (("too_long", r"does not fit into the model's context"),)
    )

    def request(self, texts: Sequence[str], marks: Mapping[str, str], dimensions: int | None) -> dict[str, object]:
        """Return a request. A text that is too long has to be an error, so that it is cut and marked as such."""
        width = {} if dimensions is None else {"output_dimension": dimensions}
        return {"model": self.model, "truncation": False, **marks, **width, "input": list(texts)}

    def entries(self, content: Json) -> object:
        """Return the vectors with their index."""
        return content.get("data")

    def tokens(self, content: Json) -> int | None:
        """Return the tokens that are charged."""
        return count_at(content, "usage", "total_tokens")


def make(settings: Settings, model: str, dimensions: int) -> VoyageEmbedder:
    """Return the embedder of a model. Raises EmbedderError without a key."""
    key = required_key("Voyage", "VOYAGE_API_KEY", settings.voyage_api_key)
    return VoyageEmbedder(PROVIDER, settings, model, dimensions, key, settings.voyage_base_url)


def guess(_model: str) -> KnownModel:
    """Return what can be said of a model that is not known: the smallest limits."""
    return KnownModel(usual_dimensions=1024, limits=Limits(MAX_TEXTS, 120_000), roles=ROLES)


PROVIDER = Provider("voyage", "voyage-4", MODELS, make, ("VOYAGE_API_KEY",), "VOYAGE_BASE_URL", guess)
