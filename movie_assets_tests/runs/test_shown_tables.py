"""Tables as the web UI shows them without a click, and as JSON has them."""

import json

import dagster as dg

from movie_assets.runs.metadata_tables import bar, calls_table, plain, shown_table
from movie_assets.tmdb.responses import CallCounts


def test_cells_keep_their_types_and_what_is_unknown_is_empty() -> None:
    table = shown_table(("rule", "left", "share", "met"), [("votes", 3, 0.5, True), ("age", None, 1.0, False)])
    assert [(column.name, column.type) for column in table.schema.columns] == [
        ("rule", "string"), ("left", "string"), ("share", "float"), ("met", "bool"),
    ]  # fmt: skip
    assert plain({"rules": table}) == {
        "rules": [
            {"rule": "votes", "left": 3, "share": 0.5, "met": True},
            {"rule": "age", "left": "", "share": 1.0, "met": False},
        ]
    }


def test_a_table_can_be_empty() -> None:
    assert plain({"calls": calls_table(CallCounts())}) == {"calls": []}


def test_plain_metadata_can_be_written_as_json() -> None:
    metadata = {"rows": dg.MetadataValue.int(3), "rules": shown_table(("rule",), [("votes",)])}
    assert json.loads(json.dumps(plain(metadata))) == {"rows": 3, "rules": [{"rule": "votes"}]}


def test_a_bar_is_as_long_as_the_share_and_never_hides_a_small_one() -> None:
    assert [len(bar(share)) for share in (0.0, 0.001, 0.5, 1.0)] == [0, 1, 8, 16]
