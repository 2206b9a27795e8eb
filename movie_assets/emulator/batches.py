"""The Batch API for embeddings: `/v1/files` and `/v1/batches`.

A batch is completed by the first request for its state after `batch_seconds`. Its vectors come from `embeddings`.
"""

import json
import time
import uuid
from email.parser import BytesParser
from typing import Any

from starlette.requests import Request

from movie_assets.emulator.batch_storage import Batch
from movie_assets.emulator.embeddings import embed
from movie_assets.emulator.responses import RefusedError, ServedResponse, json_response, openai_error
from movie_assets.emulator.service import Service

MAX_LINES = 50_000
MAX_BYTES = 200_000_000
EXPIRED = {
    "code": "batch_expired",
    "message": "This request could not be executed before the completion window expired.",
}


def upload(service: Service, request: Request, body: bytes) -> ServedResponse:
    """Store the uploaded file: POST `/v1/files`."""
    parts = _form(request.headers.get("content-type", ""), body)
    if parts.get("purpose") != b"batch" or "file" not in parts:
        raise _bad_request(400, "The emulator takes files with the purpose batch.")
    if len(parts["file"]) > MAX_BYTES:
        raise _bad_request(400, "The file is larger than 200 MB.")
    with service.bulk.lock:
        file_id = service.bulk.keep(parts["file"])
    return json_response(_file(file_id, parts["file"]))


def file_content(service: Service, request: Request, body: bytes) -> ServedResponse:  # noqa: ARG001
    """Return a file's content: GET `/v1/files/{id}/content`."""
    content = service.bulk.files.get(request.path_params["file_id"])
    if content is None:
        raise _bad_request(404, "No such File object.")
    return ServedResponse(200, content, {"Content-Type": "application/octet-stream"})


def delete_file(service: Service, request: Request, body: bytes) -> ServedResponse:  # noqa: ARG001
    """Delete a file: DELETE `/v1/files/{id}`."""
    file_id = request.path_params["file_id"]
    with service.bulk.lock:
        if service.bulk.files.pop(file_id, None) is None:
            raise _bad_request(404, "No such File object.")
    return json_response({"id": file_id, "object": "file", "deleted": True})


def create(service: Service, request: Request, body: bytes) -> ServedResponse:  # noqa: ARG001
    """Create a batch from an uploaded file: POST `/v1/batches`."""
    asked = json.loads(body)
    content = service.bulk.files.get(asked.get("input_file_id"))
    if content is None or asked.get("endpoint") != "/v1/embeddings" or asked.get("completion_window") != "24h":
        raise _bad_request(400, "A batch needs a file, the endpoint /v1/embeddings and the completion window 24h.")
    lines = [json.loads(line) for line in content.splitlines()]
    if len(lines) > MAX_LINES:
        raise _bad_request(400, "A batch has at most 50,000 requests.")
    batch_id = f"batch_{uuid.uuid4().hex[:16]}"
    fields = {
        "id": batch_id, "object": "batch", "endpoint": "/v1/embeddings", "completion_window": "24h",
        "input_file_id": asked["input_file_id"], "metadata": asked.get("metadata"), "status": "in_progress",
        "created_at": int(time.time()), "output_file_id": None, "error_file_id": None, "errors": None,
        "request_counts": {"total": len(lines), "completed": 0, "failed": 0},
    }  # fmt: skip
    with service.bulk.lock:
        service.bulk.batches[batch_id] = Batch(time.monotonic(), fields, lines)
    return json_response(fields)


def list_batches(service: Service, request: Request, body: bytes) -> ServedResponse:  # noqa: ARG001
    """Return a page of batches, the newest first: GET `/v1/batches`."""
    every = list(service.bulk.batches)[::-1]
    after, limit = request.query_params.get("after"), int(request.query_params.get("limit", "20"))
    start = every.index(after) + 1 if after in every else 0
    page = [service.bulk.batches[batch_id].fields for batch_id in every[start : start + limit]]
    return json_response({"object": "list", "data": page, "has_more": start + limit < len(every)})


def state(service: Service, request: Request, body: bytes) -> ServedResponse:  # noqa: ARG001
    """Return a batch, and complete it first if its time has come: GET `/v1/batches/{id}`."""
    batch = service.bulk.batches.get(request.path_params["batch_id"])
    if batch is None:
        raise _bad_request(404, "No batch found.")
    with service.bulk.lock:
        is_due = time.monotonic() - batch.created >= service.options.batch_seconds
        if is_due and batch.fields["status"] == "in_progress":
            _complete(service, batch)
    return json_response(batch.fields)


def _complete(service: Service, batch: Batch) -> None:
    """Embed the batch's lines and store its files; a fault of the place `batch` ends it in another state."""
    status = service.with_fault("completed", "batch")
    batch.fields["status"] = status
    if status == "failed":
        error = {
            "code": "token_limit_exceeded",
            "message": "Enqueued token limit reached.",
            "line": None,
            "param": None,
        }
        batch.fields["errors"] = {"object": "list", "data": [error]}
        return
    done: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    reached = len(batch.lines) if status == "completed" else len(batch.lines) // 2
    for number, line in enumerate(batch.lines):
        entry = _completed_line(service, line) if number < reached else _expired_line(line)
        (done if entry["error"] is None and entry["response"]["status_code"] == 200 else failed).append(entry)  # noqa: PLR2004
    service.count_embedded(len(done))
    batch.fields["request_counts"] = {"total": len(batch.lines), "completed": len(done), "failed": len(failed)}
    for name, entries in (("output_file_id", done[::-1]), ("error_file_id", failed)):  # in no order
        if entries:
            batch.fields[name] = service.bulk.keep("".join(json.dumps(entry) + "\n" for entry in entries).encode())


def _completed_line(service: Service, line: dict[str, Any]) -> dict[str, Any]:
    try:
        response = embed(service, line["body"])
        status, body = 200, json.loads(response.rendered())
        status, body = service.with_fault((status, body), "batch_line")
    except RefusedError as refused:
        status, body = refused.response.status, json.loads(refused.response.body)
    return {
        "id": f"batch_req_{uuid.uuid4().hex[:12]}",
        "custom_id": line["custom_id"],
        "response": {"status_code": status, "request_id": "", "body": body},
        "error": None,
    }


def _expired_line(line: dict[str, Any]) -> dict[str, Any]:
    return {"id": "", "custom_id": line["custom_id"], "response": None, "error": EXPIRED}


def _file(file_id: str, content: bytes) -> dict[str, Any]:
    return {
        "id": file_id, "object": "file", "bytes": len(content), "created_at": int(time.time()),
        "filename": "movie_assets.jsonl", "purpose": "batch", "status": "processed",
    }  # fmt: skip


def _form(content_type: str, body: bytes) -> dict[str, bytes]:
    """Return the parts of a multipart form by their names."""
    message = BytesParser().parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    if not message.is_multipart():
        raise _bad_request(400, "A file comes as a multipart form.")
    parts = {}
    for part in message.walk():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            parts[name] = content
    return parts


def _bad_request(status: int, message: str) -> RefusedError:
    return RefusedError(openai_error(status, message, None))
