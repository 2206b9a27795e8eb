"""`movie-assets providers`: the providers of embeddings with their models, limits and prices, and the one in use."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import groupby

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

    The model in use has a star. The price is in US dollars for a million tokens; tokens are those of a text, texts
    those of a request. The last column says how the service is told that a text is a question.

    MOVIE_ASSETS_EMBEDDER chooses the provider, MOVIE_ASSETS_EMBEDDING_MODEL the model. A server with OpenAI's API takes
    other models, too; what is known of these follows from their name. Nothing is sent.

    Example: movie-assets providers

    Example: MOVIE_ASSETS_EMBEDDER=openai MOVIE_ASSETS_EMBEDDING_MODEL=nomic-embed-text movie-assets providers --json
    """
    rows = list(rows_of(Settings.from_env()))
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], ensure_ascii=False))
        return
    for name, of_provider in groupby(rows, key=lambda row: row.provider):
        _show(name, list(of_provider))


def _show(name: str, rows: list[ModelRow]) -> None:
    """Print a provider with the settings that it needs, and a table of its models."""
    needs = ", ".join(f"{setting} ({'set' if is_set else 'not set'})" for setting, is_set in rows[0].needs.items())
    console.print(f"[bold]{name}[/] needs {needs or 'no setting'}", highlight=False)
    table = Table(box=None, padding=(0, 1))
    for column in ("", "model", "price", "dimensions", "tokens", "texts", "questions"):
        is_number = column in ("price", "tokens", "texts")
        table.add_column(column, justify="right" if is_number else "left", no_wrap=column in ("", "model"))
    for row in rows:
        price = "not known" if row.dollars_per_million_tokens is None else f"{row.dollars_per_million_tokens:g}"
        table.add_row(
            "*" if row.is_in_use else "", escape(row.model), price, row.dimensions, f"{row.tokens_per_text:,}",
            f"{row.texts_per_request:,}", "-" if row.roles == "none" else f"by {row.roles}",
        )  # fmt: skip
    console.print(table)
