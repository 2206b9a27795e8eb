"""Postgres's one-dimensional arrays in the form in which `array_send` gives them: millions of numbers without a parser.

A header of 20 bytes (12 when empty), then for each element its length (four bytes) and its value, all big-endian. There
are no nulls in them: the queries take care of that.
"""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

HEADER = 20
TYPES: dict[str, str] = {"int8": ">i8", "float8": ">f8", "float4": ">f4"}


def numbers_of(raw: bytes, kind: Literal["int8", "float8", "float4"]) -> npt.NDArray[Any]:
    """The elements, in this machine's byte order. Raises ValueError for another type's bytes."""
    if len(raw) <= HEADER:
        return np.zeros(0, dtype=np.dtype(TYPES[kind]).newbyteorder("="))
    element = np.dtype([("length", ">i4"), ("value", TYPES[kind])])
    found = np.frombuffer(raw, element, offset=HEADER)
    if (found["length"] != element["value"].itemsize).any():
        raise ValueError(f"these are no elements of {kind}: their lengths are others, or some are null")
    return np.asarray(found["value"].astype(np.dtype(TYPES[kind]).newbyteorder("=")))
