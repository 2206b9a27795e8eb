"""Reading the queries of sql/<room>/queries.sql: named blocks, whose names are unique among all rooms."""

import re
from functools import cache

from movie_assets.config.paths import SQL

BLOCK_START = re.compile(r"^-- name: ", re.MULTILINE)


def query_text(name: str) -> str:
    """Return the text of the block `-- name: <name>` of a sql/<room>/queries.sql. Raises KeyError without one."""
    return queries()[name]


@cache
def queries() -> dict[str, str]:
    """Return the text of every query by its name, which is unique among all rooms."""
    texts: dict[str, str] = {}
    for path in sorted(SQL.glob("*/queries.sql")):
        for block in BLOCK_START.split(path.read_text(encoding="utf-8"))[1:]:
            name, _, text = block.partition("\n")
            if name in texts:
                raise ValueError(f"{path} has a second query named {name}")
            texts[name] = text.rstrip() + "\n"
    return texts
