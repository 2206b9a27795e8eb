"""The key of titles: its arithmetic, the former names of tables, and the upgrade of a database without it."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from movie_assets.config.paths import SQL
from movie_assets.database.addresses import dsn_of
from movie_assets.database.database import Database
from movie_assets.database.migrations import migrate
from movie_assets_tests.database.empty_databases import as_administrator
from movie_assets_tests.support.rows import put_by_former_names

SERIES_FROM = 1_000_000_000
FIRST = "0060_titles.sql"  # the migration that renamed the tables
TYPES = st.sampled_from(["movie", "series"])
IDS = st.integers(1, SERIES_FROM - 1)
# Tables that have the id that a file or a source gave, and not a title's key.
OTHER_IDS = {"pipeline.rejects", "pipeline.named_films", "pipeline.series_entries"}
STORAGE = """
select c.oid, c.relfilenode from pg_class c
where c.relnamespace in ('catalog'::regnamespace, 'pipeline'::regnamespace) and c.relfilenode <> 0
"""
# Indexes of small tables that are made anew, as their keys have the media type since: words, recommendations, methods.
OTHER_KEYS = """
select oid from pg_class
where relname in (
    'vocabulary_pkey', 'recommendation_models_is_served_idx', 'recommendation_lists_pkey', 'recommendations_pkey',
    'one_current_method')
