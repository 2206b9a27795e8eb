"""Where and when a report was made."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def circumstances() -> dict[str, Any]:
    """The commit ("dirty" where files were changed since), the machine, its load in the last 15 minutes, the day."""
    commit = subprocess.run(
        ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"],  # noqa: S607  # git is where people have it
        capture_output=True, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    return {
        "commit": commit or "unknown", "cores": os.cpu_count(), "machine": platform.platform(),
        "day": datetime.now(UTC).date().isoformat(), "load": os.getloadavg()[2],
    }  # fmt: skip
