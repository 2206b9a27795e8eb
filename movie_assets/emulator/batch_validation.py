"""Validating a batch of the Batch API: its lines, and the account's limit of tokens that may wait."""

import json
from collections.abc import Sequence
from typing import Any

from movie_assets.emulator.batch_storage import Batch
from movie_assets.emulator.embeddings import tokens_of
from movie_assets.emulator.service import Service

NOT_JSON = "This line is not parseable as valid JSON."
DUPLICATE = "The custom_id for this request is a duplicate of another request. The custom_id parameter must be unique."
OTHER_URL = "The URL provided for this request does not match the batch endpoint."


def begin(service: Service, batch: Batch, lines: Sequence[bytes]) -> None:
    """Validate a batch's lines, and set its state: in progress, or failed with the errors."""
    requests: dict[str, dict[str, Any]] = {}
    errors = []
    for number, line in enumerate(lines, start=1):
        try:
            request = json.loads(line)
            custom_id, url = request["custom_id"], request["url"]
        except (ValueError, TypeError, KeyError):
            errors.append(error_of("invalid_json_line", NOT_JSON, number))
            continue
        if custom_id in requests:
            errors.append(error_of("duplicate_custom_id", DUPLICATE, number))
        elif url != batch.fields["endpoint"]:
            errors.append(error_of("mismatched_url", OTHER_URL, number))
        requests[custom_id] = request
    batch.lines = list(requests.values())
    batch.tokens = sum(tokens_of(str(request.get("body", {}).get("input", ""))) for request in batch.lines)
    errors = errors or _full(service, batch)
    batch.fields["status"] = "failed" if errors else "in_progress"
    if errors:
        set_errors(batch, errors)


def set_errors(batch: Batch, errors: list[dict[str, Any]]) -> None:
    """Set the errors about a whole batch."""
    batch.fields["errors"] = {"object": "list", "data": errors}


def error_of(code: str, message: str, line: int | None = None) -> dict[str, Any]:
    """Return an error about a whole batch, or about a line that made it fail."""
    return {"code": code, "message": message, "line": line, "param": None}


def _full(service: Service, batch: Batch) -> list[dict[str, Any]]:
    """Return the error of a batch with which more tokens would wait than the account allows."""
    limit = service.options.openai_enqueued_tokens
    waiting = sum(each.tokens for each in service.bulk.batches.values() if each.fields["status"] == "in_progress")
    if not limit or waiting + batch.tokens <= limit:
        return []
    model = batch.lines[0]["body"].get("model") if batch.lines else "none"
    message = (
        f"Enqueued token limit reached for {model} in organization org-emulator. Limit: {limit:,} enqueued tokens. "
        "Please try again once some in_progress batches have been completed."
    )
    return [error_of("token_limit_exceeded", message)]
