"""Each command and each SQL statement of README and the how-to pages, run as written on a catalogue like the demo's."""

import json
import os
import re
import shlex
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from click.testing import CliRunner

from movie_assets.cli.demo import days_until
from movie_assets.cli.main import main
from movie_assets.config.paths import CHECKOUT
from movie_assets.config.settings import Settings
from movie_assets.embeddings.registry import embedder_from
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.conftest import Pipeline, database_of_ones_own, settings_for

pytestmark = pytest.mark.release

PAGES = (
    "README.md", "docs/tutorial.md", "docs/imports.md", "docs/search.md", "docs/profiles.md", "docs/operating.md",
    "docs/alerts.md", "docs/applications.md", "docs/tmdb_terms.md",
    "docs/contributing.md", "docs/connect.md", "docs/embedding_servers.md", "docs/series.md", "docs/ratings.md",
    "docs/keyless_embeddings.md",
)  # fmt: skip
# Commands that are not run here, by how they begin, and why.
ELSEWHERE = {
    "make ": "installs, serves until Ctrl-C or runs for minutes; test_docs.py has the targets, test_wheel.py the demo",
    ". .venv/bin/activate": "changes the reader's shell",
    "pip install ": "installs a package: test_wheel.py",
    "rm -r ": "deletes the reader's data folder",
    "psql ": "cli/test_connect.py runs it; its statements are run here",
    "movie-assets database ": "works on the embedded server: cli/test_connect.py; its statements are run here",
    "movie-assets refresh": "does the demo's work once more: cli/test_refresh_commands.py",
    "movie-assets compare-models openai": "asks, spends money and needs a key: cli/test_compare_models.py",
    "movie-assets alert test": "posts to the addresses of examples: cli/test_cli_alerts.py",
    "export DATABASE_URL": "asks the embedded server: cli/test_connect.py",
    "export MOVIE_ASSETS_ALERT_": "names destinations of examples",
    "export MOVIE_ASSETS_WEB_URL": "names a web server of an example",
    "export TMDB_API_TOKEN": "needs a key; here the emulator takes TMDB's place",
    "export OPENAI_": "needs a key or a server: embeddings/test_servers_over_http.py",
    "export MOVIE_ASSETS_EMBEDDER=": "needs a key of a service: embeddings/test_azure.py",
    "export MOVIE_ASSETS_RERANK_": "needs a key or a server: search/test_rerank.py",
    "export MOVIE_ASSETS_EMBEDDING_": "names a model of such a server",
    "export MOVIE_ASSETS_HOME": "another data folder would be another catalogue",
}
# Statements that may return no row, by what they call, and why.
MAY_BE_EMPTY = (
    "offers_that_came", "offers_that_left",  # in three days few titles are fetched again
    "find_title('Severance'",  # the emulator's series are made up
    "next_episodes('me')",  # the files of this reader have movies only
)  # fmt: skip
COMMAND_OPTION = re.compile(r'-c "(select [^"]+)"')
LETTERBOXD = (
    "Date,Name,Year,Letterboxd URI,Rating\n2026-01-01,Knives Out,2019,u,4.5\n2026-01-02,The Dark Night,2008,v,4\n"
)
IMDB = (
    "Const,Your Rating,Date Rated,Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,Genres\n"
    "tt0133093,9,2024-01-01,The Matrix,u,Movie,8.7,136,1999,Action\n"
)
TRAKT = [{"rated_at": "2024-03-05T11:00:00.000Z", "rating": 9, "type": "movie",
          "movie": {"title": "The Matrix", "year": 1999, "ids": {"imdb": "tt0133093", "tmdb": 603}}}]  # fmt: skip


def blocks(page: str, language: str) -> list[str]:
    text = (CHECKOUT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(page: str) -> list[str]:
    lines = "\n".join(blocks(page, "(?:sh|bash)")).splitlines()
    return [line.removeprefix(".venv/bin/") for line in lines if line.strip()]


def statements(page: str) -> list[str]:
    text = re.sub(r"--.*$", "", "\n".join(blocks(page, "sql")), flags=re.MULTILINE)
    in_commands = [found for line in commands(page) for found in COMMAND_OPTION.findall(line)]
    return [each.strip() for each in text.split(";") if each.strip()] + in_commands


@pytest.fixture(scope="module")
def environment(
    server: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str | None]]:
    """Variables of a reader who ran the demo: the same days, world, profiles and embedder; files to import at hand."""
    today = datetime.now(UTC).date()
    folder = tmp_path_factory.mktemp("reader")
    with (
        database_of_ones_own(server, template) as database,
        TmdbEmulator(EmulatorOptions(rate_limit=0)) as emulator,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        settings = settings_for(emulator, images="on", media="movies series")
        pipeline = Pipeline(database, settings, instance, embedder_from(settings))
        for pipeline.day in days_until(today):
            emulator.today, pipeline.by_the_clock = pipeline.day, pipeline.day == today
            assert all(run.success for run in (*pipeline.run_day(), pipeline.run("read_list_snapshots")))
        assert pipeline.run("read_images").success
        put_files(folder)
        before = Path.cwd()
        os.chdir(folder)
        names = [str(field.alias) for field in Settings.model_fields.values()]
        yield dict.fromkeys([*names, "DAGSTER_HOME"]) | {
            "MOVIE_ASSETS_DATABASE_URL": database.url.render_as_string(hide_password=False).replace("+psycopg", ""),
            "MOVIE_ASSETS_HOME": str(folder / "home"),
            "TMDB_API_TOKEN": "a-token",
            "TMDB_API_URL": emulator.tmdb_url,
            "TMDB_EXPORT_URL": emulator.export_url,
        }
        os.chdir(before)
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"drop database if exists {database.url.database}_dagster with (force)")


