"""`movie-assets compare-models`: embedding models on the user's own films, before a catalogue is embedded."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from movie_assets.cli.terminal import console, notes
from movie_assets.config.settings import Settings
from movie_assets.database.database import open_database
from movie_assets.embeddings.choice import ModelChoice, model_choice
from movie_assets.embeddings.registry import providers
from movie_assets.orchestration.startup import database_for

if TYPE_CHECKING:
    from movie_assets.search.model_comparison import Comparison, ModelResult

INTERRUPTED = 130  # as a shell has it after Ctrl-C
COLUMNS = ("plot\nMRR", "franchise\nNDCG@10", "index\nrecall@10", "catalogue\ncost", "catalogue\nminutes")
TO_SWITCH = (
    "Searches use the same set as before. To switch, set MOVIE_ASSETS_EMBEDDER, MOVIE_ASSETS_EMBEDDING_MODEL and "
    "MOVIE_ASSETS_EMBEDDING_DIMENSIONS, and refresh: the new set is searched as soon as it has the catalogue. "
    "`movie-assets sets` shows the progress and switches back."
)


def _choices(_context: click.Context, _parameter: click.Parameter, names: tuple[str, ...]) -> list[ModelChoice]:
    """Read the models that are named; a usage error for one that cannot be read, or whose provider is not known."""
    try:
        choices = [model_choice(name) for name in names]
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    for choice in choices:
        if choice.provider not in providers():
            raise click.BadParameter(f"there is no provider {choice.provider}; known are {', '.join(providers())}")
    return choices


@click.command("compare-models")
@click.argument("models", nargs=-1, required=True, callback=_choices, metavar="PROVIDER[:MODEL][=DIMENSIONS]...")
@click.option("--films", type=click.IntRange(10, 20_000), default=1000, show_default=True, help="Films to embed.")
@click.option(
    "--questions", type=click.IntRange(1, 2000), default=200, show_default=True, help="Plot questions about them."
)
@click.option("--yes", is_flag=True, help="Do not ask before spending money.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON; asks nothing only with --yes.")
def compare_models_command(models: list[ModelChoice], films: int, questions: int, yes: bool, as_json: bool) -> None:
    """Compare embedding models on films of your own catalogue, before you pay for all of it.

    Embeds the same films and questions with each model, and says how often the right films are near, and what the
    whole catalogue would cost. First it says what the comparison costs, and asks. The budgets of the settings hold. A
    model whose key is missing is left out and the others are measured. No vector is kept: searches stay as they are.

    plot MRR: a sentence of a film's overview is the question, and is left out of the film's text; 1 means that the film
    is always the nearest, 0.5 that it is usually the second. Vectors alone are compared, without words. A difference
    of less than twice the error after ± may be chance.

    franchise NDCG@10: whether the films of a TMDB collection are each other's nearest; 1 is the best.

    index recall@10: how many of the ten nearest films an index of these vectors finds.

    Exit code 0: at least one model was measured. 130: Ctrl-C; what was measured until then is printed.

    Example: movie-assets compare-models local openai:text-embedding-3-small openai:text-embedding-3-large=1024
    """
    from movie_assets.search.model_comparison import prepare  # noqa: PLC0415  # importing Dagster takes a second

    settings = Settings.from_env()
    with database_for(settings) as ready, open_database(ready) as database:
        comparison = prepare(database, ready, models, films, questions, datetime.now(UTC))
        comparison.require_budget()
        _announce(comparison)
        if comparison.is_paid and not yes:
            click.confirm("Go on?", abort=True, err=True)
        results, is_interrupted = _results(comparison)
    if as_json:
        click.echo(json.dumps([asdict(result) for result in results]))
    else:
        show(console, results)
    if is_interrupted:
        sys.exit(INTERRUPTED)
    sys.exit(0 if any(result.problem is None for result in results) else 1)


def _results(comparison: "Comparison") -> tuple[list["ModelResult"], bool]:
    """Return the results, those so far after Ctrl-C, and whether there was one."""
    results: list[ModelResult] = []
    try:
        for result in comparison.results(lambda name: notes.print(f"embedding with {escape(name)}", highlight=False)):
            results.append(result)  # noqa: PERF402  # those before the interruption are kept
    except KeyboardInterrupt:
        return results, True
    return results, False


def _announce(comparison: "Comparison") -> None:
    """Print on standard error what is compared, and what each model is expected to cost."""
    sample = comparison.sample
    notes.print(
        f"{len(sample.texts):,} of the catalogue's {comparison.catalogue.texts:,} films, "
        f"{len(sample.questions):,} plot questions, {len(sample.franchises):,} films in collections.",
        highlight=False,
    )
    for candidate in comparison.candidates:
        cost = f"about {candidate.expected_tokens:,} tokens, {_dollars(candidate.expected_dollars)}"
        notes.print(escape(f"{candidate.choice}: {candidate.problem or cost}"), highlight=False)
    for name, dollars in comparison.budget.remaining().items():
        notes.print(f"{name} has ${dollars:.4f} left", highlight=False)


def show(target: Console, results: Sequence["ModelResult"]) -> None:
    """Print the results for people: a table, the models that were not measured, and how to switch."""
    table = Table(box=None, padding=(0, 1))
    table.add_column("model", overflow="fold")
    for column in COLUMNS:
        table.add_column(column, justify="right", no_wrap=True)
    measured = [result for result in results if result.problem is None]
    for result in measured:
        error = "" if result.plot_mrr_error is None else f" ± {result.plot_mrr_error:.2f}"
        table.add_row(
            escape(result.model), f"{_figure(result.plot_mrr)}{error}", _figure(result.franchise_ndcg_at_10),
            _figure(result.index_recall_at_10), _dollars(result.catalogue_dollars),
            f"{result.catalogue_minutes or 0:,.1f}",
        )  # fmt: skip
    if measured:
        target.print(table)
    for result in results:
        if result.problem is not None:
            target.print(f"[red]not measured[/] {escape(f'{result.model}: {result.problem}')}", highlight=False)
        elif result.rejected_texts:
            target.print(escape(f"{result.model} rejected {result.rejected_texts:,} texts"), highlight=False)
    dollars = sum(result.dollars or 0.0 for result in results)
    if measured or dollars:
        target.print(f"The comparison cost {_dollars(dollars)}. {TO_SWITCH if measured else ''}", highlight=False)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _dollars(dollars: float | None) -> str:
    return "not known" if dollars is None else f"${dollars:,.4f}"
