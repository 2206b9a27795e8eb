"""`movie-assets demo`: runs the pipeline for three days on made-up services, and prints the results."""

from datetime import UTC, date, datetime, timedelta

from rich.console import Console

from movie_assets.cli import report, report_films
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, open_database
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.orchestration.startup import everything_for
from movie_assets.refresh.refresh import refresh
from movie_assets.search.queries import recommend, resolve, search, similar

SEARCHES = ("a detective investigates a murder in a mansion", "robots and machines turn against mankind")
DAYS = 3  # catalog.trending has films once there are the numbers of two days besides the first build
FORTNIGHT = timedelta(days=14)
LIKE = "Knives Out"
UNLIKE = "Terminator Salvation"
GO_ON = """
Go on with
  [bold]make dev[/]                                          the same catalogue in the Dagster web UI
  [bold].venv/bin/movie-assets search a heist in a casino[/]   your own question
"""


def days_until(today: date) -> list[date]:
    """Return the days of the demo, ascending; the last is today."""
    return [today - timedelta(days=DAYS - number) for number in range(1, DAYS + 1)]


def _episodes_around(database: Database, day: date) -> list[report_films.AiredEpisode]:
    return database.fetch(
        report_films.AiredEpisode, "episodes_between", first=day - FORTNIGHT, last=day + FORTNIGHT, most=8
    )  # fmt: skip


def run_demo(settings: Settings, console: Console) -> int:
    """Refresh three days from the emulator, print what changed, and search; return the exit code, 0 on success."""
    keyless = settings.model_copy(
        update={
            "tmdb_api_token": None,
            "openai_api_key": None,
            "embedder": "local",
            "embedding_model": None,
            "database_url": None,  # made-up films do not belong in a user's database
            "dagster_database_url": None,
            "movielens_ratings": None,  # nor do ratings of real films belong to made-up ones
            "ratings_csv": None,
            "media": ("movies", "series"),
        }
    )
    today = datetime.now(UTC).date()
    first, *_ = days = days_until(today)
    outcomes = []
    console.print("Starting Postgres and an emulator for TMDB …")
    with (
        TmdbEmulator(EmulatorOptions(today=first)) as tmdb_emulator,
        everything_for(keyless, tmdb_emulator) as ready,
        open_database(ready) as database,
    ):
        for number, day in enumerate(days, start=1):
            tmdb_emulator.today = day
            console.rule(f"Day {number}: {day}", align="left")
            outcomes.append(refresh(database, day, say=lambda job: console.print(f"[bold]{job.replace('_', ' ')}[/]")))
            report.show_day(console, outcomes[-1])
        console.rule(f"Checks of day {DAYS}", align="left")
        report.show_checks(console, outcomes[-1].checks)
        console.rule("The catalogue", align="left")
        report.show_status(console, report.status_of(database, datetime.now(UTC)))
        console.rule("Searches", align="left")
        for text in SEARCHES:
            report_films.show_films(console, f"search “{text}”", search(database, ready, text, 5)[0])
        film = resolve(database, LIKE)[0]
        report_films.show_films(console, f"similar to “{LIKE}”", similar(database, film.title_id, 5))
        taste = {"loved": [film.title_id], "liked": [], "disliked": [resolve(database, UNLIKE)[0].title_id]}
        title = f"recommended to somebody who loved “{LIKE}” and disliked “{UNLIKE}”"
        report_films.show_films(console, title, recommend(database, taste, 5, {}, {}))
        title = "on television in the four weeks around today: the first new episode of each series"
        report_films.show_episodes(console, title, _episodes_around(database, today))
    if not all(outcome.succeeded for outcome in outcomes):
        console.print("[red]The demo failed; the problems are printed above.[/]")
        return 1
    console.print(GO_ON, highlight=False)
    return 0
