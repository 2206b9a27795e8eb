"""What the machine does to a process: clocks, a killed migration, an export that is large."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
import time_machine

from movie_assets.config.paths import SQL
from movie_assets.database.addresses import dsn_of
from movie_assets.database.database import Database
from movie_assets_tests.chaos.conftest import BY_NAME, JOBS, Chaos
from movie_assets_tests.chaos.processes import LONGEST_ORPHAN, seconds_until_nobody_is_left, wait_for, worker
from movie_assets_tests.chaos.truth import OF_DAYS
from movie_assets_tests.chaos.worlds import FILMS
from movie_assets_tests.support.indexes import ALWAYS_INDEXED

# Where a run writes its moment.
MOMENTS = (
    "catalog.movies.changed_at",
    "catalog.movie_stats.seen_at",
    "catalog.rating_aggregates.computed_at",
    "pipeline.movie_ids.fetched_at",
    "pipeline.raw_details.fetched_at",
    "pipeline.change_days.read_at",
    "pipeline.rejects.rejected_at",
    "pipeline.embeddings.embedded_at",
    "pipeline.embedding_costs.spent_at",
    "pipeline.run_log.moment",
)


def moments(chaos: Chaos) -> dict[str, list[datetime]]:
    """The moments that tables hold, in UTC."""
    found = {}
    for name in MOMENTS:
        table, _, column = name.rpartition(".")
        found[name] = chaos.pipeline.column(f"select distinct {column} from {table} where {column} is not null")
    assert all(found.values())
    return found


@contextmanager
def the_clock_shows(chaos: Chaos, now: datetime) -> Iterator[time_machine.Traveller]:
    """The clock of this process, and its zone if `now` has one, is moved; runs read it."""
    chaos.pipeline.by_the_clock = True
    with time_machine.travel(now, tick=True) as clock:
        yield clock


@pytest.mark.chaos
@pytest.mark.parametrize("zone", ["America/St_Johns", "Pacific/Kiritimati"])
def test_a_host_whose_clock_shows_another_zone(chaos: Chaos, zone: str) -> None:
    chaos.struck_at = time.monotonic()
    began = datetime.now(UTC)
    with worker(chaos, *JOBS, by_the_clock=True, zone=zone) as process:
        process.go()
        assert process.wait() == 0, chaos.log.read_text()
    ended = datetime.now(UTC)
    assert chaos.compare(f"F43 host in {zone}", "all", chaos.seconds()).is_true
    for name, found in moments(chaos).items():
        assert began < min(found) <= max(found) < ended, name


@pytest.mark.chaos
def test_the_hour_that_a_zone_lives_twice(chaos: Chaos) -> None:
    """At half past one, and at half past one an hour later, when every film has changed."""
    first = datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo("America/New_York"))
    chaos.pipeline.turn_day((first.date() - chaos.pipeline.day).days)
    chaos.struck_at = time.monotonic()
    with the_clock_shows(chaos, first):
        chaos.pipeline.run_all()
    chaos.pipeline.world.changed[chaos.pipeline.day] = FILMS
    with the_clock_shows(chaos, first.replace(fold=1)):
        assert time.localtime().tm_hour == 1
        chaos.pipeline.run_all()
    assert chaos.compare("F43 the hour that New York lives twice", "all", chaos.seconds(), but=OF_DAYS).is_true
    assert chaos.asked == 2 * len(FILMS)
    assert min(moments(chaos)["pipeline.raw_details.fetched_at"]) >= datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


@pytest.mark.chaos
def test_a_clock_that_is_set_back(chaos: Chaos) -> None:
    chaos.pipeline.run_all()
    chaos.pipeline.turn_day(-1)
    chaos.struck_at = time.monotonic()
    chaos.pipeline.run_all()
    assert chaos.compare("F43 clock back by a day", "all", chaos.seconds(), but=OF_DAYS).is_true
    assert chaos.asked == len(FILMS)


@pytest.mark.chaos
def test_a_clock_that_is_set_back_by_an_hour(chaos: Chaos) -> None:
    noon = datetime.combine(chaos.pipeline.day, clock_time(12), UTC)
    with the_clock_shows(chaos, noon):
        chaos.pipeline.run_all()
    chaos.struck_at = time.monotonic()
    with the_clock_shows(chaos, noon - timedelta(hours=1)):
        chaos.pipeline.run_all()
    assert chaos.compare("F43 clock back by an hour", "all", chaos.seconds(), but=OF_DAYS).is_true
    assert chaos.asked == len(FILMS)


@pytest.mark.chaos
@pytest.mark.parametrize("name", ["export", "details"])
def test_midnight_in_the_middle_of_a_run(chaos: Chaos, name: str) -> None:
    """A run has its day, and a step the moment of its beginning."""
    stage = BY_NAME[name]
    midnight = datetime.combine(chaos.pipeline.day + timedelta(days=1), clock_time(), UTC)
    chaos.run_before(stage)
    with the_clock_shows(chaos, midnight - timedelta(hours=1)) as clock:

        def pass_midnight() -> None:
            chaos.pipeline.serving.today += timedelta(days=1)
            clock.move_to(midnight + timedelta(seconds=1))

        chaos.strike(stage, pass_midnight)
        chaos.pipeline.run_all(stage.job)
        chaos.run_after(stage)
    assert chaos.pipeline.column("select export_date from pipeline.exports") == [chaos.pipeline.day]
    fetched = {as_of > midnight for as_of in moments(chaos)["pipeline.raw_details.fetched_at"]}
    assert fetched == {name == "export"}
    assert min(moments(chaos)["catalog.rating_aggregates.computed_at"]) > midnight
    assert chaos.compare("F43 midnight", name, chaos.seconds()).is_true


MIGRATE = """
import sys
from movie_assets.database import migrations
from movie_assets.database.database import Database
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
    assert chaos.compare("F42 SIGKILL", "migration", chaos.seconds()).is_true


REBUILD = """
import sys
import psycopg
from movie_assets.database.sessions import start_session
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    start_session(connection)
    connection.execute("reindex index concurrently catalog.movie_vectors_1_nearest")
"""
INVALID = "select count(*) from pg_index where not indisvalid"


@pytest.mark.chaos
def test_a_rebuild_of_the_index_that_is_killed(chaos: Chaos) -> None:
    """An operator's, beside searches: these keep their index, and what is left of the other goes with the month's."""
    chaos.pipeline.do(ALWAYS_INDEXED)
    chaos.pipeline.run_all()
    address = dsn_of(chaos.database.url)
    with psycopg.connect(address) as reader:
        reader.execute("set transaction isolation level repeatable read")
        reader.execute("select count(*) from catalog.title_vectors_1")
        with subprocess.Popen([sys.executable, "-c", REBUILD, address]) as process:
            wait_for(chaos, "query like 'reindex%' and wait_event_type = 'Lock'")
            process.kill()
        chaos.struck_at = time.monotonic()
        while chaos.pipeline.one("select count(*) from pg_stat_activity where query like 'reindex%%'"):
            assert chaos.seconds() < 10
            time.sleep(0.02)
    assert chaos.pipeline.one(INVALID) == 1
    chaos.struck_at = time.monotonic()
    chaos.pipeline.run_all("publish")
    chaos.pipeline.run_all("clean_up")
    assert chaos.pipeline.one(INVALID) == 0
    assert chaos.compare("F42 SIGKILL", "rebuild of the index", chaos.seconds()).is_true


EXPORT = """
import resource, sys
from movie_assets.tmdb.export_lines import ExportCounts, read_lines
from movie_assets.database.database import Database, copy_rows
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
