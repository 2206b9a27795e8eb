"""`/emulator/state`: the emulator's counts of requests, its day and its faults.

These requests need no credentials, are not counted, and no fault applies to them. `/stand-in/state` is the former
path.
"""

import json
from datetime import date

from movie_assets.emulator.responses import ServedResponse, json_response
from movie_assets.emulator.service import Service

PATHS = ("/emulator/state", "/stand-in/state")
KEYS = {"today", "faults", "reset_counts"}


def read_state(service: Service) -> ServedResponse:
    """Return the state as JSON: GET."""
    return json_response(service.state())


def change_state(service: Service, body: bytes) -> ServedResponse:
    """Apply the given keys, and return the state: PUT. An invalid value is a 400, and nothing changes."""
    try:
        wanted = json.loads(body)
        _apply(service, wanted)
    except (ValueError, TypeError) as error:
        return json_response({"error": str(error)}, 400)
    return read_state(service)


def _apply(service: Service, wanted: object) -> None:
    if not isinstance(wanted, dict) or not set(wanted) <= KEYS:
        raise ValueError(f"give a JSON object with keys out of {', '.join(sorted(KEYS))}")
    today = service.set_day
    if "today" in wanted:
        today = None if wanted["today"] is None else date.fromisoformat(wanted["today"])
    if "faults" in wanted:
        if not isinstance(wanted["faults"], dict):
            raise ValueError("faults is an object of rates by name")
        service.set_faults(wanted["faults"])
    service.set_day = today
    if wanted.get("reset_counts"):
        service.reset_counts()
