"""Settings of the optional rerank endpoint. settings.py reads them with the others."""

from pydantic import BaseModel, Field

from movie_assets.config.setting_values import ModelName, SecretUrl, Token


class RerankSettings(BaseModel, defer_build=True):
    """The part of the configuration that is about ranking search results anew."""

    rerank_url: SecretUrl = Field(
        None,
        alias="MOVIE_ASSETS_RERANK_URL",
        description="Whole address of a Cohere-compatible rerank endpoint, such as `https://api.cohere.com/v2/rerank`, "
        "which `movie-assets search` lets rank its best films anew. Unset: the order of the search.",
    )
    rerank_key: Token = Field(
        None, alias="MOVIE_ASSETS_RERANK_KEY", description="Key of the rerank endpoint, if it needs one."
    )
    rerank_model: ModelName | None = Field(
        None,
        alias="MOVIE_ASSETS_RERANK_MODEL",
        description="Model of the rerank endpoint, such as `rerank-v3.5`. Unset: the endpoint has one model only.",
    )
    rerank_seconds: float = Field(
        1.0,
        alias="MOVIE_ASSETS_RERANK_SECONDS",
        gt=0,
        le=60,
        allow_inf_nan=False,
        description="How long a search waits for the rerank endpoint, in seconds, before it keeps its own order.",
    )
