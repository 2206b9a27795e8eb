"""What the script `movie-assets` calls: a Ctrl-C while modules are imported ends it without a traceback."""

import signal


def main() -> None:
    """Import the command line, and run it."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from movie_assets.cli import main as cli  # noqa: PLC0415  # takes a second, in which Ctrl-C must be quiet

    signal.signal(signal.SIGINT, before)
    cli.main()
