"""The files and batches of the Batch API, in memory. The endpoints are in `batches`."""

import threading
import uuid
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Batch:
    """A batch: when it was created (monotonic seconds), its JSON object, and its requests."""

    created: float
    fields: dict[str, Any]
    lines: list[dict[str, Any]] = field(default_factory=list)


class BatchStorage:
    """The files and batches of one emulator, by their ids."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, Batch] = {}
        self.lock = threading.Lock()

    def keep(self, content: bytes) -> str:
        """Store a file, and return its id."""
        file_id = f"file-{uuid.uuid4().hex[:16]}"
        self.files[file_id] = content
        return file_id
