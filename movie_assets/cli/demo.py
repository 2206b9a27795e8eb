"""`movie-assets demo`: runs the pipeline for three days on made-up services, and prints the results."""

from datetime import UTC, date, datetime, timedelta

from rich.console import Console

from movie_assets.applications.calendar import Period, calendar
from movie_assets.cli import report, report_films
from movie_assets.cli.calendar import show_calendar
from movie_assets.config.setting_values import MEDIA_WORDS
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, open_database
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.orchestration.startup import everything_for
from movie_assets.refresh.refresh import refresh
from movie_assets.search.queries import recommend, resolve, search, similar
from movie_assets.tmdb.media import MOVIES

SEARCHES = ("a detective investigates a murder in a mansion", "robots and machines turn against mankind")
DAYS = 3  # catalog.trending has films once there are the numbers of two days besides the first build
FORTNIGHT = timedelta(days=14)
RELEASES_SHOWN = 6
LIKE = "Knives Out"
UNLIKE = "Terminator Salvation"
GO_ON = """
Go on with
  [bold]MOVIE_ASSETS_MEDIA="movies series" make dev[/]         the same catalogue in the Dagster web UI
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
    today = datetime.now(UTC).date()
    first, *_ = days = days_until(today)
    outcomes = []
    console.print("Starting Postgres and an emulator for TMDB …")
    with (
        TmdbEmulator(EmulatorOptions(today=first)) as tmdb_emulator,
        everything_for(_without_keys(settings), tmdb_emulator) as ready,
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
        _show_searches(console, database, ready)
        console.rule("What applications read", align="left")
        _show_applications(console, database, ready, today)
    if not all(outcome.succeeded for outcome in outcomes):
        console.print("[red]The demo failed; the problems are printed above.[/]")
        return 1
    console.print(GO_ON, highlight=False)
    return 0


def _without_keys(settings: Settings) -> Settings:
    """Return settings that reach no service and no database of the user's."""
    return settings.model_copy(
        update={
            "tmdb_api_token": None,
            "openai_api_key": None,
            "embedder": "local",
            "embedding_model": None,
            "database_url": None,  # made-up films do not belong in a user's database
            "dagster_database_url": None,
            "movielens_ratings": None,  # nor do ratings of real films belong to made-up ones
            "ratings_csv": None,
            "media": tuple(MEDIA_WORDS),
        }
    )


def _show_searches(console: Console, database: Database, settings: Settings) -> None:
    """Print what searches, similar films and recommendations find."""
    for text in SEARCHES:
        report_films.show_films(console, f"search “{text}”", search(database, settings, text, 5)[0])
    film = resolve(database, LIKE)[0]
    report_films.show_films(console, f"similar to “{LIKE}”", similar(database, film.title_id, 5))
    taste = {"loved": [film.title_id], "liked": [], "disliked": [resolve(database, UNLIKE)[0].title_id]}
    title = f"recommended to somebody who loved “{LIKE}” and disliked “{UNLIKE}”"
    report_films.show_films(console, title, recommend(database, taste, 5, {}, {}))


def _show_applications(console: Console, database: Database, settings: Settings, today: date) -> None:
    """Print new episodes, a list, a calendar and a card, as applications read them."""
    title = "on television in the four weeks around today: the first new episode of each series"
    report_films.show_episodes(console, title, _episodes_around(database, today))
    listed = database.fetch(report_films.TitleOfList, "list_of_today", name="trending_day", most=5)
    report_films.show_list(console, "TMDB's list of what is trending today", listed)
    region = settings.regions[0]
    ahead = calendar(database, Period(region, (), today, today + 2 * FORTNIGHT, [MOVIES.name]))[:RELEASES_SHOWN]
    show_calendar(console, f"the calendar: movies that come out in the next four weeks ({region})", ahead)
    cards = database.fetch(report_films.Card, "cards_in_two_languages")
    report_films.show_cards(console, "the card of a movie, as applications show it, in two languages", cards)
