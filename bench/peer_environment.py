"""The other libraries' environment: made once from bench/peers/requirements.lock, and the scripts that run in it.

Their pins and ours do not agree, so nothing here imports them: a script of bench/peers/ runs as a process of its own
and prints JSON.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tables import report_progress

CHECKOUT = Path(__file__).parents[1]
SCRIPTS = CHECKOUT / "bench" / "peers"
LOCK = SCRIPTS / "requirements.lock"
ENVIRONMENT = CHECKOUT / ".venv-peers"
QUIET = {"COCOINDEX_DISABLE_USAGE_TRACKING": "1", "COCOINDEX_LOG_LEVEL": "error"}  # a benchmark calls nobody


def peers_python() -> Path:
    """Return the interpreter of the peers' environment, which is made again when the lock file has changed."""
    python = ENVIRONMENT / "bin" / "python"
    stamp = ENVIRONMENT / "lock.sha256"
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        report_progress(f"installing the other libraries into {ENVIRONMENT.name} (once)")
        subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], check=True)
        options = ["-qq", "--disable-pip-version-check", "--no-deps", "--require-hashes"]  # the lock has all of them
        subprocess.run([python, "-m", "pip", "install", *options, "-r", LOCK], check=True)
        stamp.write_text(wanted)
    return python


def run_script(script: str, *arguments: object) -> Any:
    """Run a script of bench/peers/, and return the JSON that it prints."""
    command = [str(peers_python()), str(SCRIPTS / script), *map(str, arguments)]
    completed = subprocess.run(command, stdout=subprocess.PIPE, check=True, env={**os.environ, **QUIET})
    return json.loads(completed.stdout)
