"""Run benchmarks, each in its own process; write their tables to RESULTS.md and their figures to results/.

Usage: all.py [--before DIR] [NAME ...], names without `.py`; without a name all that need no files. Arguments of a
benchmark follow its name in quotes: "full_build --growth 5000". When one fails, the others run, its old part of
RESULTS.md stays, and the exit code is 1. With --before each benchmark is then run on the code of another checkout,
which has an environment of its own (.venv) and a copy of this folder (see docs/performance.md), for the table of
goals; one that the code there cannot run leaves its column empty.
"""

import argparse
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from goals import BEFORE, goals_as_text

HERE = Path(__file__).parent
RESULTS = HERE / "RESULTS.md"
BENCHES = (
    "full_build", "list_calls", "limits", "export_stage", "pacing", "incremental", "vector_load", "vector_search",
    "search_curves", "search_peers", "text_search", "recommending_live", "applications", "ratings",
    "rating_intervals", "imports",
)  # fmt: skip
ARGUMENTS: dict[str, Sequence[str]] = {"search_curves": ("--days", "3")}  # 30 take a quarter of an hour
# The state before the first benchmark, as each one changes RESULTS.md.
GIT = shutil.which("git") or "true"  # without git, `true` prints nothing
COMMIT = subprocess.run(
    [GIT, "-C", str(HERE), "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
).stdout.strip() or "unknown"  # fmt: skip
PART = re.compile(r"<!-- (\w+) -->\n(.*?)<!-- /\1 -->\n", re.DOTALL)


def main() -> int:
    """Run the benchmarks that are named, or all; return 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--before", type=Path, metavar="DIR", help="an earlier checkout to measure, too")
    options = parser.parse_args()
    wanted = {name: arguments for name, *arguments in map(shlex.split, options.names)}
    if unknown := wanted.keys() - set(BENCHES):
        sys.exit(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    parts = dict(PART.findall(RESULTS.read_text())) if RESULTS.exists() else {}
    failed = []
    for number, name in enumerate(names := list(wanted or BENCHES), start=1):
        print(f"[{number}/{len(names)}] {name} … ", end="", file=sys.stderr, flush=True)
        began, load = time.monotonic(), os.getloadavg()[0]
        arguments = wanted.get(name) or ARGUMENTS.get(name, ())
        output = output_of(name, arguments, HERE.parent, HERE / "results")
        seconds = time.monotonic() - began
        if output is None:
            failed.append(name)
        else:
            parts[name] = f"{output.strip()}\n\n{conditions_of(name, arguments, seconds, load)}\n"
            if options.before is not None and output_of(name, arguments, options.before, BEFORE) is None:
                print("not on the code before … ", end="", file=sys.stderr, flush=True)
            RESULTS.write_text(page(parts))
        print(f"{'failed after' if output is None else 'done in'} {seconds:,.0f} s", file=sys.stderr, flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def output_of(name: str, arguments: Sequence[str], checkout: Path, results: Path) -> str | None:
    """Return what a benchmark of a checkout printed; None when it failed."""
    python, script = checkout / ".venv" / "bin" / "python", checkout / "bench" / f"{name}.py"
    command = [str(python), str(script), *arguments, "--json", str(results / f"{name}.json")]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return None if done.returncode else done.stdout


def conditions_of(name: str, arguments: Sequence[str], seconds: float, load: float) -> str:
    """Describe the command, its time, and the machine."""
    command = " ".join((".venv/bin/python", f"bench/{name}.py", *arguments))
    return (
        f"`{command}`, {seconds:,.0f} s, {datetime.now(UTC):%d %B %Y %H:%M} UTC, commit "
        f"{COMMIT}; {os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, "
        f"load {load:.1f} in the minute before."
    )


def page(parts: dict[str, str]) -> str:
    """Return the text of RESULTS.md with the parts in the order of BENCHES."""
    text = "\n".join(f"<!-- {name} -->\n{parts[name]}<!-- /{name} -->\n" for name in BENCHES if name in parts)
    head = "Written by `make bench`; README.md says what is measured, against what, and how to read it."
    return f"# Results\n\n{head}\n\n<!-- goals -->\n{goals_as_text()}<!-- /goals -->\n\n{text}"


if __name__ == "__main__":
    sys.exit(main())