"""
ROW_VERSIONS = "select {key}, xmin::text, ctid::text from {table} order by 1"
# Stands for the functions of the release before, which a migration needs at its end.
RIGHTS = """
create or replace function pipeline.grant_reader() returns void language sql as '';
create or replace function pipeline.pin_search_paths() returns integer language sql as 'select 0';
"""
VECTORS = """
create table catalog.movie_vectors_1 (
    tmdb_id bigint primary key, text_hash text not null, embedding halfvec(8) not null, release_year smallint,
    genres text[] not null, original_language text, runtime_minutes smallint, certification text
);
create index movie_vectors_1_genres on catalog.movie_vectors_1 using gin (genres);
insert into pipeline.embedding_sets (provider, model, dimensions, template, is_active)
values ('local', 'm', 8, 't', true);
insert into catalog.movie_vectors_1 select m.tmdb_id, m.text_hash, array_fill(0.5, '{8}')::vector::halfvec, 1990, '{}'
from catalog.movies m;
"""
VALUES = """
select catalog.title_id(%s, %s), catalog.media_type(catalog.title_id(%s, %s)), catalog.tmdb_id(catalog.title_id(%s, %s))
"""


def rows(database: Database, statement: str) -> list[tuple[object, ...]]:
    """Return the rows of a statement."""
    with psycopg.connect(dsn_of(database.url)) as connection:
        return connection.execute(statement.encode()).fetchall()


def run(database: Database, statement: str) -> None:
    """Run statements in one transaction."""
    with psycopg.connect(dsn_of(database.url)) as connection:
        connection.execute(statement.encode())


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(media_type=TYPES, tmdb_id=IDS)
def test_media_type_and_tmdb_id_come_back_from_the_key(database: Database, media_type: str, tmdb_id: int) -> None:
    with database.transaction() as connection:
        key, its_type, its_id = connection.exec_driver_sql(VALUES, (media_type, tmdb_id) * 3).one()
        assert (its_type, its_id) == (media_type, tmdb_id)
        assert key == (tmdb_id if media_type == "movie" else SERIES_FROM + tmdb_id)
        batches = f"select pipeline.batch_of({key}), pipeline.batch_of({tmdb_id})"
        assert len(set(connection.exec_driver_sql(batches).one())) == 1


def test_what_is_no_key_and_no_media_type_has_none(database: Database) -> None:
    assert rows(database, "select catalog.title_id('person', 1), catalog.media_type(2000000000)") == [(None, None)]


def test_the_arithmetic_is_inlined_into_the_query_that_calls_it(database: Database) -> None:
    plan = rows(database, "explain verbose select catalog.title_id(status, title_id), catalog.tmdb_id(title_id), "
                "catalog.media_type(title_id) from catalog.titles")  # fmt: skip
    assert not [line for (line,) in plan if "catalog.title_id(" in str(line) or "catalog.media_type(" in str(line)]
    assert not [line for (line,) in plan if "catalog.tmdb_id(" in str(line)]


@pytest.mark.parametrize("key", [0, -1, 2_000_000_000])
def test_a_number_that_is_no_key_is_refused(database: Database, key: int) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        run(
            database, f"insert into pipeline.title_ids (title_id, original_title, first_seen) values ({key}, '', now())"
        )


@pytest.mark.parametrize("inbox", ["pipeline.requested_ids (tmdb_id)", "pipeline.requested_titles (title_id)"])
def test_a_request_with_the_id_of_no_movie_is_refused(database: Database, inbox: str) -> None:
    with pytest.raises(psycopg.errors.NumericValueOutOfRange, match="bad_id: 1000000000"):
        run(database, f"insert into {inbox} values (1000000000)")
    run(database, f"insert into {inbox} values (999999999)")
    assert rows(database, "select title_id, outcome from pipeline.requested_titles") == [(999_999_999, None)]


def test_every_table_with_the_key_of_a_title_calls_it_title_id(database: Database) -> None:
    others = rows(
        database,
        """
        select c.oid::regclass::text from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tmdb_id'
        where c.relnamespace in ('catalog'::regnamespace, 'pipeline'::regnamespace) and c.relkind in ('r', 'p')""",
    )
    assert {name for (name,) in others} == OTHER_IDS
    named_by_it = "select relname from pg_class where relname ~ 'tmdb_id' and relkind in ('i', 'r', 'S')"
    assert rows(database, named_by_it) == []


def test_each_former_name_has_the_movies_of_its_table_and_all_its_columns(database: Database) -> None:
    names = rows(
        database, "select schema_name || '.' || former_name, schema_name || '.' || name from pipeline.renamed_tables()"
    )
    assert len(names) == 36
    for former, name in names:
        columns = ("select array_agg(case attname when 'title_id' then 'tmdb_id' else attname end order by attnum) "
                   "from pg_attribute where attrelid = '{}'::regclass and attnum > 0 and not attisdropped")  # fmt: skip
        assert rows(database, columns.format(former)) == rows(database, columns.format(name)), former
        updatable = f"select pg_relation_is_updatable('{former}'::regclass, false)"
        assert rows(database, updatable) == [(28,)], former  # insert, update and delete


def test_former_names_are_written_and_show_movies_only(database: Database) -> None:
    put_by_former_names(database, 1, 3)  # inserts through catalog.movies
    run(
        database,
        "update catalog.movies set title = 'Other' where tmdb_id = 2; delete from catalog.movies where tmdb_id = 3",
    )
    run(database, "insert into catalog.movie_stats values (2, 1, 1, 1, now()) on conflict (tmdb_id) do update "
        "set vote_count = 77")  # fmt: skip
    assert rows(database, "select title_id, title from catalog.titles order by 1") == [(1, "Film 1"), (2, "Other")]
    assert rows(database, "select vote_count from catalog.title_stats where title_id = 2") == [(77,)]
    ids = "insert into pipeline.title_ids (title_id, original_title, first_seen)"
    run(database, f"{ids} values (1000000001, '', '2026-10-05')")
    assert rows(database, "select count(*) from pipeline.movie_ids where tmdb_id = 1000000001") == [(0,)]


@pytest.fixture
def role(server: str) -> Iterator[str]:
    """A role of an application."""
    name = f"app_{uuid.uuid4().hex[:8]}"
    as_administrator(server, f"create role {name}")
    yield name
    as_administrator(server, f"drop role {name}")


@pytest.fixture
def before(empty: Database, own_sql: Path) -> Database:
    """A database with the tables of the release before, and with rows."""
    for path in own_sql.glob("*/*.sql"):
        if path.parent.name != "migrations" or path.name >= FIRST:
            path.unlink()
    (own_sql / "database" / "reader_rights.sql").write_text(RIGHTS)
    migrate(empty)
    put_by_former_names(empty, 1, 50)
    run(empty, "insert into pipeline.movie_ids (tmdb_id, original_title, first_seen) select n, '', now() "
        "from generate_series(1, 50) n")  # fmt: skip
    run(empty, VECTORS)
    shutil.copytree(SQL, own_sql, dirs_exist_ok=True)
    return empty


def test_an_upgrade_rewrites_no_row(before: Database) -> None:
    storage = {row[0]: row[1] for row in rows(before, STORAGE)}
    for (key,) in rows(before, OTHER_KEYS):
        del storage[key]
    versions = {
        name: rows(before, ROW_VERSIONS.format(key="tmdb_id", table=name))
        for name in ("catalog.movies", "catalog.movie_stats", "pipeline.movie_ids", "catalog.movie_vectors_1")
    }
    migrate(before)
    assert {oid: file for oid, file in rows(before, STORAGE) if oid in storage} == storage
    for former, name in (
        ("catalog.movies", "catalog.titles"), ("catalog.movie_stats", "catalog.title_stats"),
        ("pipeline.movie_ids", "pipeline.title_ids"), ("catalog.movie_vectors_1", "catalog.title_vectors_1"),
    ):  # fmt: skip
        assert rows(before, ROW_VERSIONS.format(key="title_id", table=name)) == versions[former]
        assert rows(before, f"select tmdb_id from {former} order by 1") == [(n,) for n in range(1, 51)]
    indexes = "select indexrelid::regclass::text from pg_index where indrelid = 'catalog.title_vectors_1'::regclass"
    assert sorted(rows(before, indexes)) == [("catalog.title_vectors_1_genres",), ("catalog.title_vectors_1_pkey",)]


def test_what_applications_made_follows_the_table(before: Database) -> None:
    run(before, "create schema app; create view app.films as select tmdb_id, title from catalog.movies;"
        "create table app.likes (film bigint references catalog.movies on delete cascade);"
        "insert into app.likes values (7), (8)")  # fmt: skip
    migrate(before)
    assert rows(before, "select tmdb_id from app.films where title = 'Film 7'") == [(7,)]
    run(before, "delete from catalog.movies where tmdb_id = 7")
    assert rows(before, "select film from app.likes") == [(8,)]
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        run(before, "insert into app.likes values (7)")


def test_a_role_keeps_its_rights_on_former_names_and_gets_no_others(before: Database, role: str) -> None:
    run(before, f"grant usage on schema catalog, pipeline to {role}; grant select on catalog.movies to {role};"
        f"grant insert (tmdb_id, keep) on pipeline.requested_ids to {role};"
        f"alter default privileges in schema catalog grant select on tables to {role}")  # fmt: skip
    run(before, "alter table catalog.watch_histories enable row level security")
    migrate(before)
    run(before, f"set local role {role}; select tmdb_id from catalog.movies; select title_id from catalog.titles;"
        "insert into pipeline.requested_ids (tmdb_id, keep) values (5, true)")  # fmt: skip
    assert rows(before, "select title_id from pipeline.requested_titles") == [(5,)]
    for statement in (
        "update catalog.movies set title = 'x'", "delete from catalog.movies", "select * from catalog.movie_stats",
        "insert into pipeline.requested_ids (tmdb_id, outcome) values (6, '')", "select * from catalog.watch_histories",
    ):  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            run(before, f"set local role {role}; {statement}")
    run(before, f"drop owned by {role}")


def test_a_trigger_of_the_release_before_works_between_the_migration_and_its_functions(before: Database) -> None:
    run(before, (SQL / "migrations" / FIRST).read_text())
    run(
        before, "update pipeline.movie_ids set gone_since = '2026-10-05', gone_reason = 'left_export' where tmdb_id = 4"
    )
    assert rows(before, "select title_id, state from pipeline.title_id_history") == [(4, "gone")]
