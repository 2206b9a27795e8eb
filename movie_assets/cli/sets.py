"""The commands on embedding sets: list them, and choose the one that searches use."""

import json

import click
from rich.markup import escape

from movie_assets.cli import report
from movie_assets.cli.terminal import console
from movie_assets.config.settings import Settings
from movie_assets.database.database import open_database
from movie_assets.embeddings.registry import embedder_from
from movie_assets.embeddings.sets import embedding_sets, use_set
from movie_assets.orchestration.startup import database_for


@click.group("sets", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print the sets as JSON.")
@click.pass_context
def sets_command(context: click.Context, as_json: bool) -> None:
    """List the embedding sets with their model, state, number of films and cost.

    A set has the vectors of one model with one number of dimensions and one text template. Searches use the active set.
    """
    if context.invoked_subcommand is not None:
        return
    with database_for(Settings.from_env()) as ready, open_database(ready) as database:
        sets = embedding_sets(database)
        if as_json:
            click.echo(json.dumps([row._asdict() for row in sets], default=str))
        else:
            report.show_sets(console, sets)


@sets_command.command("use")
@click.argument("set_id", type=int, metavar="SET")
@click.option("--accept-partial", is_flag=True, help="Use it even if it does not have the vectors of all films.")
def use_command(set_id: int, accept_partial: bool) -> None:
    """Switch searches to another set, for example back to the old one when a new model disappoints.

    A set that is not that of the settings is held: the pipeline does not replace it until you use the set of the
    settings again.

    Example: movie-assets sets use 1
    """
    settings = Settings.from_env()
    with database_for(settings) as ready, open_database(ready) as database:
        chosen = use_set(database, set_id, embedder_from(settings), accept_partial=accept_partial)
        covers = f"{chosen.films_embedded:,} of {chosen.films:,} films"
        console.print(escape(f"Searches use set {chosen.set_id} ({chosen.name}), {covers}."))
        if chosen.is_held:
            console.print(
                "It is held until you use the set of the settings. Films that change keep their old vectors in it, "
                "unless you set its model in the settings."
            )
