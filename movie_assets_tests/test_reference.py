"""Generated documents are as the code makes them, and the runbook has a heading for whatever can fail."""

import re

import pytest

from movie_assets import reference
from movie_assets.definitions import defs
from movie_assets.presentation import TABLES_FILE, tables
from movie_assets.resources.postgres import Database
from movie_assets.startup import CHECKOUT

RUNBOOK = (CHECKOUT / "docs" / "runbook.md").read_text(encoding="utf-8")
STALE = "run `make docs` and look at what it changed"


def checks() -> set[str]:
    return {key.name for key in defs.resolve_asset_graph().asset_check_keys}


def headings(part: str) -> list[str]:
    return re.findall(r"^## (.+)$", part, re.MULTILINE)


def statements() -> list[str]:
    blocks = re.findall(r"^```sql\n(.*?)^```$", RUNBOOK, re.MULTILINE | re.DOTALL)
    return [statement for block in blocks for statement in block.split(";") if statement.strip()]


def test_the_tables_on_file_are_those_of_the_database(database: Database) -> None:
    assert TABLES_FILE.read_text(encoding="utf-8") == reference.tables_as_json(database), STALE


def test_the_reference_is_what_the_code_makes_it() -> None:
    assert reference.FILE.read_text(encoding="utf-8") == reference.as_markdown(), STALE


def test_every_table_and_view_says_what_one_row_is() -> None:
    silent = [table.name for table in tables().values() if not table.comment]
    assert silent == [], "comment on them in their migration"


def test_every_check_has_its_heading_in_the_runbook_and_no_heading_is_left_over() -> None:
    of_checks, _, of_others = RUNBOOK.partition("\n# Other alerts\n")
    assert sorted(headings(of_checks)) == sorted(checks())
    assert checks().isdisjoint(headings(of_others))


def test_every_heading_of_the_runbook_says_how_to_repair_it() -> None:
    parts = re.split(r"^## ", RUNBOOK, flags=re.MULTILINE)[1:]
    silent = [
        part.splitlines()[0] for part in parts if not re.search("Repair|repair|As above|Old embedding sets", part)
    ]
    assert silent == []


def test_links_within_the_runbook_lead_somewhere() -> None:
    anchors = {heading.lower().replace(" ", "-") for heading in headings(RUNBOOK)}
    assert {link for link in re.findall(r"\(#([^)]+)\)", RUNBOOK) if link not in anchors} == set()


@pytest.mark.parametrize("statement", statements())
def test_the_sql_of_the_runbook_runs(database: Database, statement: str) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql(statement.replace("%", "%%"))
