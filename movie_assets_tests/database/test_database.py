"""How rows are read, and that the queries of sql/ and the code that runs them agree."""

import ast
import importlib
import re
import types
import uuid
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

import movie_assets
from movie_assets.config.paths import SQL
from movie_assets.config.settings import Settings
from movie_assets.database.addresses import DatabaseError, url_of
from movie_assets.database.database import Database, open_database
from movie_assets.database.migrations import function_files
from movie_assets.database.queries import queries, query_text
from movie_assets.orchestration.sensors import TRIGGERS
from movie_assets.search.movie_vectors import IndexState
from movie_assets_tests.conftest import address_of

MODULES = sorted(Path(movie_assets.__file__).parent.rglob("*.py"))
QUERIES = sorted(queries())
FETCHERS = {"fetch", "fetch_one", "fetch_optional", "execute_returning"}
RUNNERS = FETCHERS | {"rows", "row", "execute", "frame", "query_text"}


class Films(NamedTuple):
    """What count_movies returns."""

    films: int


class SetId(NamedTuple):
    """What ensure_set returns."""

    set_id: int


class Movies(NamedTuple):
    """What count_movies does not return."""

    movies: int


def test_rows_have_the_class_that_is_asked_for(database: Database) -> None:
    assert database.fetch(Films, "count_movies") == [Films(films=0)]
    assert database.fetch_one(Films, "count_movies").films == 0
    assert database.fetch_optional(Films, "count_movies") == Films(0)
    assert database.fetch_value(int, "count_movies") == 0


def test_a_class_that_is_not_the_querys_is_refused_by_name(database: Database) -> None:
    with pytest.raises(DatabaseError, match=r"count_movies has the columns \['films'\]; Movies has \['movies'\]"):
        database.fetch(Movies, "count_movies")
    with pytest.raises(DatabaseError, match="count_movies has to return one row with one str"):
        database.fetch_value(str, "count_movies")


def test_another_number_of_rows_is_refused_with_the_querys_name(database: Database) -> None:
    assert database.fetch_optional(IndexState, "index_state") is None
    with pytest.raises(DatabaseError, match="index_state returned 0 rows; it has to return one"):
        database.fetch_one(IndexState, "index_state")


def test_a_fetch_cannot_change_anything(database: Database) -> None:
    key = {"provider": "local", "former_provider": "local", "model": "m", "dimensions": 8, "template": "t"}
    with pytest.raises(DatabaseError, match="ensure_set changes something: it has to be executed"):
        database.fetch(SetId, "ensure_set", **key)
    (made,) = database.execute_returning(SetId, "ensure_set", **key)
    assert database.execute_returning(SetId, "ensure_set", **key) == [made]


def test_a_query_of_one_row_refuses_none(database: Database) -> None:
    with pytest.raises(DatabaseError, match="index_state returned 0 rows"):
        database.fetch_one(IndexState, "index_state")


def test_a_statement_tells_how_many_rows_it_touched(database: Database) -> None:
    assert database.execute("clear_aggregates", media="movie") == 0


def test_a_query_can_be_read_into_a_frame(database: Database) -> None:
    frame = database.frame("rated_films", media="movie")
    assert (len(frame), "vote_average" in frame.columns) == (0, True)


def test_without_an_address_there_is_a_sentence() -> None:
    with pytest.raises(DatabaseError, match="MOVIE_ASSETS_DATABASE_URL is not set"):
        open_database(Settings.from_env({}))


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+asyncpg"])
def test_every_way_to_write_postgres_is_understood(scheme: str) -> None:
    assert url_of(f"{scheme}://u@h/d").drivername == "postgresql+psycopg"


def test_the_password_is_not_shown(database: Database) -> None:  # noqa: ARG001
    assert "canary" not in repr(Database("postgresql://u:canary@h/d").engine)


# Queries and the code


@cache
def strings_of(module: Path) -> set[str]:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def names_run_by(module: Path) -> set[str]:
    """Query names that a module hands to something that runs queries."""
    names = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in RUNNERS:
            names |= {a.value for a in node.args[:3] if isinstance(a, ast.Constant) and isinstance(a.value, str)}
    return names


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_is_run_by_some_module(query: str) -> None:
    assert [module.name for module in MODULES if query in strings_of(module)] != []


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_opens_with_who_runs_it(query: str) -> None:
    assert query_text(query).startswith(
        ("-- Run by ", "-- Run before ", "-- Run when ", "-- Run after ", "-- Run with ")
    )


@pytest.mark.parametrize("folder", ["functions", "migrations", "comments"])
def test_every_other_file_opens_with_when_it_is_applied(folder: str) -> None:
    paths = function_files(SQL) if folder == "functions" else (SQL / folder).glob("*.sql")
    openings = {path.name: path.read_text(encoding="utf-8").partition("\n")[0] for path in paths}
    expected = {
        "functions": "-- Applied after the migrations whenever it changes",
        "migrations": "-- Migration: ",
        "comments": "-- Comments: applied last, whenever this file or anything else of the schema changed.",
    }
    assert [name for name, line in openings.items() if not line.startswith(expected[folder])] == []


