"""Run benchmarks, each in its own process; write their tables to RESULTS.md and their figures to results/.

Usage: all.py [NAME ...], names without `.py`; without a name all that need no files. When one fails, the others run,
its old part of RESULTS.md stays, and the exit code is 1.
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
    "full_build", "list_calls", "limits", "export_stage", "pacing", "incremental", "vector_load", "vector_search",
    "search_peers", "text_search", "recommending_live", "ratings", "rating_intervals", "imports",
)  # fmt: skip
# The state before the first benchmark, as each one changes RESULTS.md.
GIT = shutil.which("git") or "true"  # without git, `true` prints nothing
COMMIT = subprocess.run(
    [GIT, "-C", str(HERE), "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
).stdout.strip() or "unknown"  # fmt: skip
PART = re.compile(r"<!-- (\w+) -->\n(.*?)<!-- /\1 -->\n", re.DOTALL)


def main(wanted: list[str]) -> int:
    """Run the benchmarks of these names, or all; return 1 if one failed."""
    if unknown := set(wanted) - set(BENCHES):
        sys.exit(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    parts = dict(PART.findall(RESULTS.read_text())) if RESULTS.exists() else {}
    failed = []
    for number, name in enumerate(names := wanted or list(BENCHES), start=1):
        print(f"[{number}/{len(names)}] {name} … ", end="", file=sys.stderr, flush=True)
        began, load = time.monotonic(), os.getloadavg()[0]
        output = output_of(name)
        seconds = time.monotonic() - began
        if output is None:
            failed.append(name)
        else:
            parts[name] = f"{output.strip()}\n\n{conditions_of(name, seconds, load)}\n"
            RESULTS.write_text(page(parts))
        print(f"{'failed after' if output is None else 'done in'} {seconds:,.0f} s", file=sys.stderr, flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def output_of(name: str) -> str | None:
    """Return what a benchmark printed; None when it failed."""
    command = [sys.executable, str(HERE / f"{name}.py"), "--json", str(HERE / "results" / f"{name}.json")]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return None if done.returncode else done.stdout


def conditions_of(name: str, seconds: float, load: float) -> str:
    """Describe the command, its time, and the machine."""
    return (
        f"`.venv/bin/python bench/{name}.py`, {seconds:,.0f} s, {datetime.now(UTC):%d %B %Y %H:%M} UTC, commit "
        f"{COMMIT}; {os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, "
        f"load {load:.1f} in the minute before."
    )


def page(parts: dict[str, str]) -> str:
    """Return the text of RESULTS.md with the parts in the order of BENCHES."""
    text = "\n".join(f"<!-- {name} -->\n{parts[name]}<!-- /{name} -->\n" for name in BENCHES if name in parts)
    head = "Written by `make bench`; README.md says what is measured, against what, and how to read it."
    return f"# Results\n\n{head}\n\n{text}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
