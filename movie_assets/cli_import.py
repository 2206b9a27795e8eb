"""The commands that take in what people watched, and that ask a person which film is meant where it is not certain."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import click
from rich.markup import escape

from movie_assets.import_report import show_import
from movie_assets.imports import Choices, ImportFailedError, import_path
from movie_assets.settings import Settings
from movie_assets.startup import database_for
from movie_assets.terminal import console, notes, opened


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option(
    "--person", default="me", show_default=True, help="Whose films they are. MovieLens' users keep their own."
)
@click.option(
    "--seen/--wanted", "are_seen", default=None, help="What films without a rating are, where a file does not tell."
)
@click.option("--replace", is_flag=True, help="Even if most of what was imported before is not in the file any more.")
@click.option("--request", is_flag=True, help="Ask TMDB for the films that the catalogue does not have.")
@click.option("--json", "as_json", is_flag=True, help="Print the reports as JSON.")
def import_command(
    files: tuple[Path, ...], person: str, are_seen: bool | None, replace: bool, request: bool, as_json: bool
) -> None:
    """Take in what somebody watched, rated or wants to watch.

    FILE is an export of Letterboxd (the zip, or its csv files), IMDb (ratings, lists) or MovieLens (zip, folder or
    ratings.csv), or a plain list; the format is told by what is in it. A newer export replaces an older one of its
    kind; the same again changes nothing. Exit code 1: a file could not be imported. Example: movie-assets import
    letterboxd-me-2026-11-20.zip
    """
    unrated: Literal["seen", "wanted"] | None = None if are_seen is None else "seen" if are_seen else "wanted"
    choices = Choices(person, unrated, replace, request)
    reports, problems = [], []
    with database_for(Settings.from_env()) as ready, opened(ready) as database:
        for file in files:
            try:
                reports += import_path(database, file, choices, datetime.now(UTC))
            except ImportFailedError as error:
                problems.append(str(error))
    if as_json:
        click.echo(json.dumps([report.as_json() for report in reports], ensure_ascii=False))
    else:
        for report in reports:
            show_import(console, report)
    if any(report.requested for report in reports):
        notes.print("The requested films are fetched by the next `movie-assets refresh`, or by the sensor.")
    if problems:
        raise ImportFailedError("; ".join(problems))


@click.command("review")
@click.argument("review_id", required=False, type=click.IntRange(1, 2**62), metavar="[ID]")
@click.argument("film", required=False, metavar="[FILM]")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def review_command(review_id: int | None, film: str | None, as_json: bool) -> None:
    """List the films of which imports are not certain; or decide one: FILM is a TMDB id, or none.

    A decision holds for what was imported and for all that will be, whoever names the film so. Example:
    movie-assets review 12 438631
    """
    if film is not None and film != "none" and not (film.isdecimal() and 0 < int(film) < 2**53):
        raise click.BadParameter("FILM is one film's TMDB id, or none", param_hint="FILM")
    with database_for(Settings.from_env()) as ready, opened(ready) as database:
        if review_id is not None and film is not None:
            decided = database.rows("decide_review", review_id=review_id, film=None if film == "none" else int(film))
            if not decided:
                raise ImportFailedError(f"there is no review {review_id}; `movie-assets review` lists them")
            (review,) = decided
            what = "none of the films" if review.decision is None else review.title or f"TMDB's film {review.decision}"
            console.print(escape(f"{review.name} is {what}, for all who named it ({review.people})."), highlight=False)
            return
        found = [dict(row._mapping) for row in database.rows("open_reviews")]  # noqa: SLF001
        found = [row for row in found if review_id in (None, row["review_id"])]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for row in found:
        console.print(escape(f"{row['review_id']:>6}  {row['name']}  ({row['people']} people)"), highlight=False)
        for candidate in row["candidates"]:
            told = "{confidence:.2f}  {title} ({release_year}), {tmdb_id}: {matched_by}".format(**candidate)
            console.print(escape(f"          {told}"), highlight=False)
    if not found:
        notes.print("Nothing is to be decided.")
