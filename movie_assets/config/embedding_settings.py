"""Settings of embeddings: the service, the model and budgets. settings.py reads them with the others."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from movie_assets.config.embedding_limits import MAX_WIDTH, MIN_WIDTH, TEXTS_PER_REQUEST
from movie_assets.config.prices import Budgets
from movie_assets.config.setting_values import ApiVersion, ModelName, Prefix, Token, Url


def _is_a_provider(name: str) -> str:
    names = provider_names()
    if name not in names:
        raise ValueError(f"Input should be {' or '.join(map(repr, names))}")
    return name


class EmbeddingSettings(BaseModel, defer_build=True):
    """The part of the configuration that is about embeddings.

    A provider that needs a key (`embeddings/providers/<name>.py`) has a field `<name>_api_key`; no other list names it.
    """

    openai_api_key: Token = Field(
        None, alias="OPENAI_API_KEY", description="Key of OpenAI or of a compatible embeddings service."
    )
    openai_base_url: Url = Field(
        "https://api.openai.com/v1",
        alias="OPENAI_BASE_URL",
        description="Address of the embeddings service.",
    )
    azure_api_key: Token = Field(None, alias="AZURE_OPENAI_API_KEY", description="Key of an Azure OpenAI resource.")
    azure_endpoint: Url | None = Field(
        None,
        alias="AZURE_OPENAI_ENDPOINT",
        description="Address of the Azure OpenAI resource, such as `https://films.openai.azure.com`. "
        "`MOVIE_ASSETS_EMBEDDING_MODEL` is the deployment's name.",
    )
    azure_api_version: ApiVersion = Field(
        "2024-10-21", alias="OPENAI_API_VERSION", description="Version of Azure OpenAI's API, a date."
    )
    gemini_api_key: Token = Field(None, alias="GEMINI_API_KEY", description="Key of the Gemini API.")
    gemini_base_url: Url = Field(
        "https://generativelanguage.googleapis.com/v1beta",
        alias="GEMINI_BASE_URL",
        description="Address of the Gemini API.",
    )
    cohere_api_key: Token = Field(None, alias="COHERE_API_KEY", description="Key of Cohere's API, for vectors.")
    cohere_base_url: Url = Field(
        "https://api.cohere.com/v2", alias="COHERE_BASE_URL", description="Address of Cohere's API."
    )
    voyage_api_key: Token = Field(None, alias="VOYAGE_API_KEY", description="Key of Voyage's API.")
    voyage_base_url: Url = Field(
        "https://api.voyageai.com/v1", alias="VOYAGE_BASE_URL", description="Address of Voyage's API."
    )
    embedder: Annotated[str, AfterValidator(_is_a_provider)] | None = Field(
        None,
        alias="MOVIE_ASSETS_EMBEDDER",
        description="The provider of vectors: `local` (no key, no download), `openai` (also for servers with its API) "
        "or another one that `movie-assets providers` lists. Unset: `openai` if `OPENAI_API_KEY` is set, else `local`.",
    )
    embedding_model: ModelName | None = Field(
        None,
        alias="MOVIE_ASSETS_EMBEDDING_MODEL",
        description="Unset: `hashing-v2` (local) or `text-embedding-3-small` (openai).",
    )
    embedding_dimensions: int | None = Field(
        None,
        alias="MOVIE_ASSETS_EMBEDDING_DIMENSIONS",
        ge=MIN_WIDTH,
        le=MAX_WIDTH,
        description="Width of the vectors, 8 to 4000 (what pgvector can index as `halfvec`). Unset: the model's usual "
        "width: 4000 for `hashing-v2`, 1536 for most.",
    )
    embedding_document_prefix: Prefix | None = Field(
        None,
        alias="MOVIE_ASSETS_EMBEDDING_DOCUMENT_PREFIX",
        description="Text before each film's text. Unset: what the model's documentation asks for, such as "
        "`passage: ` with E5. `none`: no prefix. `\\n` is a new line. Another prefix makes another set.",
    )
    embedding_query_prefix: Prefix | None = Field(
        None,
        alias="MOVIE_ASSETS_EMBEDDING_QUERY_PREFIX",
        description="Text before each question. Unset: what the model's documentation asks for, such as `query: ` with "
        "E5. `none`: no prefix. `\\n` is a new line.",
    )
    embedding_join_words: Annotated[float, Field(ge=0.01, le=0.99)] | None = Field(
        None,
        alias="MOVIE_ASSETS_EMBEDDING_JOIN_WORDS",
        description="Share of words in the vectors, such as 0.6: each vector of the model is joined with one of "
        "`hashing-v2`, and a search compares both. Films of a series are found better. Unset: the model's vectors "
        "alone, as always with the hashing models. Another share makes another set; no bulk.",
    )
    embedding_texts_per_request: int = Field(
        TEXTS_PER_REQUEST,
        alias="MOVIE_ASSETS_EMBEDDING_TEXTS_PER_REQUEST",
        ge=1,
        le=2048,
        description="The largest number of texts in a request to the embeddings service. When the service rejects a "
        "request as too large, smaller ones are sent automatically; with the right number none is rejected.",
    )
    dollars_per_million_tokens: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(
        None,
        alias="MOVIE_ASSETS_DOLLARS_PER_MILLION_TOKENS",
        description="US dollars for a million tokens, for a model without a known price, or with another price.",
    )
    run_dollars: float = Field(
        0.0,
        alias="MOVIE_ASSETS_RUN_DOLLARS",
        ge=0,
        allow_inf_nan=False,
        description="US dollars that one run may spend on embeddings; it stops before the limit. 0 = no limit.",
    )
    daily_dollars: float = Field(
        0.0,
        alias="MOVIE_ASSETS_DAILY_DOLLARS",
        ge=0,
        allow_inf_nan=False,
        description="US dollars that a day (UTC) may cost in embeddings, all runs together. 0 = no limit.",
    )
    bulk_above_texts: int = Field(
        0,
        alias="MOVIE_ASSETS_BULK_ABOVE_TEXTS",
        ge=0,
        description="When more texts than this wait for a vector, such as those of a first build or of a new embedding "
        "set, they are sent through the service's Batch API: half the price, within a day. Fewer are embedded at once. "
        "0 = never, as vectors would come hours later, and most servers but OpenAI's have no such API.",
    )
    tiktoken_cache: Path | None = Field(
        None,
        alias="TIKTOKEN_CACHE_DIR",
        description="Folder of the tables of tiktoken (the extra `tokens`), for exact token counts. They are never "
        "downloaded. Unset: `data-gym-cache` in the folder for temporary files.",
    )

    @property
    def embedder_in_use(self) -> str:
        """The provider of new vectors: the one that is set, else OpenAI with its key, else the local one.

        Keys of other providers are in many environments for other programs, so they alone choose nothing.
        """
        return self.embedder or ("openai" if self.openai_api_key is not None else LOCAL)

    def goes_in_bulk(self, texts: int) -> bool:
        """Return whether so many waiting texts are sent through the Batch API."""
        return 0 < self.bulk_above_texts < texts

    @property
    def budgets(self) -> Budgets:
        """The budgets of a run and of a day."""
        return Budgets(self.run_dollars, self.daily_dollars)


LOCAL = "local"
KEY = "_api_key"
PROVIDERS_WITH_KEY = {name.removesuffix(KEY): name for name in EmbeddingSettings.model_fields if name.endswith(KEY)}


def provider_names() -> tuple[str, ...]:
    """Return the names of the embeddings providers."""
    return (LOCAL, *PROVIDERS_WITH_KEY)
