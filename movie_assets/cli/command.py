"""The entry point of the script `movie-assets`. Ctrl-C during the imports ends it without a traceback."""

import signal


def main() -> None:
    """Import the command line and run it."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from movie_assets.cli import main as cli  # noqa: PLC0415  # takes a second, during which Ctrl-C must print nothing

    signal.signal(signal.SIGINT, before)
    cli.main()
