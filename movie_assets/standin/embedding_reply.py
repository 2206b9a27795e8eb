"""Vectors on their way to the client, before they are written as OpenAI writes them."""

import base64
import json
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class EmbeddingReply:
    """One vector a row, the index of its input beside it."""

    vectors: npt.NDArray[np.float32]
    indices: tuple[int, ...]
    model: str
    encoding: Literal["float", "base64"]
    tokens: int
    cursed: tuple[int, ...] = ()  # positions of inputs that faults are tied to

    def rendered(self) -> bytes:
        """Write the reply as JSON."""
        rows = zip(self.indices, self.vectors, strict=True)
        data = ",".join(
            f'{{"object":"embedding","index":{index},"embedding":{self._written(row)}}}' for index, row in rows
        )
        usage: dict[str, Any] = {"prompt_tokens": self.tokens, "total_tokens": self.tokens}
        return (
            f'{{"object":"list","data":[{data}],"model":{json.dumps(self.model)},"usage":{json.dumps(usage)}}}'
        ).encode()

    def _written(self, row: npt.NDArray[np.float32]) -> str:
        if self.encoding == "base64":
            return json.dumps(base64.b64encode(row.astype("<f4").tobytes()).decode())
        # Most components are zero: writing only the others is many times faster than json.dumps.
        cells = ["0.0"] * len(row)
        for position in np.flatnonzero(row).tolist():
            value = float(row[position])
            cells[position] = "NaN" if value != value else repr(value)  # noqa: PLR0124
        return f"[{','.join(cells)}]"
