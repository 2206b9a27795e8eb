"""Generated documents are as the code makes them, and the runbook has a heading for whatever can fail."""

import re

import pytest

from movie_assets.cli import reference
from movie_assets.config.paths import CHECKOUT
from movie_assets.database.database import Database
from movie_assets.runs.presentation import TABLES_FILE
from movie_assets_tests.support.definitions import defs

RUNBOOK = (CHECKOUT / "docs" / "runbook.md").read_text(encoding="utf-8")
FEWEST_WORDS = 3
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


def test_every_table_view_and_column_has_a_comment(database: Database) -> None:
    make_set(database)
    with database.transaction() as connection:
        found = connection.exec_driver_sql("""
            select c.oid::regclass || coalesce('.' || a.attname, ''),
                case when a.attnum is null then obj_description(c.oid, 'pg_class')
                     else col_description(c.oid, a.attnum) end
            from pg_class c
            cross join lateral (
                select null::name as attname, null::smallint as attnum
                union all
                select a.attname, a.attnum from pg_attribute a
                where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            ) a
            where c.relnamespace in ('catalog'::regnamespace, 'pipeline'::regnamespace)
              and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
        """).all()
    comments: dict[str, str | None] = dict(map(tuple, found))
    silent = sorted(name for name, comment in comments.items() if len((comment or "").split()) < FEWEST_WORDS)
    assert silent == [], "say in sql/comments what they hold, with unit, range, source and what null means"
    assert "catalog.title_vectors_1.embedding" in comments


def make_set(database: Database) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql(
            "insert into pipeline.embedding_sets (provider, model, dimensions, template) "
            "values ('local', 'hashing-v1', 8, 'v1')"
        )
        connection.exec_driver_sql("select pipeline.refresh_vectors(1)")


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
