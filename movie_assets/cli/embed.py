"""`movie-assets embed`: the vector of a text, and the pre-flight of a run."""

import json
import sys

import click
from rich.markup import escape

from movie_assets.cli.terminal import console
from movie_assets.config.settings import Settings
from movie_assets.database.database import open_database
from movie_assets.embeddings.embedder import Embedder, EmbedderError
from movie_assets.embeddings.registry import embedder_from
from movie_assets.orchestration.startup import database_for

STDIN = ("-",)


@click.command("embed")
@click.argument("text", nargs=-1)
@click.option("--document", is_flag=True, help="Embed it as the text of a film is embedded, not as a question.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object with set, model, tokens and cost, too.")
@click.option(
    "--preflight",
    is_flag=True,
    help="In place of a text: send one small request, and print what embedding the texts that are due will cost.",
)
def embed_command(text: tuple[str, ...], document: bool, as_json: bool, preflight: bool) -> None:
    """Embed a text with the model of the settings, and print its vector as SQL takes it: [0.1,0.2,…].

    An application passes it to catalog.match_movies or catalog.search_movies as query_embedding. The text is embedded
    as a question unless you say --document; some models tell them apart. TEXT - reads standard input. Without a key the
    local model embeds it.

    Example: movie-assets embed a detective investigates a murder

    Example: movie-assets embed --json --document - < story.txt

    Example: movie-assets embed --preflight
    """
    settings = Settings.from_env()
    if preflight:
        if text:
            raise click.UsageError("--preflight takes no text")
        _show_preflight(settings, as_json=as_json)
        return
    words = sys.stdin.read() if text == STDIN else " ".join(text)
    if not words.strip():
        raise click.UsageError("name a text, or - for standard input")
    click.echo(json.dumps(_embedded(embedder_from(settings), words.strip(), document, as_json), separators=(",", ":")))


def _embedded(embedder: Embedder, text: str, document: bool, as_json: bool) -> object:
    """Return the vector of a text, or the object with everything about it."""
    embedded = embedder.embed([text], "document" if document else "query")
    vector = embedded.vectors[0].tolist()
    if not as_json:
        return vector
    names = {"provider": embedder.provider, "model": embedder.model, "dimensions": embedder.dimensions}
    return {
        "vector": vector,
        "set": " ".join(map(str, (*names.values(), embedder.roles.template))),
        **names,
        "role": "document" if document else "query",
        "tokens": embedded.tokens,
        "dollars": embedded.dollars,
    }


def _show_preflight(settings: Settings, *, as_json: bool) -> None:
    from movie_assets.cli.cost import as_json as forecast_json  # noqa: PLC0415  # importing Dagster takes a second
    from movie_assets.cli.cost import bulk_of, due_texts  # noqa: PLC0415
    from movie_assets.embeddings.budget_check import forecast_for  # noqa: PLC0415
    from movie_assets.embeddings.preflight import preflight, sample_of  # noqa: PLC0415

    with database_for(settings, only_reads=True) as ready, open_database(ready) as database:
        embedder = embedder_from(ready)
        set_id, texts = due_texts(database, embedder, all_films=False)
        sample = sample_of([text.text for text in texts])
        shown = preflight(embedder, sample, forecast_for(database, embedder, set_id, texts))
        bulk = bulk_of(database, ready, shown.expected)
    if shown.refusal:
        raise EmbedderError(shown.refusal)
    if as_json:
        click.echo(json.dumps(forecast_json(shown.expected, ready, bulk, all_films=False) | shown.metadata))
    else:
        console.print(escape(shown.message), highlight=False, soft_wrap=True)
