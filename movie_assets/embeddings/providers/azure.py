"""Azure OpenAI: OpenAI's API with the deployment in the path, a version of the API, and the key in a header of its own.

Sources: https://learn.microsoft.com/azure/ai-services/openai/reference (path, `api-version`, `api-key`). Resources that
serve `/openai/v1` speak OpenAI's own API: set OPENAI_BASE_URL to it instead.
"""

from typing import TYPE_CHECKING

from movie_assets.config.settings import Settings
from movie_assets.embeddings.embedder import EmbedderError, Provider, required_key
from movie_assets.embeddings.providers.openai import MODELS, OPENAI_HOST, OPENAI_MODEL, OpenAiEmbedder, guess
from movie_assets.embeddings.refusals import ErrorWording
from movie_assets.embeddings.remote import SECONDS_PER_REQUEST, service_name
from movie_assets.embeddings.tokenizer import counter_for

if TYPE_CHECKING:
    from openai import OpenAI

# "The API deployment for this resource does not exist", with the code DeploymentNotFound, is a model's error; a wrong
# resource or version is "Resource not found".
ERRORS = ErrorWording(
    "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT and OPENAI_API_VERSION",
    (("model", r"deploymentnotfound|operationnotsupported|unavailable_model"), ("address", r"resource not found"),
     ("key", r"access denied due to|permissiondenied")),
    model="the deployment's name in MOVIE_ASSETS_EMBEDDING_MODEL",
)  # fmt: skip


class AzureEmbedder(OpenAiEmbedder):
    """Makes vectors with a deployment, whose name is `model`.

    Its Batch API is not used, as it needs deployments of another kind (Global Batch).
    """

    errors = ERRORS
    bulk_api = None
    api_version = ""

    def _client(self) -> "OpenAI":
        import openai  # noqa: PLC0415  # takes half a second

        return openai.AzureOpenAI(
            api_key=self._api_key.get_secret_value(),
            azure_endpoint=self._base_url,
            api_version=self.api_version,
            max_retries=0,
            timeout=SECONDS_PER_REQUEST,
        )


def make(settings: Settings, model: str, dimensions: int) -> AzureEmbedder:
    """Return the embedder of a deployment. Raises EmbedderError without a key or the resource's address."""
    key = required_key("Azure OpenAI", "AZURE_OPENAI_API_KEY", settings.azure_api_key)
    if settings.azure_endpoint is None:
        raise EmbedderError(
            "vectors come from Azure OpenAI and AZURE_OPENAI_ENDPOINT is not set; set it to the resource's address, "
            "such as https://films.openai.azure.com"
        )
    embedder = AzureEmbedder(
        model, dimensions, key, settings.azure_endpoint,
        price=PROVIDER.price_of(model, settings.dollars_per_million_tokens),
        counter=counter_for(model, settings.tiktoken_cache), limits=PROVIDER.known(model).limits,
        texts_per_request=settings.embedding_texts_per_request,
    )  # fmt: skip
    embedder.provider = service_name("azure", OPENAI_HOST, settings.azure_endpoint)
    embedder.api_version = settings.azure_api_version
    return embedder


PROVIDER = Provider(
    "azure", OPENAI_MODEL, MODELS, make, ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT"), "AZURE_OPENAI_ENDPOINT",
    guess,
)  # fmt: skip
