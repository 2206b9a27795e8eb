"""Help texts, the list of commands, and what holds for every command: .env, arguments, addresses, settings."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from movie_assets.cli import main as cli
from movie_assets.cli.main import main
from movie_assets_tests.cli.commands import PASSWORD, clean_environment, expected_error, invoke

COMMANDS = (
    *("demo", "dev", "migrate", "refresh", "fetch", "search", "similar", "recommend", "import", "review", "forget"),
    *("database", "embed", "providers", "status", "cost", "sets", "compare-models", "health", "alert", "emulator"),
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
    assert {name for name, command in main.commands.items() if not command.hidden} == set(COMMANDS)


@pytest.mark.parametrize("command", ["search", "similar", "recommend"])
def test_commands_that_ask_for_words_show_an_example(command: str) -> None:
    assert f"Example: movie-assets {command} " in CliRunner().invoke(main, [command, "--help"]).stdout


def test_help_starts_without_dagster() -> None:
    code = "import sys; import movie_assets.cli.main; sys.exit('dagster' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


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
