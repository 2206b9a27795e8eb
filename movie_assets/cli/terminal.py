"""The consoles of the command line; what commands print is in report.py."""

from rich.console import Console

console = Console(soft_wrap=True)
notes = Console(stderr=True, soft_wrap=True)
