"""The wheel has everything: installed without the checkout, it runs the demo from another folder."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from movie_assets.config.paths import CHECKOUT
from movie_assets.config.settings import Settings

pytestmark = pytest.mark.release


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of what is tracked, so that a build leaves nothing in the checkout."""
    copy, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    subprocess.run(["git", "checkout-index", "--all", f"--prefix={copy}/"], cwd=CHECKOUT, check=True)  # noqa: S607
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--wheel-dir", target, copy],
        check=True,
    )
    (built,) = target.glob("*.whl")
    return built


def test_the_wheel_has_every_module_and_the_sql(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {str(path.relative_to(CHECKOUT)) for path in CHECKOUT.joinpath("movie_assets").rglob("*.py")}
    sql = {f"movie_assets/files/{path.relative_to(CHECKOUT)}" for path in CHECKOUT.joinpath("sql").rglob("*.sql")}
    assert modules | sql <= names
    assert not [name for name in names if name.startswith(("movie_assets_tests/", "bench/", "sql/"))]


def test_the_installed_wheel_runs_the_demo_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env" / "bin" / "python"
    site = Path(sysconfig.get_path("purelib"))
    target = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    zipfile.ZipFile(wheel).extractall(target)
    ours = {str(field.alias) for field in Settings.model_fields.values()} | {"DAGSTER_HOME"}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    # The dependencies are those of the tests; a folder on PYTHONPATH is not searched for the editable install's hooks.
    environment |= {"PYTHONPATH": str(site), "HOME": str(tmp_path / "home")}
    (tmp_path / "home").mkdir()
    code = "import movie_assets; print(movie_assets.__file__); from movie_assets.cli.command import main; main()"
    done = subprocess.run(
        [python, "-c", code, "demo"],
        cwd=tmp_path / "home",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(target)
