"""Run the benches, each in a process of its own, and write what they tell into RESULTS.md, figures into results/.

Usage: all.py [NAME ...], names without `.py`; without a name all that need nothing from outside. It goes on when one
fails, keeps what RESULTS.md had of it and of those that were not run, and ends with 1.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "RESULTS.md"
BENCHES = (
    "full_build", "limits", "export_stage", "pacing", "incremental", "vector_load", "vector_search",
    "search_peers", "text_search", "recommending_live", "ratings", "rating_intervals", "imports",
)  # fmt: skip
# As it was when the benches began, as each of them changes RESULTS.md.
GIT = shutil.which("git") or "true"  # where there is none, it tells nothing
COMMIT = subprocess.run(
    [GIT, "-C", str(HERE), "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
).stdout.strip() or "unknown"  # fmt: skip
PART = re.compile(r"<!-- (\w+) -->\n(.*?)<!-- /\1 -->\n", re.DOTALL)


def main(wanted: list[str]) -> int:
    """Run what is wanted; 1 when one of it failed."""
    if unknown := set(wanted) - set(BENCHES):
        sys.exit(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    parts = dict(PART.findall(RESULTS.read_text())) if RESULTS.exists() else {}
    failed = []
    for number, name in enumerate(names := wanted or list(BENCHES), start=1):
        print(f"[{number}/{len(names)}] {name} … ", end="", file=sys.stderr, flush=True)
        began, load = time.monotonic(), os.getloadavg()[0]
        output = told_by(name)
        seconds = time.monotonic() - began
        if output is None:
            failed.append(name)
        else:
            parts[name] = f"{output.strip()}\n\n{how_it_was_run(name, seconds, load)}\n"
            RESULTS.write_text(page(parts))
        print(f"{'failed after' if output is None else 'done in'} {seconds:,.0f} s", file=sys.stderr, flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def told_by(name: str) -> str | None:
    """What a bench printed; None when it failed. Its errors go to where ours do."""
    command = [sys.executable, str(HERE / f"{name}.py"), "--json", str(HERE / "results" / f"{name}.json")]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return None if done.returncode else done.stdout


def how_it_was_run(name: str, seconds: float, load: float) -> str:
    """The command, and the machine before it."""
    return (
        f"`.venv/bin/python bench/{name}.py`, {seconds:,.0f} s, {datetime.now(UTC):%d %B %Y %H:%M} UTC, commit "
        f"{COMMIT}; {os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, "
        f"load {load:.1f} in the minute before."
    )


def page(parts: dict[str, str]) -> str:
    """RESULTS.md, in the order of the benches."""
    told = "\n".join(f"<!-- {name} -->\n{parts[name]}<!-- /{name} -->\n" for name in BENCHES if name in parts)
    head = "Written by `make bench`; README.md says what is measured, against what, and how to read it."
    return f"# Results\n\n{head}\n\n{told}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
