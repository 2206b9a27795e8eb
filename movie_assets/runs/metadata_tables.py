"""Tables as metadata. The web UI shows them without a click, but hides Markdown of 1,000 characters and more.

The web UI draws charts of numbers over time; bars in a table compare shares with one another.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import dagster as dg

from movie_assets.tmdb.media import MOVIES
from movie_assets.tmdb.responses import CallCounts

BAR = 16  # blocks of a share of 1
TYPES: dict[type, str] = {bool: "bool", int: "int", float: "float"}
Cell = str | int | float | bool | None
Value = TypeVar("Value")


def of_media(media: str, metadata: Mapping[str, Value]) -> dict[str, Value]:
    """Return metadata by names that tell the media type: those of movies as they are, others with its name first."""
    if media == MOVIES.name:
        return dict(metadata)
    return {f"{media}_{name.removeprefix('dagster/')}": value for name, value in metadata.items()}


def shown_table(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> dg.TableMetadataValue:
    """Return a table with a row for each sequence of cells, in the order of the columns."""
    cells = [list(row) for row in rows]
    types = [{TYPES.get(type(row[place]), "string") for row in cells} for place in range(len(columns))]
    schema = [
        dg.TableColumn(name, type=kinds.pop() if len(kinds) == 1 else "string")
        for name, kinds in zip(columns, types, strict=True)
    ]
    return dg.MetadataValue.table(
        [dg.TableRecord({name: _shown(cell) for name, cell in zip(columns, row, strict=True)}) for row in cells],
        schema=dg.TableSchema(columns=schema),
    )


def calls_table(calls: CallCounts) -> dg.TableMetadataValue:
    """Return the calls of a session: a row for each endpoint and status."""
    rows = calls.table()
    return shown_table(list(rows[0]) if rows else ["endpoint", "status", "calls"], [list(row.values()) for row in rows])


def bar(share: float) -> str:
    """Return a share from 0 to 1 as a bar of text; a share above 0 has at least one block."""
    return "█" * (max(1, round(BAR * share)) if share > 0 else 0)


def plain(metadata: Mapping[str, dg.MetadataValue[Any]]) -> dict[str, Any]:
    """Return metadata as values that JSON can have; a table becomes a list with a dictionary for each row."""
    return {
        name: [dict(row.data) for row in value.records] if isinstance(value, dg.TableMetadataValue) else value.value
        for name, value in metadata.items()
    }


def _shown(cell: Cell) -> str | int | float | bool:
    return "" if cell is None else cell
