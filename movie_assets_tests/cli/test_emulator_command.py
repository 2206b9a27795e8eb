"""`movie-assets emulator`."""

import signal
import subprocess
import sys

import pytest

from movie_assets.emulator.faults import FAULTS
from movie_assets_tests.cli.commands import clean_environment, expected_error, invoke


def test_an_unknown_fault_is_refused_with_the_list() -> None:
    sentence = expected_error(invoke(clean_environment(), "emulator", "--port", "0", "--fault", "floods=1"))
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
