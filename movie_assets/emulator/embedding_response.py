"""A response with vectors, before and after it is written as OpenAI's JSON."""

import base64
import json
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

PRECISION = {"base64": "<f4", "half": "<f2"}


@dataclass(frozen=True)
class EmbeddingResponse:
    """Vectors, one a row (float32), and the index of each one's input."""

    vectors: npt.NDArray[np.float32]
    indices: tuple[int, ...]
    model: str
    encoding: Literal["float", "base64", "half", "text"]
    tokens: int
    index: Literal["given", "left out", "left out where 0", "from 1"] = "given"
    usage: Literal["full", "left out", "null", "total only"] = "full"
    cursed: tuple[int, ...] = ()  # positions of inputs that faults are tied to

    def rendered(self) -> bytes:
        """Return the response's body as JSON."""
        rows = zip(self.indices, self.vectors, strict=True)
        data = ",".join(
            f'{{"object":"embedding",{self._index(index)}"embedding":{self._written(row)}}}' for index, row in rows
        )
        usage: dict[str, int] | None = {"prompt_tokens": self.tokens, "total_tokens": self.tokens}
        if self.usage in ("null", "total only"):
            usage = None if self.usage == "null" else {"total_tokens": self.tokens}
        usage_json = "" if self.usage == "left out" else f',"usage":{json.dumps(usage)}'
        return f'{{"object":"list","data":[{data}],"model":{json.dumps(self.model)}{usage_json}}}'.encode()

    def _index(self, index: int) -> str:
        is_left_out = self.index == "left out" or (self.index == "left out where 0" and index == 0)
        return "" if is_left_out else f'"index":{index + (self.index == "from 1")},'

    def _written(self, row: npt.NDArray[np.float32]) -> str:
        if self.encoding in PRECISION:
            return json.dumps(base64.b64encode(row.astype(PRECISION[self.encoding]).tobytes()).decode())
        return json.dumps(written(row)) if self.encoding == "text" else written(row)


def written(row: npt.NDArray[np.float32]) -> str:
    """Return a vector as a JSON list of numbers."""
    # Most components are zero: writing only the others is many times faster than json.dumps.
    cells = ["0.0"] * len(row)
    for position in np.flatnonzero(row).tolist():
        value = float(row[position])
        cells[position] = "NaN" if value != value else repr(value)  # noqa: PLR0124
    return f"[{','.join(cells)}]"
