"""The Batch API for embeddings: `/v1/files` and `/v1/batches`.

A batch is validated as it is created, and completed by the first request for its state after `batch_seconds`. Its
vectors come from `embeddings`.
"""

import json
import time
import uuid
from email.parser import BytesParser
from typing import Any

from starlette.requests import Request

from movie_assets.emulator.batch_storage import Batch
from movie_assets.emulator.batch_validation import begin, error_of, set_errors
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
        return json_response(service.bulk.keep(parts["file"], parts["filename"].decode(errors="replace"), "batch"))


def list_files(service: Service, request: Request, body: bytes) -> ServedResponse:  # noqa: ARG001
    """Return a page of files, the newest first: GET `/v1/files`."""
    purpose = request.query_params.get("purpose")
    every = [each for each in service.bulk.described.values() if each["id"] in service.bulk.files]
    return _page(request, [each for each in reversed(every) if purpose in (None, each["purpose"])])


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
    lines = content.splitlines()
    if len(lines) > MAX_LINES:
        raise _bad_request(400, "A batch has at most 50,000 requests.")
    batch_id = f"batch_{uuid.uuid4().hex[:16]}"
    fields = {
        "id": batch_id, "object": "batch", "endpoint": "/v1/embeddings", "completion_window": "24h",
        "input_file_id": asked["input_file_id"], "metadata": asked.get("metadata"), "status": "validating",
        "created_at": int(time.time()), "output_file_id": None, "error_file_id": None, "errors": None,
        "request_counts": {"total": len(lines), "completed": 0, "failed": 0},
    }  # fmt: skip
    with service.bulk.lock:
        service.bulk.batches[batch_id] = Batch(time.monotonic(), fields)
        begin(service, service.bulk.batches[batch_id], lines)
    is_good = fields["status"] == "in_progress"
    # What is wrong with a batch shows in its next state.
    return json_response(fields if is_good else fields | {"status": "validating", "errors": None})


def list_batches(service: Service, request: Request, body: bytes) -> ServedResponse:  # noqa: ARG001
    """Return a page of batches, the newest first: GET `/v1/batches`."""
    return _page(request, [batch.fields for batch in reversed(service.bulk.batches.values())])


def cancel(service: Service, request: Request, body: bytes) -> ServedResponse:  # noqa: ARG001
    """Cancel a batch, half of which is done: POST `/v1/batches/{id}/cancel`."""
    batch = _batch(service, request)
    with service.bulk.lock:
        if batch.fields["status"] != "in_progress":
            raise _bad_request(409, f"Cannot cancel a batch with status '{batch.fields['status']}'.")
        _complete(service, batch, "cancelled")
    return json_response(batch.fields | {"status": "cancelling"})


def state(service: Service, request: Request, body: bytes) -> ServedResponse:  # noqa: ARG001
    """Return a batch, and complete it first if its time has come: GET `/v1/batches/{id}`."""
    batch = _batch(service, request)
    with service.bulk.lock:
        is_due = time.monotonic() - batch.created >= service.options.batch_seconds
        if is_due and batch.fields["status"] == "in_progress":
            _complete(service, batch, service.with_fault("completed", "batch"))
    return json_response(batch.fields)


def _complete(service: Service, batch: Batch, status: str) -> None:
    """Embed the batch's lines and store its files; if it is not completed, half of them, or none if it failed."""
    batch.fields["status"] = status
    if status == "failed":
        set_errors(batch, [error_of("server_error", "The batch could not be begun; please try again.")])
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
            content = "".join(json.dumps(entry) + "\n" for entry in entries).encode()
            kept = service.bulk.keep(content, f"{batch.fields['id']}_{name.split('_')[0]}.jsonl", "batch_output")
            batch.fields[name] = kept["id"]


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


def _batch(service: Service, request: Request) -> Batch:
    batch = service.bulk.batches.get(request.path_params["batch_id"])
    if batch is None:
        raise _bad_request(404, "No batch found.")
    return batch


def _page(request: Request, every: list[dict[str, Any]]) -> ServedResponse:
    """Return the page of a list that the query's `after` and `limit` ask for."""
    ids = [each["id"] for each in every]
    after, limit = request.query_params.get("after"), int(request.query_params.get("limit", "20"))
    start = ids.index(after) + 1 if after in ids else 0
    page = every[start : start + limit]
    return json_response({"object": "list", "data": page, "has_more": start + limit < len(every)})


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
            if filename := part.get_filename():
                parts["filename"] = filename.encode()
    return parts


def _bad_request(status: int, message: str) -> RefusedError:
    return RefusedError(openai_error(status, message, None))
