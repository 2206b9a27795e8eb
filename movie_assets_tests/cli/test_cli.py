"""The commands as a person or a program calls them."""

import json
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from movie_assets.cli import main as cli
from movie_assets.cli.main import main
from movie_assets.config.settings import Settings
from movie_assets.emulator.faults import FAULTS
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.refresh.refresh import REFRESH_LOCK
from movie_assets_tests.conftest import address_of
from movie_assets_tests.support.world import Films, film

COMMANDS = (
    "demo",
    "dev",
    "migrate",
    "refresh",
    "fetch",
    "search",
    "similar",
    "recommend",
    "import",
    "review",
    "forget",
    "database",
    "embed",
    "status",
    "cost",
    "sets",
    "health",
    "alert",
    "emulator",
)
CANARY = "canary-of-the-password"
Call = Callable[..., Result]


def films() -> list[dict[str, object]]:
    return [
        film(1, title="The Heist", overview="Thieves rob a casino at night.", vote_count=900, imdb_id="tt0000001"),
        film(2, title="The Heist Returns", overview="The thieves rob the casino again.", vote_count=400),
        film(3, title="Iron Minds", overview="Robots turn against mankind.", genres=[{"id": 878, "name": "Robots"}]),
        film(4, title="Deep Water", overview="A diver and a whale.", original_language="fr", release_date="1999-04-01"),
        film(5, title="100 % Luck", overview="A gambler never loses.", poster_path=None),
        film(6, vote_count=3),
        film(7, popularity=0.1),
    ]


def clean_environment(**variables: str) -> dict[str, str | None]:
    """The project's variables, all unset but the given ones."""
    names = [str(field.alias) for field in Settings.model_fields.values()]
    return {**dict.fromkeys([*names, "DAGSTER_HOME"]), **variables}


@pytest.fixture(scope="module")
def service() -> Iterator[TmdbEmulator]:
    world = Films()
    world.put(*films())
    with TmdbEmulator(EmulatorOptions(rate_limit=0), world=world) as running:
        yield running


@pytest.fixture(scope="module")
def environment(
    server: str, template: str, service: TmdbEmulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str | None]]:
    """Variables that point at a migrated database and at the emulator."""
    name = f"cli_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(address_of(server, "postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name} template {template}")
    yield clean_environment(
        MOVIE_ASSETS_DATABASE_URL=address_of(server, name),
        MOVIE_ASSETS_HOME=str(tmp_path_factory.mktemp("cli")),
        MOVIE_ASSETS_TMDB_RATE="0",
        MOVIE_ASSETS_EMBEDDING_DIMENSIONS="64",
        TMDB_API_URL=service.tmdb_url,
        TMDB_EXPORT_URL=service.export_url,
        TMDB_API_TOKEN="a-token",
    )
    with psycopg.connect(address_of(server, "postgres"), autocommit=True) as connection:
        connection.execute(f"drop database if exists {name} with (force)")
        connection.execute(f"drop database if exists {name}_dagster with (force)")


@pytest.fixture(scope="module")
def refreshed(environment: dict[str, str | None]) -> Result:
    """The first refresh of the catalogue."""
    return invoke(environment, "refresh", "--json")


@pytest.fixture
def call(environment: dict[str, str | None], refreshed: Result) -> Call:
    """Call a command on the refreshed catalogue."""
    assert refreshed.exit_code == 0, refreshed.stderr

    def run(*arguments: str, **variables: str) -> Result:
        return invoke({**environment, **variables}, *arguments)

    return run


def invoke(environment: dict[str, str | None], *arguments: str) -> Result:
    before = signal.getsignal(signal.SIGTERM)
    try:
        return CliRunner().invoke(main, arguments, env=environment)
    finally:
        signal.signal(signal.SIGTERM, before)


def told_plainly(result: Result) -> str:
    """The one sentence of an expected error."""
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert not isinstance(result.exception, Exception)
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    return line


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(main, [command, "--help"])
    assert result.exit_code == 0
    explanation = result.stdout.split("Options:")[0].split("\n", 1)[1].strip()
    assert len(explanation) > 60


def test_without_a_command_the_help_is_printed_and_nothing_has_failed() -> None:
    result = CliRunner().invoke(main, [])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("Usage: ")
    assert "\n  demo " in result.stdout


