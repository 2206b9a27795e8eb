"""Settings of each connection to Postgres, set after connecting, as poolers refuse them in the start-up packet.

When a client is killed with SIGKILL, its backend must release its locks, and no statement may wait without a limit.
Settings in the address itself (`?options=-c statement_timeout=0`) are not changed.
"""

import re
from collections.abc import Mapping

import psycopg

SESSION_SETTINGS = {
    "client_encoding": "UTF8",
    "timezone": "UTC",
    "client_connection_check_interval": "500",
    "lock_timeout": "60000",
    "statement_timeout": "900000",
    "idle_in_transaction_session_timeout": "600000",
}
# A machine that vanished from the network closes no connection, so Postgres has to probe it.
KEEPALIVES = {"tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3"}
# pgvector's types and operators are found in whichever schema has the extension (on Supabase: extensions). The schema
# movie_assets has the record of migrations if the role may not create tables in public.
SEARCH_PATH = """set_config('search_path', (
    select string_agg(format('%I', name), ', ' order by place)
    from (
        select 'public' as name, 1 as place
        union all
        select n.nspname, 2 from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
        where e.extname = 'vector' and n.nspname <> 'public'
        union all
        select 'movie_assets', 3
    ) schemas), false)"""
SET_IN_OPTIONS = re.compile(r"(?:-c\s*|--)([\w.-]+)\s*=")


def start_session(connection: psycopg.Connection, more: Mapping[str, str] | None = None) -> None:
    """Set up a new connection, and commit the settings."""
    connection.execute(_statement(connection.info, more))
    if not connection.autocommit:
        connection.commit()


async def start_async_session(connection: psycopg.AsyncConnection) -> None:
    """Set up a new connection, and commit the settings."""
    await connection.execute(_statement(connection.info, None))
    if not connection.autocommit:
        await connection.commit()


def _statement(info: psycopg.ConnectionInfo, more: Mapping[str, str] | None) -> bytes:
    given = {name.replace("-", "_").lower() for name in SET_IN_OPTIONS.findall(info.options)}
    settings = SESSION_SETTINGS | dict(more or {})
    chosen = [f"set_config('{name}', '{value}', false)" for name, value in settings.items() if name not in given]
    return f"select {', '.join([*chosen, SEARCH_PATH])}".encode()
