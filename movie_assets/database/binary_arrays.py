"""Reading Postgres's one-dimensional arrays in the binary form of `array_send`: millions of numbers without a parser.

A header has 20 bytes (12 for an empty array). Then each element has its length (four bytes) and its value, all
big-endian. The queries return arrays without nulls.
"""

from typing import Literal, overload

import numpy as np
import numpy.typing as npt

HEADER = 20
TYPES: dict[str, str] = {"int8": ">i8", "float8": ">f8", "float4": ">f4"}


@overload
def numbers_of(raw: bytes, kind: Literal["int8"]) -> npt.NDArray[np.int64]: ...
@overload
def numbers_of(raw: bytes, kind: Literal["float8"]) -> npt.NDArray[np.float64]: ...
@overload
def numbers_of(raw: bytes, kind: Literal["float4"]) -> npt.NDArray[np.float32]: ...
def numbers_of(
    raw: bytes, kind: Literal["int8", "float8", "float4"]
) -> npt.NDArray[np.int64] | npt.NDArray[np.float64] | npt.NDArray[np.float32]:
    """Return the elements in this machine's byte order. Raises ValueError for bytes of another type, or with nulls."""
    if len(raw) <= HEADER:
        return np.zeros(0, dtype=np.dtype(TYPES[kind]).newbyteorder("="))
    element = np.dtype([("length", ">i4"), ("value", TYPES[kind])])
    elements = np.frombuffer(raw, element, offset=HEADER)
    if (elements["length"] != element["value"].itemsize).any():
        raise ValueError(f"these are not elements of {kind}: they have other lengths, or some are null")
    return np.asarray(elements["value"].astype(np.dtype(TYPES[kind]).newbyteorder("=")))
