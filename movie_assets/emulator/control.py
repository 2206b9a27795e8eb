"""`/stand-in/state`: see what the emulator was asked, set its day and its faults.

No credentials, no faults, no counting here.
"""

import json
from datetime import date
from typing import Any

from movie_assets.emulator.answers import ServedResponse, json_response
from movie_assets.emulator.service import Service

KEYS = {"today", "faults", "reset_counts"}


def shown(service: Service) -> ServedResponse:
    """GET: the state as JSON."""
    return json_response(service.state())


def changed(service: Service, body: bytes) -> ServedResponse:
    """PUT: change what is given; nothing changes if any of it cannot be taken."""
    try:
        wanted = json.loads(body)
        _apply(service, wanted)
    except (ValueError, TypeError) as error:
        return json_response({"error": str(error)}, 400)
    return shown(service)


def _apply(service: Service, wanted: Any) -> None:
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
