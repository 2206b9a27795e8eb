"""Paths of the files that are not Python: in the checkout, or within the package if a wheel was installed."""

from pathlib import Path

PACKAGE = Path(__file__).parents[1]
INSTALLED = PACKAGE / "files"  # setup.py copies them there when it builds a wheel
CHECKOUT = INSTALLED if INSTALLED.is_dir() else PACKAGE.parent
SQL = CHECKOUT / "sql"
