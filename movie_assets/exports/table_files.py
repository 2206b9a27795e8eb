"""Writes the rows of a query as Parquet and as JSON lines at once, a chunk of rows at a time."""

import json
from contextlib import ExitStack
from datetime import date, datetime
from typing import Any, cast

import sqlalchemy as sa

from movie_assets.exports.destination import ABSENT, ExportError, NewExport

VALUES_IN_CHUNK = 200_000  # of vectors some 10 MB in Python


def arrow() -> Any:
    """Return pyarrow with its module of Parquet. Raises ExportError when it is not installed."""
    try:
        import pyarrow.parquet  # noqa: PLC0415  # from the extra `exports`
    except ModuleNotFoundError:
        raise ExportError(ABSENT.format("pyarrow", "'movie-assets[exports]'")) from None
    return pyarrow


def write_table(
    connection: sa.Connection, statement: sa.TextClause, export: NewExport, table: str, values_in_row: int
) -> int:
    """Write the rows of a statement to `<table>.parquet` and `<table>.jsonl`; return their number.

    The schema follows from the statement's columns. `values_in_row` is how many values a row has about.
    """
    pa = arrow()
    rows_in_chunk = max(1, VALUES_IN_CHUNK // values_in_row)
    result = connection.execution_options(yield_per=rows_in_chunk).execute(statement)
    assert result.cursor is not None  # noqa: S101  # a select has one
    types = _types(pa)
    schema = pa.schema([(name, types[cast("int", code)]) for name, code, *_ in result.cursor.description])
    count = 0
    with ExitStack() as files:
        parquet, lines = (files.enter_context(export.writing(f"{table}.{kind}")) for kind in ("parquet", "jsonl"))
        writer = files.enter_context(pa.parquet.ParquetWriter(parquet, schema, compression="zstd"))
        for chunk in result.mappings().partitions(rows_in_chunk):
            rows = [dict(row) for row in chunk]
            writer.write_table(pa.Table.from_pylist(rows, schema))  # a row group; write_batch would hold it in memory
            lines.write("".join(_line(row) for row in rows).encode())
            count += len(rows)
    described = [{"name": column.name, "type": str(column.type)} for column in schema]
    for kind in ("parquet", "jsonl"):
        export.published[f"{table}.{kind}"] |= {"rows": count, "schema": described}
    return count


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, allow_nan=False, default=_text) + "\n"


def _text(value: date | datetime) -> str:
    return value.isoformat()


def _types(pa: Any) -> dict[int, Any]:
    """Return Arrow's types by the numbers of Postgres' types."""

    def array_of(item: Any) -> Any:
        return pa.list_(pa.field("element", item))  # the name that Parquet gives it

    return {
        20: pa.int64(), 21: pa.int16(), 23: pa.int32(), 25: pa.string(), 700: pa.float32(), 701: pa.float64(),
        1009: array_of(pa.string()), 1021: array_of(pa.float32()), 1082: pa.date32(), 1184: pa.timestamp("us", "UTC"),
    }  # fmt: skip
