"""Finds a forgotten person's name in Dagster's own records.

Runs of this version write no person's name there. Runs of earlier versions did (reports of imports, refused files), and
Dagster keeps the records of runs until the runs are deleted.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from movie_assets.database.addresses import dsn_of, url_of

RUNS_SHOWN = 10
TEXTS = """
select n.nspname, c.relname, array_agg(a.attname::text order by a.attnum),
    'run_id' = any (array_agg(a.attname::text)) as has_runs
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema')
    and a.atttypid in ('text'::regtype, 'varchar'::regtype, 'json'::regtype, 'jsonb'::regtype)
group by 1, 2
order by 1, 2
"""


@dataclass(frozen=True)
class Naming:
    """A table of Dagster's with the number of rows that contain a name, and the runs that wrote them."""

    table: str
    rows: int
    runs: Sequence[str]

    def sentence(self) -> str:
        """Return a description for people: the number of rows, the table and the first runs."""
        runs = ", ".join(self.runs[:RUNS_SHOWN]) + (" …" if len(self.runs) > RUNS_SHOWN else "")
        return f"{self.rows:,} rows of Dagster's table {self.table}" + (f", runs {runs}" if runs else "")


def dagster_records_naming(address: str, person: str) -> list[Naming]:
    """Return the tables of Dagster's database that contain a person's name as a word; [] without a database."""
    try:
        connection = psycopg.connect(dsn_of(url_of(address)), connect_timeout=10)
    except psycopg.OperationalError:
        return []
    with connection:
        tables = connection.execute(TEXTS.encode()).fetchall()
        matches = [_naming(connection, _pattern(person), *table) for table in tables]
    return [match for match in matches if match.rows]


def _naming(
    connection: psycopg.Connection, pattern: str, schema: str, table: str, columns: list[str], has_runs: bool
) -> Naming:
    has_name = sql.SQL(" or ").join(
        sql.SQL("{}::text ~ {}").format(sql.Identifier(name), sql.Literal(pattern)) for name in columns
    )
    runs = (
        sql.SQL("coalesce(array_agg(distinct run_id) filter (where run_id is not null), '{}')")
        if has_runs
        else (sql.SQL("'{}'::text[]"))
    )
    query = sql.SQL("select count(*), {} from {} where {}").format(runs, sql.Identifier(schema, table), has_name)
    row = connection.execute(query).fetchone()
    assert row is not None  # noqa: S101  # an aggregate returns a row
    return Naming(table, row[0], row[1])


def _pattern(person: str) -> str:
    """Return a regular expression of Postgres for the name as a word: as it is, in JSON, or in JSON within JSON."""
    once = json.dumps(person)[1:-1]
    spellings = dict.fromkeys([person, once, json.dumps(once)[1:-1]])
    escaped = ["".join(c if c.isalnum() or c == "_" else f"\\{c}" for c in each) for each in spellings]
    return rf"(^|[^[:alnum:]_])({'|'.join(escaped)})($|[^[:alnum:]_])"
