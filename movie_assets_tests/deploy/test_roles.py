"""What the roles of deploy/roles.sql may do, tried as those roles on a real server."""

import shutil
from pathlib import Path

import psycopg
import pytest

from movie_assets.config.paths import SQL
from movie_assets.database import migrations
from movie_assets.database.database import Database
from movie_assets.database.migrations import function_files, migrate
from movie_assets.orchestration.storage import PooledPostgresStorage
from movie_assets_tests.deploy.conftest import Server, bring_in_films, rows_as
from movie_assets_tests.deploy.files import DEPLOY

READER = "an_app"
PERSON, PEOPLE = "a_site", "a_report"
OF_PERSONS = (
    "catalog.watched_titles", "catalog.watched_episodes", "catalog.recommended_titles", "catalog.seen_titles",
    "catalog.seen_films",
    "catalog.watch_histories", "catalog.recommendations",
)  # fmt: skip
DAGSTER = ("movie_assets_dagster", "movie_assets_dagster")  # role and database
INSERT = "insert into pipeline.requested_ids (tmdb_id, requested_by) values ({}, 'an app')"


@pytest.fixture(scope="module")
def server(migrated: Server) -> Server:
    """With an application's role, and with films that the pipeline's own role brought in."""
    bring_in_films(migrated, {READER: "reader", PERSON: "person", PEOPLE: "people"})
    return migrated


def test_the_pipelines_role_is_no_superuser_and_needs_none_to_migrate(server: Server) -> None:
    assert rows_as(server, "movie_assets", "select rolsuper, rolcreaterole, rolcreatedb from pg_roles "
                   "where rolname = current_user") == [(False, False, False)]  # fmt: skip


def test_roles_can_be_made_again(server: Server) -> None:
    server.psql("--file", str(DEPLOY / "roles.sql"))
    assert rows_as(server, READER, "select count(*) from catalog.movies") == [(8,)]


def test_a_reader_reads_every_table_and_view_of_the_catalogue(server: Server) -> None:
    names = rows_as(server, "postgres", "select oid::regclass::text from pg_class "
                    "where relnamespace = 'catalog'::regnamespace and relkind in ('r', 'v', 'm', 'p')")  # fmt: skip
    assert len(names) > 20
    for (name,) in names:
        if name in OF_PERSONS:
            continue
        rows_as(server, READER, f"select * from {name} limit 1")


@pytest.mark.parametrize(
    "search",
    [
        "catalog.search_movies('film')",
        "catalog.search_movies('film', query_embedding => array_fill(0.1, '{64}')::vector)",
        "catalog.find_movie('Film 3')",
        "catalog.complete_title('fil')",
        "catalog.match_movies(query_embedding => array_fill(0.1, '{64}')::vector, match_count => 3)",
        "catalog.similar_movies(3)",
        "catalog.recommend_movies(liked => '{3}', match_count => 3)",
    ],
)
def test_a_reader_searches(server: Server, search: str) -> None:
    assert rows_as(server, READER, f"select * from {search}") != []


