"""The settings of an emulator, which the command line sets."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

DEMO_MOVIES = 600
DEMO_SERIES = 200


@dataclass(frozen=True)
class EmulatorOptions:
    """Settings of an emulator.

    `port` 0 takes a free one; `details` serves recorded details instead of the made-up world; `token` None
    accepts any Bearer token; `rate_limit` is in requests a second, 0 for none; `faults` gives a rate from
    0 to 1 by name; `today` None follows the UTC calendar; `retry_after` is the Retry-After of fault `429s`, in
    seconds; `stall_seconds` is how long a fault sends nothing. `openai_requests` and `openai_tokens` are an account's
    limits for embeddings within `openai_window` seconds, enforced and sent in headers, 0 for none and no headers;
    `embeddings_like` names a server of another make, whose limits and errors are imitated, see `server_makes`;
    `embedding_seconds` is how long an embeddings request takes, `batch_seconds` a batch; `openai_enqueued_tokens` is
    the limit of tokens in batches that have not ended, 0 for none; `omdb_calls` is the number of calls a day that
    OMDb allows.
    """

    host: str = "127.0.0.1"
    port: int = 0
    movies: int = DEMO_MOVIES
    series: int = DEMO_SERIES
    seed: int = 1
    details: Path | None = None
    token: str | None = None
    rate_limit: int = 50
    faults: Mapping[str, float] = field(default_factory=dict)
    today: date | None = None
    retry_after: int = 1
    stall_seconds: float = 60.0
    openai_requests: int = 0
    openai_tokens: int = 0
    openai_window: float = 60.0
    embeddings_like: str | None = None
    embedding_seconds: float = 0.0
    batch_seconds: float = 2.0
    openai_enqueued_tokens: int = 0
    omdb_calls: int = 1000

    @property
    def world_name(self) -> str:
        """The name of the world: worlds in which the same ids are other films have different names."""
        if self.details is None:
            return f"seed={self.seed}"
        return f"details={hashlib.sha256(self.details.read_bytes()).hexdigest()[:12]}"
