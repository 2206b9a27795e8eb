"""Help texts, the list of commands, and what holds for every command: .env, arguments, addresses, settings."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from movie_assets.cli import main as cli
from movie_assets.cli.main import main
from movie_assets_tests.cli.commands import PASSWORD, clean_environment, expected_error, invoke

COMMANDS = (
    *("demo", "dev", "migrate", "refresh", "fetch", "search", "similar", "recommend", "import", "review", "forget"),
    *(
        "database",
        "embed",
        "providers",
        "status",
        "cost",
        "sets",
        "compare-models",
        "calendar",
        "health",
        "alert",
        "emulator",
    ),
)


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
    listed = CliRunner().invoke(main, []).stdout.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in listed] == sorted(COMMANDS)


def test_the_list_of_commands_says_what_each_says_of_itself() -> None:
    commands = {name: main.get_command(click.Context(main), name) for name in cli.COMMANDS}
    assert {
        name: None if command.hidden else command.get_short_help_str(limit=1000).removesuffix(".")
        for name, command in commands.items()
        if command is not None
    } == {name: summary and summary.removesuffix(".") for name, (_, _, summary) in cli.COMMANDS.items()}


@pytest.mark.parametrize("command", ["search", "similar", "recommend"])
def test_commands_that_ask_for_words_show_an_example(command: str) -> None:
    assert f"Example: movie-assets {command} " in CliRunner().invoke(main, [command, "--help"]).stdout


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        (f"postgresql://me:{PASSWORD}@127.0.0.1:1/films", "cannot be reached"),
        (f"postgresql://me:{PASSWORD}@no-such-host.invalid/films", "cannot be reached"),
        (f"mysql://me:{PASSWORD}@127.0.0.1/films", "not of the form postgresql://"),
        (f"postgresql://me:{PASSWORD}@127.0.0.1:port/films", "not of the form postgresql://"),
        (f"{PASSWORD}", "not of the form postgresql://"),
        (f"postgresql://me:{PASSWORD}@127.0.0.1:1/films?colour=blue", "colour"),
    ],
)
@pytest.mark.parametrize("command", ["status", "refresh"])
def test_a_wrong_address_is_reported_without_the_password(command: str, address: str, problem: str) -> None:
    result = invoke(clean_environment(MOVIE_ASSETS_DATABASE_URL=address), command)
    assert problem in expected_error(result)
    assert PASSWORD not in result.output + repr(result.exception)


def test_a_setting_that_cannot_be_used_is_named() -> None:
    result = invoke(clean_environment(MOVIE_ASSETS_EMBEDDING_DIMENSIONS="many"), "status")
    assert "MOVIE_ASSETS_EMBEDDING_DIMENSIONS" in expected_error(result)


def test_a_file_env_in_the_checkout_is_read_and_does_not_replace_exported_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("MOVIE_ASSETS_DATABASE_URL=mysql://a/b\nMOVIE_ASSETS_TMDB_RATE=-1\n")
    monkeypatch.setattr(cli, "CHECKOUT", tmp_path)
    monkeypatch.setenv("MOVIE_ASSETS_DATABASE_URL", "")
    monkeypatch.delenv("MOVIE_ASSETS_DATABASE_URL")  # so that it is taken away in the end
    monkeypatch.setenv("MOVIE_ASSETS_TMDB_RATE", "0")
    result = CliRunner().invoke(main, ["status"])
    assert result.exit_code == 1
    assert "the database address is not of the form" in result.output


def test_an_argument_that_is_not_text_is_refused_in_one_sentence() -> None:
    result = CliRunner().invoke(main, ["search", "caf\udce9"])
    assert (result.exit_code, result.exception.__class__) == (2, SystemExit)
    assert "is not UTF-8 text" in result.output
