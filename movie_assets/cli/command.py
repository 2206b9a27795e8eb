"""The entry point of the script `movie-assets`, and what holds while it imports modules."""

import atexit
import gc
import signal
from collections.abc import Iterator
from contextlib import contextmanager


def main() -> None:
    """Import the command line and run it."""
    atexit.register(gc.freeze)  # the interpreter would look for garbage once more, which takes a tenth of a second
    with importing():
        from movie_assets.cli import main as cli  # noqa: PLC0415  # Ctrl-C must print nothing meanwhile

    cli.main()


@contextmanager
def importing() -> Iterator[None]:
    """Let Ctrl-C end the process at once and print nothing; collect no garbage, of which imports make none."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        signal.signal(signal.SIGINT, before)
