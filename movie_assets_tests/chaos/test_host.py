"""What the machine does to a process: clocks, a killed migration, an export that is large."""

import shutil
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from movie_assets.resources.postgres import SQL, Database
from movie_assets_tests.chaos.conftest import BY_NAME, FILMS, JOBS, Chaos
from movie_assets_tests.chaos.processes import LONGEST_ORPHAN, go, seconds_until_nobody_is_left, wait_for, worker


@pytest.mark.chaos
@pytest.mark.parametrize("zone", ["America/St_Johns", "Pacific/Kiritimati"])
def test_a_host_whose_clock_shows_another_zone(chaos: Chaos, zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    chaos.struck_at = time.monotonic()
    with worker(chaos, *JOBS) as process:
        go(process)
        assert process.wait(120) == 0, chaos.log.read_text()
    assert chaos.verdict(f"F43 host in {zone}", "all", chaos.seconds()).is_true


@pytest.mark.chaos
def test_a_clock_that_is_set_back(chaos: Chaos) -> None:
    chaos.pipeline.run_all()
    chaos.pipeline.turn_day(-1)
    chaos.struck_at = time.monotonic()
    chaos.pipeline.run_all()
    assert chaos.verdict("F43 clock back by a day", "all", chaos.seconds()).is_true
    assert chaos.asked == len(FILMS)


@pytest.mark.chaos
def test_midnight_in_the_middle_of_a_run(chaos: Chaos) -> None:
    def midnight() -> None:
        chaos.pipeline.serving.today += timedelta(days=1)

    chaos.strike(BY_NAME["export"], midnight)
    chaos.pipeline.run_all()
    days = chaos.pipeline.column("select export_date from pipeline.exports")
    assert days == [chaos.pipeline.day]
    assert chaos.verdict("F43 midnight", "export", chaos.seconds()).is_true


MIGRATE = """
import sys
from movie_assets.resources import migrations
from movie_assets.resources.postgres import Database
from pathlib import Path
migrations.SQL = Path(sys.argv[2])
migrations.migrate(Database(sys.argv[1]))
"""


@pytest.mark.chaos
def test_a_migration_that_is_killed(chaos: Chaos, tmp_path: Path) -> None:
    """Half of it is written when it is killed; the next process applies it whole."""
    shutil.copytree(SQL, tmp_path / "sql")
    migration = tmp_path / "sql" / "migrations" / "9999_more.sql"
    migration.write_text("-- Migration: more.\ncreate table pipeline.more ();\nselect pg_sleep(60);\n")
    address = chaos.database.url.render_as_string(hide_password=False)
    with subprocess.Popen([sys.executable, "-c", MIGRATE, address, str(tmp_path / "sql")]) as process:
        wait_for(chaos, "query like '%pg_sleep(60)%'")
        process.kill()
    chaos.struck_at = time.monotonic()
    assert seconds_until_nobody_is_left(chaos) < LONGEST_ORPHAN
    assert chaos.pipeline.one("select to_regclass('pipeline.more')") is None
    migration.write_text(migration.read_text().replace("60", "0"))
    with subprocess.Popen([sys.executable, "-c", MIGRATE, address, str(tmp_path / "sql")]) as process:
        assert process.wait(300) == 0
    assert chaos.pipeline.one("select to_regclass('pipeline.more')") is not None
    chaos.pipeline.run_all()
    assert chaos.verdict("F42 SIGKILL", "migration", chaos.seconds()).is_true


EXPORT = """
import resource, sys
from movie_assets.core.export import ExportCounts, read_lines
from movie_assets.resources.postgres import Database, copy_rows
LINE = b'{"adult":false,"id":%d,"original_title":"Film","popularity":1.5,"video":false}'
counts = ExportCounts()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with Database(sys.argv[1]).transaction() as connection:
    connection.exec_driver_sql("create temp table lines (id int8, title text) on commit drop")
    lines = read_lines((LINE % n for n in range(1, 1_200_001)), counts)
    columns = {"id": "int8", "title": "text"}
    copied = copy_rows(connection, "lines", columns, ((line.tmdb_id, line.original_title) for line in lines))
print(copied, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.chaos
def test_a_large_export_takes_no_more_memory(database: Database) -> None:
    address = database.url.render_as_string(hide_password=False)
    done = subprocess.run([sys.executable, "-c", EXPORT, address], capture_output=True, text=True, check=True)
    copied, megabytes = map(int, done.stdout.split())
    assert copied == 1_200_000
    assert megabytes < 30
