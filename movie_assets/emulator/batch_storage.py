"""The files and batches of the Batch API, in memory. The endpoints are in `batches`."""

import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Batch:
    """A batch: when it was created (monotonic seconds), its JSON object, its requests, and their tokens."""

    created: float
    fields: dict[str, Any]
    lines: list[dict[str, Any]] = field(default_factory=list)
    tokens: int = 0


class BatchStorage:
    """The files and batches of one emulator, by their ids."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.described: dict[str, dict[str, Any]] = {}  # each file's JSON object; that of a deleted file stays
        self.batches: dict[str, Batch] = {}
        self.lock = threading.Lock()

    def keep(self, content: bytes, name: str, purpose: str) -> dict[str, Any]:
        """Store a file, and return its JSON object."""
        file_id = f"file-{uuid.uuid4().hex[:16]}"
        self.files[file_id] = content
        self.described[file_id] = {
            "id": file_id, "object": "file", "bytes": len(content), "created_at": int(time.time()),
            "filename": name, "purpose": purpose, "status": "processed",
        }  # fmt: skip
        return self.described[file_id]