@pytest.mark.parametrize(
    "statement",
    [
        "insert into catalog.genres values (1, 'x')",
        "update catalog.movies set title = 'x'",
        "delete from catalog.movies",
        "truncate catalog.titles",
        "drop table catalog.titles cascade",
        "create table catalog.mine (n int)",
        "create table public.mine (n int)",
        "create temporary table mine (n int)",
        "create schema mine",
        "select * from pipeline.movie_ids",
        "select * from pipeline.raw_details",
        "select * from pipeline.title_ids",
        "select * from pipeline.embeddings",
        "select * from pipeline.due",
        "select pipeline.activate_set(1::smallint)",
        "delete from pipeline.requested_ids",
        "delete from pipeline.requested_titles",
        "update pipeline.requested_ids set outcome = 'accepted'",
        "insert into pipeline.requested_ids (tmdb_id, outcome) values (1, 'accepted')",
        "select * from public.movie_assets_schema",
        *(f"select * from {name}" for name in OF_PERSONS),
        "select * from catalog.recommendations_for('ann')",
        "select * from pipeline.watch_entries",
        "select * from pipeline.series_entries",
        "select * from pipeline.imports",
        "select pipeline.forget_person('ann')",
        "select pg_advisory_lock(1)",
        "select pg_try_advisory_lock(1)",
        "select pg_advisory_xact_lock(1)",
        "select pg_try_advisory_lock_shared(1, 2)",
        "set role movie_assets",
        "set role movie_assets_people",
        "copy catalog.movies to program 'true'",
        "select pg_read_file('PG_VERSION')",
        "lock table catalog.movies in exclusive mode",
        "lock table pipeline.requested_ids in share mode",
        "create function pg_temp.mine() returns int language sql as 'select 1'",
    ],
)
def test_a_reader_is_refused_everything_else(server: Server, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows_as(server, READER, statement)


def test_one_person_at_a_time_is_seen_by_a_session_that_names_the_person(server: Server) -> None:
    seen = "select person, tmdb_id from {} order by 1"
    for name in ("catalog.watch_histories", "catalog.seen_films"):
        assert rows_as(server, PERSON, seen.format(name)) == []
        with psycopg.connect(server.of(PERSON)) as connection:
            connection.execute("set movie_assets.person = 'ann'")
            assert connection.execute(seen.format(name).encode()).fetchall() == [("ann", 1)]
        assert rows_as(server, PEOPLE, seen.format(name)) == [("ann", 1), ("bob", 2)]
    with psycopg.connect(server.of(PERSON)) as connection:
        connection.execute("set movie_assets.person = 'bob'")
        found = connection.execute("select tmdb_id from catalog.recommendations_for('bob')").fetchall()
        assert found
        assert (2,) not in found
        assert connection.execute("select count(*) from catalog.search_movies('film')").fetchone() == (8,)


def test_a_release_keeps_the_rights_on_persons_with_its_views_and_locks_no_reader_out(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(SQL, tmp_path / "sql")
    monkeypatch.setattr(migrations, "SQL", tmp_path / "sql")
    for path in function_files(tmp_path / "sql"):
        path.write_text(f"{path.read_text()}\n-- another release\n")
    (tmp_path / "sql" / "comments" / "catalog.sql").write_text("select 1 / 0")
    with Database(server.of("movie_assets")) as database:
        with pytest.raises(psycopg.errors.DivisionByZero):
            migrate(database)  # ends after the functions and views
        assert rows_as(server, PERSON, "select person from catalog.seen_films") == []
        monkeypatch.setattr(migrations, "SQL", SQL)
        migrate(database)
        with psycopg.connect(server.of(PERSON)) as reader:
            reader.execute("select from catalog.watch_histories")
            reader.execute("select from catalog.seen_films")
            assert migrate(database) == []


def test_the_pipeline_goes_on_where_readers_cannot_lock(server: Server) -> None:
    database = Database(server.of("movie_assets"))
    with database.batch_locks([1], "stage") as ours:
        assert ours == {1}
    database.close()


@pytest.mark.parametrize("role", [READER, PERSON, PEOPLE])
def test_a_readers_session_has_limits(server: Server, role: str) -> None:
    shown = [rows_as(server, role, f"show {name}")[0][0] for name in
             ("statement_timeout", "idle_in_transaction_session_timeout", "lock_timeout")]  # fmt: skip
    assert shown == ["15s", "1min", "5s"]


def test_a_reader_sees_nothing_of_dagsters_database(server: Server) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(server.of(READER, "movie_assets_dagster"))


def test_dagsters_role_is_refused_the_catalogue_and_the_owner_dagsters_records(server: Server) -> None:
    for role, database in (("movie_assets_dagster", "movie_assets"), ("movie_assets", "movie_assets_dagster")):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(server.of(role, database))


def test_dagsters_role_is_all_that_dagsters_records_need(server: Server) -> None:
    storage = PooledPostgresStorage(server.of(*DAGSTER).replace("postgresql:", "postgresql+psycopg2:"))
    assert storage.run_storage.get_runs_count() == 0
    storage.event_log_storage.set_concurrency_slots("tmdb", 2)
    assert storage.event_log_storage.get_concurrency_keys() == {"tmdb"}
    storage.run_storage.dispose()


def test_what_the_owner_of_the_catalogue_had_in_dagsters_database_is_handed_over(server: Server) -> None:
    server.psql(
        "--command", "alter database movie_assets_dagster owner to movie_assets",
        "--command", r"\connect movie_assets_dagster",
        "--command", "create table of_yesterday (n bigserial primary key)",
        "--command", "alter table of_yesterday owner to movie_assets",
    )  # fmt: skip
    server.psql("--file", str(DEPLOY / "roles.sql"))
    with psycopg.connect(server.of(*DAGSTER)) as connection:
        connection.execute("insert into of_yesterday default values")
        connection.execute("drop table of_yesterday")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(server.of("movie_assets", "movie_assets_dagster"))


def test_a_request_of_a_reader_makes_the_film_due(server: Server) -> None:
    rows_as(server, READER, INSERT.format(3078))
    assert rows_as(server, "movie_assets", "select kept_on_request from pipeline.movie_ids where tmdb_id = 3078") == [
        (True,)
    ]
    assert rows_as(server, READER, "select tmdb_id, served_at, outcome from pipeline.requested_ids") == [
        (3078, None, None)
    ]


def test_what_a_reader_puts_into_the_inbox_has_limits(server: Server) -> None:
    many = ("insert into pipeline.requested_ids (tmdb_id, requested_by) select n, 'an app' "
            "from generate_series({}, {}) n on conflict do nothing")  # fmt: skip
    with pytest.raises(
        psycopg.errors.StringDataRightTruncation, match="requested_by has 1024 characters; it can have 200"
    ):
        rows_as(
            server, READER, "insert into pipeline.requested_ids (tmdb_id, requested_by) values (5, repeat('x', 1024))"
        )
    rows_as(server, READER, INSERT.format(70_000))
    rows_as(server, READER, "update pipeline.requested_ids set requested_at = 'infinity' where tmdb_id = 70000")
    assert rows_as(
        server, READER, "select requested_at <= now() from pipeline.requested_ids where tmdb_id = 70000"
    ) == [(True,)]
    rows_as(server, READER, many.format(100_001, 102_000))
    urgent = "select is_urgent, count(*) from pipeline.requested_ids where tmdb_id > 100000 group by 1 order by 1"
    (later, count), (first, urgent_count) = rows_as(server, READER, urgent)
    assert (later, first, count + urgent_count) == (False, True, 2000)
    assert 900 < urgent_count < 1000
    priorities = "select max(priority) from pipeline.due where tmdb_id between {} and {}"
    assert rows_as(server, "movie_assets", priorities.format(100_001, 100_002)) == [(1,)]
    assert rows_as(server, "movie_assets", priorities.format(101_999, 102_000)) == [(9,)]
    with pytest.raises(psycopg.errors.ProgramLimitExceeded, match="has asked for 10,000 ids today"):
        rows_as(server, READER, many.format(200_001, 400_000))
    assert rows_as(server, READER, "select count(*) from pipeline.requested_ids where tmdb_id > 200000") == [(0,)]
    rows_as(server, "movie_assets", many.format(500_001, 512_000))
    assert rows_as(server, "movie_assets", "select count(*) from pipeline.requested_ids where tmdb_id > 500000") == [
        (12_000,)
    ]


def test_whatever_runs_with_the_owners_rights_is_a_trigger(server: Server) -> None:
    """Anybody may call a function; only a trigger's cannot be called at will."""
    found = rows_as(server, "postgres", "select oid::regprocedure::text from pg_proc where prosecdef "
                    "and prorettype <> 'trigger'::regtype and pronamespace in "
                    "('catalog'::regnamespace, 'pipeline'::regnamespace)")  # fmt: skip
    assert found == []


def test_a_reader_reads_what_later_migrations_and_new_embedding_sets_make(server: Server) -> None:
    rows_as(server, "movie_assets", "create table catalog.of_tomorrow as select 1 as n")
    rows_as(server, "movie_assets", "create view catalog.view_of_tomorrow as select count(*) from pipeline.exports")
    assert rows_as(server, READER, "select n from catalog.of_tomorrow") == [(1,)]
    assert rows_as(server, READER, "select * from catalog.view_of_tomorrow") == [(1,)]


def test_roles_that_come_after_the_schema_get_their_rights_by_the_next_migration(empty_server: Server) -> None:
    empty_server.psql("--command", "create database earlier owner movie_assets")
    database = Database(empty_server.of("movie_assets", "earlier"))
    empty_server.run(
        "psql", "--dbname", empty_server.dsn("postgres", "earlier"), "--command", "create extension vector"
    )
    migrate(database)
    database.close()
    with psycopg.connect(empty_server.of(READER, "earlier")) as connection:
        assert connection.execute("select count(*) from catalog.movies").fetchone() == (0,)
