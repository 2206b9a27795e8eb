"""What is measured at the end of each simulated day, while no run is at work: memory, sizes, dead rows. Linux only.

Memory of daemon, web server and code server is each one's resident set (VmRSS). That of Postgres is the sum of the
proportional sets (Pss) of its processes, as a resident set would count the shared buffers once for each of them; the
buffers (Pss_Shmem) have a figure of their own, as they are a cache that fills up to what `shared_buffers` allows.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import psycopg

from movie_assets.config.paths import CHECKOUT
from movie_assets_tests.deployment import Deployment

MEGABYTE = 2**20
LARGE = MEGABYTE // 4  # bytes; smaller tables are not named
TABLES = """
    select schemaname || '.' || regexp_replace(relname, '_\\d{8}$', '') as name, n_live_tup as live, n_dead_tup as dead,
        pg_total_relation_size(relid) as bytes, pg_indexes_size(relid) as index_bytes
    from pg_stat_user_tables where schemaname in ('pipeline', 'catalog')
"""


@dataclass(frozen=True)
class Table:
    """A table's rows and bytes, those of its indexes and of what is stored aside included."""

    live: int
    dead: int
    size: int
    index_size: int


@dataclass(frozen=True)
class Gauges:
    """All of it; memory and disk in MB."""

    memory: dict[str, float]
    catalogue: float
    histories: float  # the part of it whose rows are kept for months on purpose
    records: float  # Dagster's database
    wal: float
    most_wal: float  # the limit that Postgres was given
    files: float  # the rest of the data folder: Dagster's files, Postgres' own, the processes' logs
    tables: dict[str, Table]


def histories() -> frozenset[str]:
    """Tables whose rows are kept for months: what the clean-up empties by age."""
    text = (CHECKOUT / "sql" / "operations" / "clean_up.sql").read_text(encoding="utf-8")
    return frozenset(re.findall(r"\('(\w+\.\w+)', '\w+', \d+, ", text))


def measured(deployment: Deployment) -> Gauges:
    """Measure a deployment."""
    address = deployment.settings.database_url
    assert address is not None
    with psycopg.connect(address.get_secret_value()) as connection:
        tables = _tables(connection)
        catalogue, records = (
            _one(connection, f"select pg_database_size(current_database() || '{suffix}')")
            for suffix in ("", "_dagster")
        )
        most_wal = _one(connection, "select pg_size_bytes(current_setting('max_wal_size'))")
    kept = histories()
    postgres = deployment.home / "postgres"
    wal = _disk(postgres / "pg_wal")
    return Gauges(
        memory=memory_of(deployment),
        catalogue=catalogue / MEGABYTE,
        histories=sum(table.size for name, table in tables.items() if name in kept) / MEGABYTE,
        records=records / MEGABYTE,
        wal=wal / MEGABYTE,
        most_wal=most_wal / MEGABYTE,
        files=(_disk(deployment.home) - _disk(postgres / "base")) / MEGABYTE - wal / MEGABYTE,
        tables={name: table for name, table in tables.items() if table.size > LARGE},
    )


def _tables(connection: psycopg.Connection) -> dict[str, Table]:
    """Tables by name; the days of the export count as one."""
    found: dict[str, Table] = {}
    for name, live, dead, size, index_size in connection.execute(TABLES.encode()):
        before = found.get(name, Table(0, 0, 0, 0))
        found[name] = Table(before.live + live, before.dead + dead, before.size + size, before.index_size + index_size)
    return found


def _one(connection: psycopg.Connection, sql: str) -> int:
    row = connection.execute(sql.encode()).fetchone()
    assert row is not None
    return int(row[0])


def memory_of(deployment: Deployment) -> dict[str, float]:
    """Megabytes of each process: resident sets; of Postgres the proportional sets beside its buffers, and these."""
    by_process = {
        name: _kilobytes(process.pid, "status", "VmRSS") / 1024 for name, process in deployment.processes.items()
    }
    server = int((deployment.home / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    pids = [server, *children_of(server)]
    rollups = ("Pss", "Pss_Shmem")
    whole, buffers = (sum(_kilobytes(pid, "smaps_rollup", name) for pid in pids) / 1024 for name in rollups)
    return {**by_process, "postgres": whole - buffers, "buffers": buffers}


def children_of(parent: int) -> list[int]:
    """Processes that a process started and that are there now."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                stat = (folder / "stat").read_text()
            except OSError:  # it has just ended
                continue
            if int(stat.rpartition(")")[2].split()[1]) == parent:
                found.append(int(folder.name))
    return found


def _kilobytes(pid: int, file: str, name: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except OSError:  # a session of Postgres that has just ended
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)


def _disk(folder: Path) -> int:
    """Bytes on the disk below a folder."""
    total = 0
    for path, _, files in os.walk(folder):
        for file in files:
            try:
                total += os.lstat(Path(path) / file).st_blocks * 512
            except FileNotFoundError:  # it has just been deleted
                continue
    return total