def put_files(folder: Path) -> None:
    """Make the files that the pages name, in the formats that they say."""
    (folder / "ratings.csv").write_text(IMDB)
    (folder / "loved.txt").write_text(
        "Knives Out: 2019 | PG-13 | 2h 11m | 8.5 rating\n\nToy Story: 1995 | G | 1h 21m\n"
    )
    with zipfile.ZipFile(folder / "letterboxd-me-2026-11-20.zip", "w") as archive:
        archive.writestr("ratings.csv", LETTERBOXD)
    with zipfile.ZipFile(folder / "trakt-export.zip", "w") as archive:
        archive.writestr("ratings-movies.json", json.dumps(TRAKT))
    (folder / "ml-latest-small").mkdir()
    (folder / "ml-latest-small" / "links.csv").write_text("movieId,imdbId,tmdbId\n1,0114709,862\n2,,11\n")
    rows = "userId,movieId,rating,timestamp\n1,1,4,1000000000\n1,2,5,1000000000\n"
    (folder / "ml-latest-small" / "ratings.csv").write_text(rows)
    own_profiles = blocks("docs/profiles.md", "toml")
    (folder / "mine.toml").write_text("\n".join(own_profiles))


def exported(line: str) -> dict[str, str]:
    """Return the variables that a line exports."""
    return dict(word.split("=", 1) for word in shlex.split(line, comments=True)[1:])


def run(line: str, environment: dict[str, str | None]) -> None:
    """Run a line of `movie-assets` as a shell would, and require the exit code 0 unless the line takes any."""
    words = shlex.split(line, comments=True)
    takes_any = words[-2:] == ["||", "true"]
    words = words[:-2] if takes_any else words
    words = words[: words.index(">")] if ">" in words else words
    assert words[0] == "movie-assets", f"{line}: run it here, or say in ELSEWHERE why not"
    result = CliRunner().invoke(main, words[1:], env=environment, input="y\n")
    assert "Traceback" not in result.output
    assert isinstance(result.exception, SystemExit | None), line
    assert takes_any or result.exit_code == 0, f"{line}: {result.output}"
    assert result.output.strip(), line
    assert "No film was found" not in result.output, line


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_shows_runs_as_written(page: str, environment: dict[str, str | None]) -> None:
    of_page = dict(environment)
    shown = commands(page)
    assert shown or statements(page)
    for line in shown:
        if line.startswith(tuple(ELSEWHERE)):
            continue
        if line.startswith("export "):
            of_page |= exported(line)
            assert Settings.from_env({name: value for name, value in of_page.items() if value is not None})
        else:
            run(line, of_page)
    with psycopg.connect(str(environment["MOVIE_ASSETS_DATABASE_URL"]), autocommit=True) as connection:
        found = {each: connection.execute(each.encode()).fetchall() for each in statements(page)}
    assert [each for each, rows in found.items() if not rows and not any(name in each for name in MAY_BE_EMPTY)] == []


def test_each_exception_is_of_a_command_that_a_page_shows() -> None:
    shown = [line for page in PAGES for line in commands(page)]
    assert [start for start in ELSEWHERE if not any(line.startswith(start) for line in shown)] == []


def test_every_page_with_commands_or_statements_is_tested() -> None:
    others = {
        "docs/runbook.md",  # repairs of what is broken: cli/test_reference.py runs its SQL
        "docs/architecture.md", "docs/performance.md", "docs/reliability.md",  # explanations
    }  # fmt: skip
    paths = [CHECKOUT / "README.md", *(CHECKOUT / "docs").glob("*.md")]
    names = {str(path.relative_to(CHECKOUT)) for path in paths}
    assert {name for name in names if any(blocks(name, kind) for kind in ("sql", "(?:sh|bash)"))} <= {*PAGES, *others}