def test_the_commands_are_these() -> None:
    assert {name for name, command in main.commands.items() if not command.hidden} == set(COMMANDS)


@pytest.mark.parametrize("command", ["search", "similar", "recommend"])
def test_commands_that_ask_for_words_show_an_example(command: str) -> None:
    assert f"Example: movie-assets {command} " in CliRunner().invoke(main, [command, "--help"]).stdout


def test_health_tells_a_monitor_by_its_exit_code(call: Call, service: TmdbEmulator) -> None:
    result = call("health", "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == told["exit_code"] == 1  # a film has no poster
    assert [each["name"] for each in told["findings"] if each["severity"] == "warn"] == ["missing posters"]
    service.faults = {"401": 1.0}
    try:
        result = call("health")
    finally:
        service.faults = {}
    assert result.exit_code == 2
    assert result.stdout.startswith("BROKEN  credential")
    assert "themoviedb.org" in result.stdout.splitlines()[1]


def test_health_tells_of_a_setting_that_cannot_be_read(environment: dict[str, str | None]) -> None:
    result = invoke({**environment, "MOVIE_ASSETS_TMDB_RATE": "fast"}, "health", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["findings"][0]["name"] == "settings"


def test_health_starts_without_dagster() -> None:
    code = "import sys; import movie_assets.operations.health.report; sys.exit('dagster' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_help_starts_without_dagster() -> None:
    code = "import sys; import movie_assets.cli.main; sys.exit('dagster' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_refresh_as_json_tells_what_was_done(refreshed: Result) -> None:
    assert refreshed.exit_code == 0
    told = json.loads(refreshed.stdout)
    assert told["date"] == datetime.now(UTC).date().isoformat()
    assert told["succeeded"] is True
    assert told["failed_jobs"] == told["problems"] == []
    assert told["failed_checks"] == ["metadata_is_complete"]  # one of five films has no poster
    assert told["seconds"] > 0
    assert told["figures"]["movie_vectors"]["vectors"] == 5
    assert told["figures"]["movie_ids"]["ids_candidate"] == 6


def test_a_refresh_reads_the_ratings_that_a_setting_names_and_no_others(call: Call, service: TmdbEmulator) -> None:
    result = call("refresh", "--json", MOVIE_ASSETS_IMDB_RATINGS=service.imdb_ratings_url)
    figures = json.loads(result.stdout)["figures"]
    assert figures["imdb_ratings"]["rows_out"] == 1
    assert "movielens_ratings" not in figures


def test_a_refresh_that_fails_in_part_ends_with_1_and_says_why(call: Call, service: TmdbEmulator) -> None:
    service.faults = {"401": 1.0}
    try:
        result = call("refresh", "--json")
    finally:
        service.faults = {}
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["succeeded"] is False
    assert told["failed_jobs"] == ["read_the_day"]
    assert "check TMDB_API_TOKEN" in told["problems"][0]


def test_a_refresh_for_people_names_what_failed(call: Call, service: TmdbEmulator) -> None:
    service.faults = {"401": 1.0}
    try:
        result = call("refresh")
    finally:
        service.faults = {}
    assert result.exit_code == 1
    assert "failed tmdb_changes: TMDB refused the credential" in result.stdout
    assert "6 of 6 checks passed" in result.stdout


JOBS_WITHOUT_AN_EXPORT = ["read the day", "read the lists", "fetch details", "embed texts", "publish", "recommend"]


def test_a_refresh_without_an_export_does_the_rest_of_the_day(call: Call) -> None:
    result = call("refresh", "--json", TMDB_EXPORT_URL="http://127.0.0.1:1/p/exports")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["failed_jobs"] == ["read_the_day"]
    assert "stay in use" in told["problems"][0]
    jobs = [line for line in result.stderr.splitlines() if line in JOBS_WITHOUT_AN_EXPORT]
    assert jobs == JOBS_WITHOUT_AN_EXPORT


def test_a_second_refresh_at_the_same_time_is_refused(call: Call, environment: dict[str, str | None]) -> None:
    with psycopg.connect(str(environment["MOVIE_ASSETS_DATABASE_URL"]), autocommit=True) as other:
        other.execute("select pg_advisory_lock(%s)", [REFRESH_LOCK])
        sentence = told_plainly(call("refresh"))
    assert sentence == "Error: another refresh is working on this catalogue; wait for it or stop it"


@pytest.mark.parametrize("day", [date(2024, 12, 31), datetime.now(UTC).date() + timedelta(days=2)])
def test_a_day_that_is_no_day_of_the_catalogue_is_refused(call: Call, day: date) -> None:
    assert f"{day} is no day of the catalogue" in told_plainly(call("refresh", "--date", str(day)))


def test_a_date_in_another_form_is_a_usage_error(call: Call) -> None:
    assert call("refresh", "--date", "yesterday").exit_code == 2


def test_status_as_json_has_what_programs_rely_on(call: Call) -> None:
    result = call("status", "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["movies"] == told["vectors"] == 5
    assert (told["embedding_provider"], told["embedding_model"], told["dimensions"]) == ("local", "hashing-v1", 64)
    assert told["last_export_date"] == datetime.now(UTC).date().isoformat()
    assert told["source"].startswith("stand-in ")
    assert told["rejected"] == {"vote_count": 1, "popularity": 1}
    assert (told["due"], told["gone"], told["failed"], told["ids"]) == (0, 0, 0, 7)
    assert told["tokens_embedded"] > 0
    assert told["dollars"] == 0


def test_cost_is_told_for_what_is_due_and_for_everything(call: Call) -> None:
    due = json.loads(call("cost", "--json").stdout)
    assert (due["scope"], due["films"], due["tokens"]) == ("due", 0, 0)
    told = json.loads(call("cost", "--all", "--json").stdout)
    assert (told["scope"], told["films"], told["texts"]) == ("all", 5, 5)
    prices = {model["model"]: model["dollars"] for model in told["models"]}
    assert prices["hashing-v1"] == 0
    assert prices["text-embedding-3-large"] == pytest.approx(told["tokens"] * 0.13 / 1e6)
    assert "bytes a token" in told["tokens_counted_by"]


def test_cost_asks_for_another_models_price_and_sends_nothing(call: Call, service: TmdbEmulator) -> None:
    openai = {"MOVIE_ASSETS_EMBEDDER": "openai", "OPENAI_API_KEY": "k", "OPENAI_BASE_URL": service.openai_url}
    before = dict(service.requests)
    shown = call("cost", MOVIE_ASSETS_EMBEDDING_MODEL="my-own", **openai).stdout
    assert "texts that are due now: 5 films" in shown
    assert "set MOVIE_ASSETS_DOLLARS_PER_MILLION_TOKENS" in shown
    told = call("cost", "--json", MOVIE_ASSETS_DOLLARS_PER_MILLION_TOKENS="1000000", **openai).stdout
    assert json.loads(told)["models"][0]["dollars"] == json.loads(told)["tokens"] > 100
    assert service.requests == before


def test_the_sets_are_listed_with_their_state(call: Call) -> None:
    (found,) = json.loads(call("sets", "--json").stdout)
    assert (found["state"], found["dimensions"], found["films_embedded"]) == ("active", 64, found["films"])
    assert "hashing-v1" in call("sets").stdout


def test_another_set_can_be_used_and_let_go_again(call: Call) -> None:
    assert "Searches use set 1" in call("sets", "use", "1").stdout
    held = call("sets", "use", "1", MOVIE_ASSETS_EMBEDDING_DIMENSIONS="128")
    assert "It is held" in held.stdout
    assert "active, held" in call("sets", "--json").stdout
    assert "held" not in call("sets", "use", "1").stdout


def test_a_set_that_is_not_there_is_told_in_one_sentence(call: Call) -> None:
    assert "there is no set 77 that can be searched" in told_plainly(call("sets", "use", "77"))


def test_migrate_can_be_run_on_what_is_up_to_date(call: Call) -> None:
    result = call("migrate")
    assert result.exit_code == 0
    assert result.stderr == "The catalogue and Dagster's records have the schema of this version.\n"


def test_status_for_people_shows_the_funnel(call: Call) -> None:
    shown = call("status").stdout
    assert "votes ≥ 100" in shown
    assert "database: postgresql+psycopg://" in shown


def test_status_never_shows_the_password(call: Call, environment: dict[str, str | None]) -> None:
    address = str(environment["MOVIE_ASSETS_DATABASE_URL"]).replace("postgres@", f"postgres:{CANARY}@")
    result = call("status", MOVIE_ASSETS_DATABASE_URL=address)
    assert result.exit_code == 0
    assert CANARY not in result.output


def test_a_search_finds_what_the_words_are_about(call: Call) -> None:
    found = json.loads(call("search", "thieves", "rob", "a", "casino", "--json", "-n", "2").stdout)
    assert {film["tmdb_id"] for film in found} == {1, 2}
    assert found[0].keys() >= {
        "tmdb_id",
        "title",
        "release_year",
        "score",
        "found_by",
        "genres",
        "directors",
        "overview",
    }


@pytest.mark.parametrize(
    ("options", "ids"),
    [(["--genre", "Robots"], {3}), (["--language", "fr"], {4}), (["--to", "1999"], {4}),
     (["--from", "2000", "--language", "fr"], set()), (["--genre", "Robots", "--genre", "Drama"], {1, 2, 3, 4, 5}),
     (["--without-genre", "Drama"], {3}), (["--runtime-to", "99"], set()), (["--certification", "R"], set()),
     (["--country", "XX"], set()), (["--keyword", "no such"], set()), (["--person", "Nobody"], set()),
     (["--min-votes", "900"], {1}), (["--min-average", "9.5"], set()), (["--runtime-from", "100"], {1, 2, 3, 4, 5})],
)  # fmt: skip
def test_a_search_can_be_narrowed(call: Call, options: list[str], ids: set[int]) -> None:
    assert {film["tmdb_id"] for film in json.loads(call("search", "film", "--json", *options).stdout)} == ids


def test_a_search_for_people_shows_title_year_and_id(call: Call) -> None:
    shown = call("search", "robots against mankind", "-n", "1").stdout
    assert "Iron Minds (2020) by Agnès Varda" in shown


def test_a_search_for_people_shows_why_a_film_was_found(call: Call) -> None:
    assert "(title, meaning)" in call("search", "iron minds", "-n", "1").stdout


def test_a_search_without_vectors_of_the_text_says_so_and_finds_words(
    call: Call, environment: dict[str, str | None]
) -> None:
    def set_provider(name: str) -> None:
        with psycopg.connect(str(environment["MOVIE_ASSETS_DATABASE_URL"]), autocommit=True) as connection:
            connection.execute("update pipeline.embedding_sets set provider = %s", [name])

    set_provider("openai")
    try:
        result = call("search", "iron", "mnids", "--json")
    finally:
        set_provider("local")
    assert [film["tmdb_id"] for film in json.loads(result.stdout)] == [3]
    assert "Searched by words only: " in result.stderr


def test_a_title_that_is_clearly_none_lists_what_may_be_meant(call: Call) -> None:
    sentence = told_plainly(call("similar", "Big Iron Minds of Old"))
    assert "name one of these by its id: Iron Minds (2020), 3" in sentence


def test_films_like_a_film_leave_it_out(call: Call) -> None:
    found = json.loads(call("similar", "the", "heist", "--json").stdout)
    assert found[0]["title"] == "The Heist Returns"
    assert 1 not in {film["tmdb_id"] for film in found}


def test_a_film_can_be_named_by_its_id(call: Call) -> None:
    assert json.loads(call("similar", "2", "--json").stdout)[0]["tmdb_id"] == 1


def test_a_title_that_is_written_otherwise_is_said_to_be_taken_as_a_film(call: Call) -> None:
    told = call("similar", "heist", "--json").stderr
    assert "Taken as The Heist (2020), 1 (loose title)." in told


def test_percent_and_underscore_in_a_title_are_letters(call: Call) -> None:
    assert "like 100 % Luck" in call("similar", "100", "%", "luck").stdout
    assert "no film that is titled “_”" in told_plainly(call("similar", "_"))


@pytest.mark.parametrize("title", ["No Such Film", "4242424242", "99999999999999999999999"])
def test_an_unknown_title_or_id_is_told_in_one_sentence(call: Call, title: str) -> None:
    assert f"no film that is titled “{title}”" in told_plainly(call("similar", title))


def test_recommendations_leave_the_named_films_out_and_say_why(call: Call) -> None:
    found = json.loads(call("recommend", "--loved", "The Heist", "--disliked", "5", "--json").stdout)
    assert found[0]["tmdb_id"] == 2
    assert {1, 5}.isdisjoint(film["tmdb_id"] for film in found)
    assert found[0]["because"] == "The Heist"
    assert "because you loved The Heist" in call("recommend", "--loved", "The Heist").stdout


def test_recommendations_for_somebody_go_by_the_watch_history(call: Call) -> None:
    assert "nobody called “me” has a watch history" in told_plainly(call("recommend", "--for", "me"))


def test_recommendations_for_somebody_leave_out_what_was_seen(call: Call, environment: dict[str, str | None]) -> None:
    address = str(environment["MOVIE_ASSETS_DATABASE_URL"])
    with psycopg.connect(address) as connection:
        connection.execute(
            "insert into catalog.watch_histories (person, tmdb_id, source, rating) values ('ann', 1, 'list', 95)"
        )
    found = json.loads(call("recommend", "--for", "ann", "--json").stdout)
    assert found[0]["tmdb_id"] == 2
    assert 1 not in {film["tmdb_id"] for film in found}
    assert found[0]["reasons"][0]["how"] == "loved"
    assert "because you loved The Heist" in call("recommend", "--for", "ann").stdout
    assert "ann" in told_plainly(call("recommend", "--for", "bob"))
    assert call("recommend", "--for", "ann", "--loved", "The Heist").exit_code == 2


def test_recommended_films_are_printed_with_the_score_that_orders_them(call: Call) -> None:
    scores = [film["score"] for film in json.loads(call("recommend", "--loved", "The Heist", "--json").stdout)]
    printed = re.findall(r"^  (-?\d\.\d\d)  ", call("recommend", "--loved", "The Heist").stdout, re.MULTILINE)
    assert [float(score) for score in printed] == pytest.approx(scores, abs=0.006)
    assert scores == sorted(scores, reverse=True)


def test_the_spelling_of_names_is_told_only_where_names_were_asked_for(call: Call) -> None:
    assert call("recommend", "--from", "2100").stderr.strip().endswith("No film was found.")
    assert "Write genres and keywords as TMDB does" in call("recommend", "--genre", "comedies").stderr


@pytest.mark.parametrize("praise", ["--loved", "--liked"])
def test_a_film_cannot_be_liked_and_disliked(call: Call, praise: str) -> None:
    heist = json.loads(call("similar", "The Heist", "--json", "-n", "1").stdout)[0]["tmdb_id"]
    result = call("recommend", praise, str(heist), "--disliked", str(heist))
    assert result.exit_code == 2
    assert "named as disliked and as loved or liked: The Heist" in result.stderr


def test_with_nothing_to_go_by_the_popular_films_are_recommended(call: Call) -> None:
    assert len(json.loads(call("recommend", "--count", "3", "--json").stdout)) == 3


def test_a_film_that_nobody_knows_cannot_be_loved(call: Call) -> None:
    assert "no film that is titled" in told_plainly(call("recommend", "--loved", "Metropolis Reconsidered"))


def test_a_disliked_film_that_nobody_knows_is_left_out_aloud(call: Call) -> None:
    result = call("recommend", "--loved", "The Heist", "--disliked", "Metropolis Reconsidered", "--json")
    assert result.exit_code == 0
    assert "Left out: the catalogue has no film that is titled “Metropolis Reconsidered”" in result.stderr
    assert json.loads(result.stdout)


@pytest.mark.parametrize("arguments", [("search", "whale"), ("similar", "Deep Water")])
@pytest.mark.parametrize("count", ["0", "-1"])
def test_a_count_below_one_is_a_usage_error(call: Call, arguments: tuple[str, ...], count: str) -> None:
    result = call(*arguments, "--count", count)
    assert result.exit_code == 2
    assert "--count" in result.stderr


def test_fetching_ids_tells_what_became_of_each(call: Call) -> None:
    result = call("fetch", "1", "6", "999", "--json")
    assert result.exit_code == 0, result.output
    assert [(a["tmdb_id"], a["state"], a["reason"]) for a in json.loads(result.stdout)] == [
        (1, "accepted", None), (6, "rejected", "vote_count"), (999, "gone", "not_found"),
    ]  # fmt: skip


def test_a_film_can_be_kept_whatever_its_votes(call: Call) -> None:
    result = call("fetch", "6", "--keep")
    assert result.exit_code == 0, result.output
    assert "6  accepted  Film 6 (2020)" in result.stdout
    assert 6 in {found["tmdb_id"] for found in json.loads(call("similar", "1", "--json").stdout)}


@pytest.mark.parametrize("wrong", ["0", "-1", "tt0133093", str(2**60)])
def test_what_is_no_id_cannot_be_fetched(call: Call, wrong: str) -> None:
    assert call("fetch", "--", wrong).exit_code == 2


@pytest.mark.parametrize("arguments", [("search", "whale"), ("similar", "Deep Water")])
def test_before_the_first_refresh_a_search_says_what_to_do(
    environment: dict[str, str | None], empty_address: str, arguments: tuple[str, ...]
) -> None:
    result = invoke({**environment, "MOVIE_ASSETS_DATABASE_URL": empty_address}, *arguments)
    assert "run `movie-assets refresh` first" in told_plainly(result)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        (f"postgresql://me:{CANARY}@127.0.0.1:1/films", "cannot be reached"),
        (f"postgresql://me:{CANARY}@no-such-host.invalid/films", "cannot be reached"),
        (f"mysql://me:{CANARY}@127.0.0.1/films", "not of the form postgresql://"),
        (f"postgresql://me:{CANARY}@127.0.0.1:port/films", "not of the form postgresql://"),
        (f"{CANARY}", "not of the form postgresql://"),
        (f"postgresql://me:{CANARY}@127.0.0.1:1/films?colour=blue", "colour"),
    ],
)
@pytest.mark.parametrize("command", ["status", "refresh"])
def test_a_wrong_address_is_told_in_one_sentence_without_the_password(command: str, address: str, says: str) -> None:
    result = invoke(clean_environment(MOVIE_ASSETS_DATABASE_URL=address), command)
    assert says in told_plainly(result)
    assert CANARY not in result.output + repr(result.exception)


def test_a_setting_that_cannot_be_used_is_named() -> None:
    result = invoke(clean_environment(MOVIE_ASSETS_EMBEDDING_DIMENSIONS="many"), "status")
    assert "MOVIE_ASSETS_EMBEDDING_DIMENSIONS" in told_plainly(result)


def test_an_embedder_without_a_key_is_told_in_one_sentence(call: Call) -> None:
    result = call("refresh", MOVIE_ASSETS_EMBEDDER="openai")
    assert result.exit_code == 1
    assert "OPENAI_API_KEY is not set" in " ".join(result.output.split())


def test_an_unknown_fault_is_refused_with_the_list() -> None:
    sentence = told_plainly(invoke(clean_environment(), "emulator", "--port", "0", "--fault", "floods=1"))
    assert "unknown fault floods" in sentence
    assert all(name in sentence for name in FAULTS)


@pytest.mark.parametrize("fault", ["503=often", "503=2"])
def test_a_fault_with_a_wrong_rate_is_refused(fault: str) -> None:
    result = invoke(clean_environment(), "emulator", "--port", "0", "--fault", fault)
    assert result.exit_code != 0
    assert "503" in result.stderr


@pytest.mark.parametrize("name", ["emulator", "stand-in"])
def test_the_emulator_prints_the_variables_and_ends_with_a_signal(name: str) -> None:
    """`stand-in` is the command's former name."""
    code = "from movie_assets.cli.main import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, name, "--host", "127.0.0.2", "--port", "0", "--token", "mine"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
    assert [line.split("=")[0] for line in lines] == [
        "export TMDB_API_URL", "export TMDB_EXPORT_URL", "export MOVIE_ASSETS_IMDB_RATINGS", "export TMDB_API_TOKEN",
    ]  # fmt: skip
    assert lines[0].startswith("export TMDB_API_URL=http://127.0.0.2:")
    assert lines[3].strip().endswith("=mine")


def test_a_fresh_home_has_an_empty_catalogue_and_its_server_is_stopped_again(tmp_path: Path) -> None:
    variables = {name: value for name, value in (os.environ | clean_environment()).items() if value is not None}
    done = subprocess.run(
        [sys.executable, "-c", "from movie_assets.cli.main import main; main()", "status", "--json"],
        env=variables | {"MOVIE_ASSETS_HOME": str(tmp_path)}, capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert (told["movies"], told["vectors"], told["last_export_date"]) == (0, 0, None)
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()


def test_an_import_is_reported_and_what_is_ambiguous_can_be_decided(call: Call, tmp_path: Path) -> None:
    watched = tmp_path / "watched.csv"
    watched.write_text("Date,Name,Year,Letterboxd URI\n2026-01-01,Iron Minds,2020,u\n2026-01-01,Deep Watre,1999,v\n")
    shown = call("import", str(watched), "--person", "ann").stdout
    assert "letterboxd of ann: watched.csv" in shown
    assert "ambiguous: Deep Watre (1999)" in shown
    (told,) = json.loads(call("import", str(watched), "--person", "ann", "--json").stdout)
    assert (told["by_title"], told["ambiguous"], told["changed"], told["unchanged"]) == (1, 1, 0, 1)
    assert "Deep Water (1999), 4: mistyped title" in call("review").stdout
    (review,) = json.loads(call("review", "--json").stdout)
    decided = call("review", str(review["review_id"]), "4").stdout
    assert "Deep Watre (1999) is Deep Water, for all persons who used the name (1)." in decided
    (told,) = json.loads(call("import", str(watched), "--person", "ann", "--json").stdout)
    assert (told["by_decision"], told["changed"], told["unchanged"]) == (1, 0, 2)
    assert "There is nothing to decide." in call("review").stderr
    assert "is none of the films" in call("review", str(review["review_id"]), "none").stdout


def test_a_decision_can_be_looked_at_and_taken_back_and_names_a_film_that_is_known(call: Call, tmp_path: Path) -> None:
    watched = tmp_path / "watched.csv"
    watched.write_text("Date,Name,Year,Letterboxd URI\n2026-01-01,Deep Waterr,1999,v\n")
    call("import", str(watched))
    (review,) = [row for row in json.loads(call("review", "--json").stdout) if row["name"] == "Deep Waterr (1999)"]
    number = str(review["review_id"])
    refused = told_plainly(call("review", number, "99999999"))
    assert "99999999 is no candidate of review" in refused
    assert "nothing was decided" in refused
    assert json.loads(call("review", number, "--json").stdout) == [review]
    assert (review["status"], review["decision"]) == ("open", None)
    call("review", number, "4")
    assert "decided: Deep Water" in call("review", number).stdout
    assert "is to be decided again, for all persons who used the name (1)" in call("review", number, "open").stdout
    assert review in json.loads(call("review", "--json").stdout)
    call("review", number, "none")


def test_a_file_that_cannot_be_imported_is_told_in_one_sentence_and_stops_no_other(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("what,is,this\n")
    (tmp_path / "b.txt").write_text("Iron Minds: 2020 | R | 1h 40m | 8 rating\n")
    result = call("import", str(tmp_path / "a.csv"), str(tmp_path / "b.txt"), "--json")
    assert "a.csv is in no format that is known: it begins with “what,is,this”" in told_plainly(result)
    assert json.loads(result.stdout)[0]["source"] == "list"


@pytest.mark.parametrize("film", ["Dune", "0", "-1"])
def test_a_decision_names_a_film_by_its_id(call: Call, film: str) -> None:
    assert call("review", "1", "--", film).exit_code == 2


@pytest.mark.parametrize("film", [[], ["none"], ["open"], ["4"], ["--json"]])
def test_a_review_that_is_not_there_is_told(call: Call, film: list[str]) -> None:
    assert "there is no review 4242" in told_plainly(call("review", "4242", *film))


def test_a_file_env_in_the_checkout_is_read_and_what_is_exported_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("MOVIE_ASSETS_DATABASE_URL=mysql://a/b\nMOVIE_ASSETS_TMDB_RATE=-1\n")
    monkeypatch.setattr(cli, "CHECKOUT", tmp_path)
    monkeypatch.setenv("MOVIE_ASSETS_DATABASE_URL", "")
    monkeypatch.delenv("MOVIE_ASSETS_DATABASE_URL")  # so that it is taken away in the end
    monkeypatch.setenv("MOVIE_ASSETS_TMDB_RATE", "0")
    told = CliRunner().invoke(main, ["status"])
    assert told.exit_code == 1
    assert "the database address is not of the form" in told.output


def test_an_argument_that_is_no_text_is_refused_in_a_sentence() -> None:
    result = CliRunner().invoke(main, ["search", "caf\udce9"])
    assert (result.exit_code, result.exception.__class__) == (2, SystemExit)
    assert "is not UTF-8 text" in result.output
