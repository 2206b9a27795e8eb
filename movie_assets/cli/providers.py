"""`movie-assets providers`: the providers of embeddings with their models, limits and prices, and the one in use."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import click
from rich.markup import escape
from rich.table import Table

from movie_assets.cli.terminal import console
from movie_assets.config.settings import Settings
from movie_assets.embeddings.embedder import KnownModel, Provider
from movie_assets.embeddings.registry import configured_roles, dimensions_text, providers


@dataclass(frozen=True)
class ModelRow:
    """A model of a provider; a limit that is not known is None. `needs` has the settings, and whether each is set."""

    provider: str
    model: str
    is_in_use: bool
    dollars_per_million_tokens: float | None
    dimensions: str
    usual_dimensions: int
    tokens_per_text: int
    texts_per_request: int
    tokens_per_request: int
    roles: str  # how documents and questions are told apart: none, prefix, or the parameter's name
    document: str
    query: str
    needs: dict[str, bool]


def rows_of(settings: Settings) -> Iterator[ModelRow]:
    """Yield the known models of all providers, and the one in use if it is another."""
    for provider in sorted(providers().values(), key=lambda each: each.name != settings.embedder_in_use):
        is_chosen = provider.name == settings.embedder_in_use
        in_use = (settings.embedding_model or provider.default_model) if is_chosen else None
        others = [model for model in provider.models if model != in_use]
        for model in [in_use, *others] if in_use else others:
            yield _row(settings, provider, model, provider.known(model), is_in_use=model == in_use)


def _row(settings: Settings, provider: Provider, model: str, known: KnownModel, *, is_in_use: bool) -> ModelRow:
    # Only the model in use gets the settings' prefixes and price.
    roles = configured_roles(settings, known.roles) if is_in_use else known.roles
    price = provider.price_of(model, settings.dollars_per_million_tokens if is_in_use else None)
    fields = {field.alias: name for name, field in Settings.model_fields.items()}
    return ModelRow(
        provider=provider.name,
        model=model,
        is_in_use=is_in_use,
        dollars_per_million_tokens=price.per_million_tokens,
        dimensions=dimensions_text(known.dimensions),
        usual_dimensions=known.usual_dimensions,
        tokens_per_text=known.limits.longest,
        texts_per_request=known.limits.inputs,
        tokens_per_request=known.limits.tokens,
        roles=(roles.parameter or "prefix") if roles.document or roles.query else "none",
        document=roles.document,
        query=roles.query,
        needs={name: getattr(settings, fields[name]) is not None for name in provider.needs},
    )


@click.command("providers")
@click.option("--json", "as_json", is_flag=True, help="Print the models as JSON.")
def providers_command(as_json: bool) -> None:
    """List the providers of embeddings: models, prices, limits, dimensions, and the settings that each needs.

    The model in use is marked. MOVIE_ASSETS_EMBEDDER chooses the provider, MOVIE_ASSETS_EMBEDDING_MODEL the model. A
    server with OpenAI's API takes other models, too; what is known of these follows from their name. Nothing is sent.

    Example: movie-assets providers

    Example: MOVIE_ASSETS_EMBEDDER=openai MOVIE_ASSETS_EMBEDDING_MODEL=nomic-embed-text movie-assets providers --json
    """
    rows = list(rows_of(Settings.from_env()))
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], ensure_ascii=False))
        return
    table = Table(box=None, padding=(0, 2))
    for column in (
        "",
        "provider",
        "model",
        "$/M tokens",
        "dimensions",
        "tokens a text",
        "texts a request",
        "questions",
    ):
        table.add_column(column, justify="right" if column.startswith(("$", "t")) else "left")
    for row in rows:
        price = "not known" if row.dollars_per_million_tokens is None else f"{row.dollars_per_million_tokens:g}"
        questions = "as documents" if row.roles == "none" else f"by {row.roles}"
        table.add_row(
            "*" if row.is_in_use else "", row.provider, escape(row.model), price, row.dimensions,
            f"{row.tokens_per_text:,}", f"{row.texts_per_request:,}", questions,
        )  # fmt: skip
    console.print(table)
    for name, needs in {row.provider: row.needs for row in rows}.items():
        said = ", ".join(f"{setting} ({'set' if is_set else 'not set'})" for setting, is_set in needs.items())
        console.print(f"{name} needs {said or 'no setting'}", highlight=False)
