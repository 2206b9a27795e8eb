"""What has to stay quick when there are very many ids, shown on some ten thousand of them."""

from collections.abc import Iterator
from typing import Any

import pytest

from movie_assets.database.database import Database

IDS = 30_000
CANDIDATES = 300


@pytest.fixture
def many(database: Database) -> Database:
    """Ids that the export's rules reject, nearly all of them."""
    with database.transaction() as connection:
        connection.exec_driver_sql(
            "insert into pipeline.movie_ids (tmdb_id, original_title, first_seen, export_reason) "
            f"select n, 'Film ' || n, '2026-10-05', case when n > {CANDIDATES} then 'popularity' end "
            f"from generate_series(1, {IDS}) n"
        )
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("vacuum analyze pipeline.title_ids")
    return database


def test_a_statement_that_moves_many_ids_takes_time_in_proportion_to_them(many: Database) -> None:
    with many.transaction() as connection:
        connection.exec_driver_sql("set local statement_timeout = '10s'")  # pairing all with all takes a minute
        connection.exec_driver_sql("update pipeline.movie_ids set export_reason = null where tmdb_id < 0")
        connection.exec_driver_sql("update pipeline.movie_ids set export_reason = 'vote_count'")
        kept = connection.exec_driver_sql("select count(*) from pipeline.id_history").scalar()
    assert kept == IDS


def test_asking_what_is_due_does_not_read_the_ids_that_are_put_aside(many: Database) -> None:
    with many.transaction() as connection:
        assert connection.exec_driver_sql("select count(*) from pipeline.due_at(now())").scalar() == CANDIDATES
        plan = connection.exec_driver_sql(
            "explain (format json) select count(*) from pipeline.due_at(now())"
        ).scalar_one()
    scans = list(nodes(plan[0]["Plan"]))
    read = {node["Node Type"] for node in scans if node.get("Relation Name") == "title_ids"}
    assert read <= {"Index Only Scan", "Index Scan", "Bitmap Heap Scan"}
    indexes = {node["Index Name"] for node in scans if node.get("Index Name", "").startswith("title_ids")}
    assert indexes == {"title_ids_looked_at", "title_ids_pkey"}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan's nodes, outer ones first."""
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)