def test_every_query_that_is_run_exists() -> None:
    run = {(module.name, name) for module in MODULES for name in names_run_by(module) if name.isidentifier()}
    missing = {(module, name) for module, name in run if name not in QUERIES}
    assert missing == set()


@pytest.mark.parametrize("query", [query for query in QUERIES if not query.startswith("stage_")])
def test_every_query_agrees_with_the_schema(planner: psycopg.Connection[Any], query: str) -> None:
    planner.execute(f"explain (generic_plan) {numbered(query)}".encode())


def fetches_of(module: Path) -> Iterator[tuple[str, str, str]]:
    """Each call that fetches rows of a class: the module's name, the class's, the query's."""
    dotted = ".".join(module.relative_to(SQL.parent).with_suffix("").parts)
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        names = [a.id for a in node.args if isinstance(a, ast.Name) and a.id[:1].isupper()]
        queries_run = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if called in FETCHERS and names and queries_run:
            yield dotted, names[0], queries_run[0]


FETCHES = sorted(
    {fetch for module in MODULES for fetch in fetches_of(module)}
    | {("movie_assets.orchestration.sensors", "DueWork", trigger.query) for trigger in TRIGGERS}
)
PYTHON_TYPES = {
    "int8": int, "int4": int, "int2": int, "oid": int, "float8": float, "float4": float, "bool": bool, "text": str,
    "name": str, "varchar": str, "char": str, "regclass": str, "date": date,
    "timestamptz": datetime, "timestamp": datetime, "interval": timedelta, "uuid": uuid.UUID, "numeric": Decimal,
    "xid8": int,
}  # fmt: skip


@pytest.mark.parametrize(("module", "row_class", "query"), FETCHES)
def test_every_row_class_is_as_its_query(
    planner: psycopg.Connection[Any], module: str, row_class: str, query: str
) -> None:
    """Fields are the query's columns; each has the Python type that psycopg gives for the column's, or that or None."""
    expected = get_type_hints(getattr(importlib.import_module(module), row_class))
    columns = described(planner, query)
    assert sorted(columns) == sorted(expected)
    for name, of_column in columns.items():
        field = expected[name]
        parts = [part for part in get_args(field) if part is not type(None)] if is_union(field) else [field]
        choices = [type(get_args(part)[0]) if get_origin(part) is Literal else part for part in parts]
        if of_column in PYTHON_TYPES:
            assert choices == [PYTHON_TYPES[of_column]], f"{name} is {of_column}"
        elif of_column.startswith("_"):
            assert [get_origin(choice) for choice in choices] == [list], f"{name} is an array"


def is_union(hint: object) -> bool:
    return get_origin(hint) in (types.UnionType, Union)


def described(planner: psycopg.Connection[Any], query: str) -> dict[str, str]:
    """The names of the columns of a query with the names of their types, as the server describes them."""
    prepared = planner.pgconn.prepare(b"", numbered(query).encode())
    assert prepared.status == psycopg.pq.ExecStatus.COMMAND_OK, prepared.error_message
    result = planner.pgconn.describe_prepared(b"")
    oids = {str(result.fname(i), "utf-8"): result.ftype(i) for i in range(result.nfields)}  # type: ignore[arg-type]
    names = dict(planner.execute("select oid, typname from pg_type where oid = any(%s)", [list(oids.values())]))
    return {column: names[oid] for column, oid in oids.items()}


def numbered(query: str) -> str:
    """The text of a query with the server's own places for parameters."""
    text = re.sub(r"%\((\w+)\)s", r":\1", query_text(query))
    # The driver sends a datetime as timestamptz; without it the planner would have to guess.
    statement = sa.text(re.sub(r":as_of\b(?! as)", "cast(:as_of as timestamptz)", text))
    compiled = statement.compile(dialect=postgresql.dialect(paramstyle="numeric_dollar"))  # type: ignore[no-untyped-call]
    return str(compiled).replace("%%", "%")


@pytest.fixture(scope="module")
def planner(server: str, template: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection to a migrated database, with the tables that chunks are staged in."""
    name = f"{template}_to_plan"
    with psycopg.connect(address_of(server, "postgres"), autocommit=True) as administrator:
        administrator.execute(f"create database {name} template {template}".encode())
        with psycopg.connect(address_of(server, name), autocommit=True) as connection:
            for stage in (
                "stage_lines",
                "stage_ratings",
                "stage_films",
                "stage_embeddings",
                "stage_discoveries",
                "stage_entries",
                "stage_names",
            ):
                connection.execute(query_text(stage).replace("on commit drop", "").encode())
            yield connection
        administrator.execute(f"drop database {name}".encode())
