"""Read exports of growing length into an empty catalogue; print seconds and peak memory of the reading process.

The stand-in runs as a process of its own. Usage: export_stage.py [--lines N ...] [--json FILE]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from full_build import COMMAND, variables_of

TODAY = datetime.now(UTC).date().isoformat()
READ = """
import dagster as dg
from movie_assets.definitions import defs
from movie_assets.settings import Settings
from movie_assets.startup import everything_for
with everything_for(Settings.from_env()), dg.DagsterInstance.get() as instance:
    job = defs.resolve_job_def("read_the_day")
    result = job.execute_in_process(
        instance=instance, partition_key=TODAY, asset_selection=[dg.AssetKey("tmdb_export"), dg.AssetKey("movie_ids")]
    )
    assert result.success
"""


def main() -> None:
    """Read each export in a process of its own and report it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--lines", type=int, nargs="+", default=[10_000, 100_000, 1_300_000], help="lengths of the export"
    )
    parser.add_argument("--json", type=Path, help="write the figures here too")
    arguments = parser.parse_args()
    figures = [measured(lines) for lines in arguments.lines]
    for row in figures:
        print("  ".join(f"{name} {value:,}" for name, value in row.items()))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


def measured(lines: int) -> dict[str, Any]:
    """Read an export of so many lines; wall seconds include the start of Dagster and of Postgres."""
    stand_in = subprocess.Popen(
        [*COMMAND, "stand-in", "--port", "0", "--rate", "0", "--movies", str(lines)], stdout=subprocess.PIPE, text=True
    )
    try:
        with tempfile.TemporaryDirectory(prefix="movie_assets_bench_") as home:
            environment = variables_of(stand_in, home)
            started = time.monotonic()
            script = f"TODAY = {TODAY!r}\n{READ}"
            process = subprocess.Popen([sys.executable, "-c", script], env=environment, stderr=subprocess.DEVNULL)
            _, status, used = os.wait4(process.pid, 0)
            if status:
                raise RuntimeError(f"reading {lines:,} lines failed")
            seconds = time.monotonic() - started
    finally:
        stand_in.terminate()
        stand_in.wait()
    return {
        "lines": lines,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_megabytes": round(used.ru_maxrss / 1024),
    }


if __name__ == "__main__":
    main()
