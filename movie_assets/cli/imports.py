"""The commands that take in what people watched, and that ask a person which film is meant where it is not certain."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import click
from rich.markup import escape

from movie_assets.cli.terminal import console, notes
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, as_dict, open_database, rows
from movie_assets.histories.choices import Choices, ImportFailedError
from movie_assets.histories.forgetting import dagster_records_naming
from movie_assets.histories.import_report import show_import
from movie_assets.histories.imports import import_path
from movie_assets.histories.inbox import Inbox
from movie_assets.orchestration.startup import dagster_address, database_for

REVIEW = ("review_id", "name", "candidates", "status", "decision", "people")


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

    FILE is an export of Letterboxd (the zip, its csv files or a list), IMDb (ratings, lists), Trakt, Simkl (JSON, CSV)
    or MovieLens (zip, folder, ratings.csv, or its site's export), or a plain list; its content says which. A newer
    export replaces an older one of its kind; the same again changes nothing. Exit code 1: a file could not be
    imported. Example: movie-assets import letterboxd-me-2026-11-20.zip
    """
    unrated: Literal["seen", "wanted"] | None = None if are_seen is None else "seen" if are_seen else "wanted"
    choices = Choices(person, unrated, replace, request)
    reports, problems = [], []
    with database_for(Settings.from_env()) as ready, open_database(ready) as database:
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
    """List the films of which imports are not certain; or decide one: FILM is a TMDB id, none, or open.

    A decision holds for what was imported and for all that will be, whoever names the film so; open takes it back.
    Example: movie-assets review 12 438631
    """
    if film not in (None, "none", "open") and not (film.isdecimal() and 0 < int(film) < 2**53):
        raise click.BadParameter("FILM is one film's TMDB id, none, or open", param_hint="FILM")
    with database_for(Settings.from_env()) as ready, open_database(ready) as database:
        if review_id is not None and film is not None:
            console.print(escape(_decided(database, review_id, film)), highlight=False)
            return
        asked = database.rows("open_reviews") if review_id is None else [_review(database, review_id)]
    found = [{name: as_dict(row)[name] for name in REVIEW} for row in asked]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for row in asked:
        told = "" if row.status == "open" else f", decided: {_meant(row)}"
        console.print(escape(f"{row.review_id:>6}  {row.name}  ({row.people} people){told}"), highlight=False)
        for candidate in row.candidates:
            told = "{confidence:.2f}  {title} ({release_year}), {tmdb_id}: {matched_by}".format(**candidate)
            console.print(escape(f"          {told}"), highlight=False)
    if not found:
        notes.print("Nothing is to be decided.")


@click.command("forget")
@click.argument("person")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget_command(person: str, yes: bool) -> None:
    """Delete everything that is stored of a person: histories, files' entries, recommendations, series.

    All of it in one transaction. Files of the person in the inbox are named: delete them yourself, or they are imported
    again. Dagster's records of runs by earlier versions may have the name: the command tells which runs. Backups keep
    what they have until they expire. The recommendation model was learnt from all histories together and changes when
    it is learnt again. Example: movie-assets forget ann
    """
    settings = Settings.from_env()
    if not yes:
        click.confirm(f"Delete everything that is stored of {person}?", abort=True)
    with database_for(settings) as ready, open_database(ready) as database:
        deleted = database.once(lambda connection: rows(connection, "forget_person", person=person))
        named = dagster_records_naming(dagster_address(ready), person)
    for row in deleted:
        console.print(escape(f"{row.rows_deleted:>8,}  {row.table_name}"), highlight=False)
    if not deleted:
        notes.print(escape(f"Nothing is stored of {person}."))
    for each in named:
        notes.print(escape(f"{each.sentence()} have the word “{person}”."), highlight=False)
    if named:
        notes.print(
            "They were written by an earlier version, or mean something else. Delete those runs in the web UI (Runs) "
            "or by `dagster run delete ID`; what Dagster keeps of an asset's last run is replaced by the next one."
        )
    else:
        notes.print(escape(f"Dagster's records do not name {person}."), highlight=False)
    for whose, path in Inbox(settings.inbox).files():
        if whose == person:
            notes.print(
                escape(f"{path} is still in the inbox and would be imported again; delete it."), highlight=False
            )


def _decided(database: Database, review_id: int, film: str) -> str:
    """Decide a review or open it again; tells what that means. Raises ImportFailedError."""
    tmdb_id = int(film) if film.isdecimal() else None
    if tmdb_id and not _review(database, review_id, tmdb_id).is_known:
        raise ImportFailedError(
            f"{tmdb_id} is no candidate of review {review_id}, and neither the catalogue nor TMDB's exports have a "
            f"film with that id; nothing was decided. `movie-assets review {review_id}` lists the candidates; "
            f"`movie-assets fetch {tmdb_id}` asks TMDB for a film that is new"
        )
    database.execute("decide_review", review_id=review_id, film=tmdb_id, status="open" if film == "open" else "decided")
    review = _review(database, review_id)
    if film == "open":
        return f"{review.name} is to be decided again, for all who named it ({review.people})."
    return f"{review.name} is {_meant(review)}, for all who named it ({review.people})."


def _meant(review: Any) -> str:
    return "none of the films" if review.decision is None else review.title or f"TMDB's film {review.decision}"


def _review(database: Database, review_id: int, film: int | None = None) -> Any:
    found = database.rows("review", review_id=review_id, film=film)
    if not found:
        raise ImportFailedError(f"there is no review {review_id}; `movie-assets review` lists those that are open")
    return found[0]
