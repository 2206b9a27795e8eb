"""Read exports of growing length into an empty catalogue: seconds and peak memory of the reading process.

The emulator runs as a process of its own.
"""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any

from refreshing import catalogue, services
from tables import in_rounds, parser_of, print_section, write_figures

from movie_assets.config.paths import CHECKOUT

TODAY = datetime.now(UTC).date().isoformat()
READ = """
import dagster as dg
from movie_assets_tests.support.definitions import defs
from movie_assets.config.settings import Settings
from movie_assets.orchestration.startup import everything_for
with everything_for(Settings.from_env()), dg.DagsterInstance.get() as instance:
    job = defs.resolve_job_def("read_the_day")
    result = job.execute_in_process(
        instance=instance, partition_key=TODAY, asset_selection=[dg.AssetKey("tmdb_export"), dg.AssetKey("movie_ids")]
    )
    assert result.success
"""


def main() -> None:
    """Read each export in a process of its own and report it."""
    parser = parser_of(__doc__)
    parser.add_argument("--lines", type=int, nargs="+", default=[10_000, 100_000, 1_300_000], help="lengths")
    options = parser.parse_args()
    figures, kept = in_rounds(options.rounds, lambda: [measured(lines) for lines in options.lines])
    configuration = (
        f"`tmdb_export` and `movie_ids` on an empty catalogue, each export in a process of its own; the start of "
        f"Dagster and of Postgres is in the time. Medians of {options.rounds} rounds."
    )
    print_section("The export stage", configuration, figures)
    write_figures(options.json, kept)


def measured(lines: int) -> dict[str, Any]:
    """Read an export of so many lines; wall seconds include the start of Dagster and of Postgres."""
    with services(movies=lines) as tmdb_emulator, catalogue(tmdb_emulator) as environment:
        started = time.monotonic()
        script = f"TODAY = {TODAY!r}\n{READ}"
        command = [sys.executable, "-c", script]
        process = subprocess.Popen(command, env=environment, cwd=CHECKOUT, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        if status:
            raise RuntimeError(f"reading {lines:,} lines failed")
        seconds = time.monotonic() - started
    return {
        "lines": lines,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_megabytes": round(used.ru_maxrss / 1024),
    }


if __name__ == "__main__":
    main()
