"""Build the project. A wheel also takes the files that are not Python: SQL, Dagster's settings and the runbook."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

FILES = ("dagster.yaml", "workspace.yaml", "docs/runbook.md")


class BuildWithFiles(build_py):
    """Copy them into movie_assets/files, where movie_assets/config/paths.py looks for them."""

    def run(self) -> None:
        """Build the package; an editable install reads the files from the checkout."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "movie_assets" / "files"
        shutil.copytree("sql", target / "sql", dirs_exist_ok=True)
        for name in FILES:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(name, target / name)


setup(cmdclass={"build_py": BuildWithFiles})
