"""The commands on watch histories: import files, decide which film an uncertain name means, delete a person's data."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple, TypedDict

import click
from rich.markup import escape

from movie_assets.cli.terminal import console, notes
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, open_database
from movie_assets.histories.choices import Choices, ImportFailedError
from movie_assets.histories.forgetting import dagster_records_naming
from movie_assets.histories.import_report import show_import
from movie_assets.histories.imports import import_path
from movie_assets.histories.inbox import Inbox
from movie_assets.orchestration.startup import dagster_address, database_for
from movie_assets.tmdb.export_lines import LARGEST_ID


class Candidate(TypedDict):
    """A film that a name can mean, with a confidence from 0 to 1 and a description of the match."""

    tmdb_id: int
    title: str
    release_year: int | None
    confidence: float
    matched_by: str


class Review(NamedTuple):
    """A name that a person has to match with a film, or has matched: `decision` is the film's id, or None for none.

    `people` counts the persons whose files have the name. `title` is that of the decision, if the catalogue has it.
    `is_known` is whether the id that was asked about is a candidate, a film of the catalogue or in TMDB's exports.
    """

    review_id: int
    name: str
    candidates: list[Candidate]
    status: str
    decision: int | None
    people: int
    title: str | None
    is_known: bool

    def as_json(self) -> dict[str, object]:
        """Return the fields that `movie-assets review --json` prints."""
        fields = self._asdict()
        del fields["title"], fields["is_known"]
        return fields

    def meaning(self) -> str:
        """Return the decision in words."""
        if self.decision is None:
            return "none of the films"
        return self.title or f"TMDB's film {self.decision}"


class DeletedRows(NamedTuple):
    """The number of rows of a person that were deleted from a table."""

    table_name: str
    rows_deleted: int


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option(
    "--person",
    default="me",
    show_default=True,
    help="The person whose films they are. Users in MovieLens' files keep their ids.",
)
@click.option(
    "--seen/--wanted", "are_seen", default=None, help="Status of films without a rating, if the file has no status."
)
@click.option("--replace", is_flag=True, help="Import it even if the file lacks most of what was imported before.")
@click.option("--request", is_flag=True, help="Ask TMDB for the films that the catalogue does not have.")
@click.option("--json", "as_json", is_flag=True, help="Print the reports as JSON.")
def import_command(
    files: tuple[Path, ...], person: str, are_seen: bool | None, replace: bool, request: bool, as_json: bool
) -> None:
    """Import the films that somebody watched, rated or wants to watch.

    FILE is an export of Letterboxd (the zip, its csv files or a list), IMDb (ratings, lists), Trakt, Simkl (JSON, CSV)
    or MovieLens (zip, folder, ratings.csv, or its site's export), or a plain list. The format is recognised by the
    content. A newer export replaces an older one of the same kind; importing a file again changes nothing. Exit code
    1: a file could not be imported.

    Example: movie-assets import letterboxd-me-2026-11-20.zip
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
        notes.print("The next `movie-assets refresh` or the sensor fetches the requested films.")
    if problems:
        raise ImportFailedError("; ".join(problems))


@click.command("review")
@click.argument("review_id", required=False, type=click.IntRange(1, 2**62), metavar="[ID]")
@click.argument("film", required=False, metavar="[FILM]")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def review_command(review_id: int | None, film: str | None, as_json: bool) -> None:
    """List the names in imports that may mean several films, or decide one: FILM is a TMDB id, none, or open.

    A decision applies to all imports, past and future, of all persons who use the name; open takes it back.

    Example: movie-assets review 12 438631
    """
    if film not in (None, "none", "open") and not (film.isdecimal() and 0 < int(film) <= LARGEST_ID):
        raise click.BadParameter("FILM is one film's TMDB id, none, or open", param_hint="FILM")
    with database_for(Settings.from_env()) as ready, open_database(ready) as database:
        if review_id is not None and film is not None:
            console.print(escape(_decide(database, review_id, film)), highlight=False)
            return
        reviews = _open_reviews(database) if review_id is None else [_review(database, review_id)]
    if as_json:
        click.echo(json.dumps([review.as_json() for review in reviews], ensure_ascii=False))
        return
    for review in reviews:
        decision = "" if review.status == "open" else f", decided: {review.meaning()}"
        console.print(
            escape(f"{review.review_id:>6}  {review.name}  ({review.people} people){decision}"), highlight=False
        )
        for candidate in review.candidates:
            console.print(escape(f"          {_in_words(candidate)}"), highlight=False)
    if not reviews:
        notes.print("There is nothing to decide.")


@click.command("forget")
@click.argument("person")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def forget_command(person: str, yes: bool) -> None:
    """Delete everything that is stored about a person: histories, file entries, recommendations, series.

    All of it is deleted in one transaction. The command lists the person's files in the inbox: delete them yourself, or
    they will be imported again. Dagster's records of runs by earlier versions may contain the name: the command lists
    those runs. Backups keep what they have until they expire. The recommendation model was fitted to all histories
    together, and changes when it is fitted again.

    Example: movie-assets forget ann
    """
    settings = Settings.from_env()
    if not yes:
        click.confirm(f"Delete everything that is stored about {person}?", abort=True)
    with database_for(settings) as ready, open_database(ready) as database:
        deleted = database.execute_returning(DeletedRows, "forget_person", person=person)
        records = dagster_records_naming(dagster_address(ready), person)
    for row in deleted:
        console.print(escape(f"{row.rows_deleted:>8,}  {row.table_name}"), highlight=False)
    if not deleted:
        notes.print(escape(f"Nothing is stored about {person}."))
    for record in records:
        notes.print(escape(f"{record.sentence()} have the word “{person}”."), highlight=False)
    if records:
        notes.print(
            "They were written by an earlier version, or mean something else. Delete those runs in the web UI (Runs) "
            "or by `dagster run delete ID`; Dagster's record of an asset's last run is replaced by the next run."
        )
    else:
        notes.print(escape(f"Dagster's records do not contain {person}."), highlight=False)
    for owner, path in Inbox(settings.inbox).files():
        if owner == person:
            notes.print(
                escape(f"{path} is still in the inbox and would be imported again; delete it."), highlight=False
            )


def _in_words(candidate: Candidate) -> str:
    title = f"{candidate['title']} ({candidate['release_year']}), {candidate['tmdb_id']}"
    return f"{candidate['confidence']:.2f}  {title}: {candidate['matched_by']}"


def _open_reviews(database: Database) -> list[Review]:
    return database.fetch(Review, "reviews", review_id=None, film=None)


def _review(database: Database, review_id: int, film: int | None = None) -> Review:
    """Return a review; `film` is the id that `is_known` is about. Raises ImportFailedError if there is none."""
    review = database.fetch_optional(Review, "reviews", review_id=review_id, film=film)
    if review is None:
        raise ImportFailedError(f"there is no review {review_id}; `movie-assets review` lists the open ones")
    return review


def _decide(database: Database, review_id: int, film: str) -> str:
    """Decide a review or open it again, and return the outcome in a sentence.

    Raises ImportFailedError if there is no such review, or the film is unknown.
    """
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
        return f"{review.name} is to be decided again, for all persons who used the name ({review.people})."
    return f"{review.name} is {review.meaning()}, for all persons who used the name ({review.people})."
