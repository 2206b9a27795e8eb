"""Postgres's arrays in binary, as a real server sends them."""

from typing import Any, Literal

import numpy as np
import pytest
import sqlalchemy as sa

from movie_assets.database.binary_arrays import numbers_of
from movie_assets.database.database import Database

Kind = Literal["int8", "float8", "float4"]


def sent(database: Database, array: str) -> bytes:
    with database.transaction() as connection:
        found: Any = connection.scalar(sa.text(f"select array_send({array})"))
        return bytes(found)


@pytest.mark.parametrize(
    ("array", "kind", "numbers"),
    [("array[1, -2, 9007199254740993]::bigint[]", "int8", [1, -2, 9007199254740993]),
     ("array[0.5, 100]::float8[]", "float8", [0.5, 100]),
     ("array[0.25]::real[]", "float4", [0.25]),
     ("'{}'::bigint[]", "int8", [])],
)  # fmt: skip
def test_the_numbers_are_those_of_the_array(database: Database, array: str, kind: Kind, numbers: list[float]) -> None:
    found = numbers_of(sent(database, array), kind)
    assert found.tolist() == numbers
    assert found.dtype.isnative


def test_not_a_number_stays_so(database: Database) -> None:
    assert np.isnan(numbers_of(sent(database, "array['NaN']::float8[]"), "float8")).all()


@pytest.mark.parametrize("array", ["array[1, 2]::integer[]", "array[1, null]::bigint[]"])
def test_another_type_and_nulls_are_refused(database: Database, array: str) -> None:
    with pytest.raises(ValueError, match=r"lengths are others|multiple of element size"):
        numbers_of(sent(database, array), "int8")
