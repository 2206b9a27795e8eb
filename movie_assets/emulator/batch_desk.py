"""What an emulator keeps of the Batch API: files and batches. What becomes of them is in `batches`."""

import threading
import uuid
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Batch:
    """A batch and what became of it."""

    created: float
    fields: dict[str, Any]
    lines: list[dict[str, Any]] = field(default_factory=list)


class BatchDesk:
    """Files and batches of one emulator."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, Batch] = {}
        self.lock = threading.Lock()

    def keep(self, content: bytes) -> str:
        """Store a file; tells its id."""
        file_id = f"file-{uuid.uuid4().hex[:16]}"
        self.files[file_id] = content
        return file_id
