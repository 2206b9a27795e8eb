"""The consoles of the command line: `console` for results on standard output, `notes` for standard error."""

from rich.console import Console

console = Console(soft_wrap=True)
notes = Console(stderr=True, soft_wrap=True)
