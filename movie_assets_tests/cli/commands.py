"""Calling commands in this process, as a person or a program calls them."""

import signal
from collections.abc import Callable, Mapping

from click.testing import CliRunner, Result

from movie_assets.cli.main import main
from movie_assets.config.settings import Settings

PASSWORD = "canary-of-the-password"  # a word that must never be printed
Call = Callable[..., Result]
Environment = dict[str, str | None]


def clean_environment(**variables: str) -> Environment:
    """Return the project's environment variables, all unset except the given ones."""
    names = [str(field.alias) for field in Settings.model_fields.values()]
    return {**dict.fromkeys([*names, "DAGSTER_HOME"]), **variables}


def invoke(environment: Mapping[str, str | None], *arguments: str, text: str | None = None) -> Result:
    """Run `movie-assets` with arguments and standard input, and restore the handler of SIGTERM that it replaces."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        return CliRunner().invoke(main, arguments, input=text, env=environment)
    finally:
        signal.signal(signal.SIGTERM, before)


def expected_error(result: Result) -> str:
    """Return the one sentence of an expected error."""
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert not isinstance(result.exception, Exception)
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    return line
