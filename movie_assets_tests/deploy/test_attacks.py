"""An attack as each role that deploy/roles.sql makes, and as a role of none: each is refused everything but its own."""

import time

import psycopg
import pytest

from movie_assets_tests.deploy.conftest import Server, bring_in_films, rows_as

READER, PERSON, PEOPLE, NOBODY = "attacker_app", "attacker_site", "attacker_report", "attacker_of_no_role"
APPLICATIONS = [READER, PERSON, PEOPLE]
ROLES = [*APPLICATIONS, NOBODY]
REFUSED = [
    # locks that the pipeline needs
    "select pg_advisory_lock(1)", "select pg_try_advisory_lock(1)", "select pg_advisory_xact_lock(1, 2)",
    "select pg_try_advisory_xact_lock_shared(1)", "begin; lock table catalog.movies in exclusive mode",
    "begin; lock table pipeline.requested_ids in share mode", "select from catalog.movies for update",
    # writes
    "insert into catalog.genres values (1, 'x')", "update catalog.movies set title = 'x'", "delete from catalog.movies",
    "truncate catalog.titles cascade", "drop table catalog.titles cascade",
    "alter table catalog.movies add column x int",
    "create index on catalog.movies (title)",
    "create trigger t before insert on catalog.movies execute function tsvector_update_trigger()",
    "comment on table catalog.titles is 'x'",
    "update pipeline.requested_ids set outcome = 'accepted'", "delete from pipeline.requested_ids",
    "insert into pipeline.requested_ids (tmdb_id, outcome) values (1, 'accepted')",
    "insert into catalog.watch_histories (person, tmdb_id, source) values ('ann', 3, 'imdb')",
    # objects of its own
    "create table public.mine (n int)", "create table catalog.mine (n int)", "create temporary table mine (n int)",
    "create schema mine", "create function public.mine() returns int language sql as 'select 1'",
    "create function pg_temp.mine() returns int language sql as 'select 1'", "drop extension vector cascade",
    "create role mine", "create database mine", "create publication mine",
    "create function catalog.search_movies(text) returns int language sql as 'select 1'",
    # other roles and settings of others
    "set role movie_assets", "set role movie_assets_dagster", "set role postgres", "set session authorization postgres",
    "alter role movie_assets nologin", "alter role postgres password 'x'",
    "alter database movie_assets set statement_timeout = 0", "alter system set max_connections = 5",
    "set session_replication_role = replica",
    "drop policy of_the_session on catalog.watched_titles",
    "alter table catalog.watch_histories disable row level security",
    # files, programs, other sessions
    "copy catalog.movies to program 'true'", "copy (select 1) to '/tmp/attack'",
    "copy catalog.genres from '/etc/passwd'",
    "select pg_read_file('PG_VERSION')", "select pg_read_binary_file('/etc/passwd')", "select pg_ls_dir('.')",
    "select lo_import('/etc/passwd')", "select lo_export(1, '/tmp/attack')", "select pg_rotate_logfile()",
    "select pg_reload_conf()", "select * from pg_authid", "select * from pg_hba_file_rules", "checkpoint",
    "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres'", "select pg_switch_wal()",
    # the pipeline's own
    "select * from pipeline.movie_ids", "select * from pipeline.raw_details", "select * from pipeline.embeddings",
    "select * from pipeline.watch_entries", "select * from pipeline.series_entries", "select * from pipeline.imports",
    "select * from pipeline.refusals", "select * from pipeline.due", "select pipeline.forget_person('ann')",
    "select pipeline.activate_set(1::smallint)", "select pipeline.grant_reader()",
    "select * from public.movie_assets_schema",
]  # fmt: skip


@pytest.fixture(scope="module")
def server(migrated: Server) -> Server:
    """With films, two persons and a login for each role."""
    bring_in_films(migrated, {READER: "reader", PERSON: "person", PEOPLE: "people"})
    migrated.psql("--command", f"create role {NOBODY} login", "--command",
                  f"grant connect on database movie_assets to {NOBODY}")  # fmt: skip
    return migrated


@pytest.mark.parametrize("role", ROLES)
def test_each_role_is_refused(server: Server, role: str) -> None:
    allowed = []
    with psycopg.connect(server.of(role), autocommit=True) as connection:
        for statement in REFUSED:
            connection.rollback()
            try:
                connection.execute(statement.encode())
            except psycopg.errors.InsufficientPrivilege:
                continue
            except psycopg.Error as error:
                allowed.append((statement, error.sqlstate))
                continue
            allowed.append((statement, "allowed"))
    assert not allowed, str(allowed)


def test_a_role_of_none_sees_nothing(server: Server) -> None:
    names = rows_as(server, "postgres", "select oid::regclass::text from pg_class where relkind in ('r', 'v', 'm') "
                    "and relnamespace in ('catalog'::regnamespace, 'pipeline'::regnamespace)")  # fmt: skip
    assert len(names) > 40
    for (name,) in names:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows_as(server, NOBODY, f"select * from {name}")


@pytest.mark.parametrize("role", [READER, PERSON])
@pytest.mark.parametrize("table", ["catalog.watch_histories", "catalog.seen_films", "catalog.recommendations"])
def test_another_persons_rows_are_seen_by_no_trick(server: Server, role: str, table: str) -> None:
    with psycopg.connect(server.of(role), autocommit=True) as connection:
        connection.execute("set movie_assets.person = 'ann'")
        for statement in (
            f"select * from {table} where person = 'bob'",
            f"select * from {table} where person <> 'ann' or person = 'bob'",
            f"set row_security = off; select * from {table} where person = 'bob'",
            "select most_common_vals::text from pg_stats where most_common_vals::text like '%bob%'",
        ):  # fmt: skip
            try:
                assert connection.execute(statement.encode()).fetchall() == []
            except psycopg.errors.InsufficientPrivilege:
                continue


VECTOR = "array_fill({}, '{{64}}')::vector"
CALLS = [
    "catalog.search_movies('film', COUNT)", "catalog.find_movie('Film 3', match_count => COUNT)",
    "catalog.complete_title('fil', COUNT)", "catalog.similar_movies(3, COUNT)",
    f"catalog.match_movies({VECTOR.format(0.1)}, match_count => COUNT)",
    "catalog.recommend_movies(liked => '{3}', match_count => COUNT)",
    "catalog.recommendations_for('ann', match_count => COUNT)",
]  # fmt: skip


@pytest.mark.parametrize("role", APPLICATIONS)
def test_a_call_has_a_limit_of_rows(server: Server, role: str) -> None:
    with psycopg.connect(server.of(role), autocommit=True) as connection:
        connection.execute("set movie_assets.person = 'ann'")
        for call in CALLS:
            if "recommendations_for" in call and role == READER:
                continue
            for count in ("1000000000", "-1", "10001", "-2147483648"):
                with pytest.raises(psycopg.errors.InvalidParameterValue, match="it can be 0 to 10000"):
                    connection.execute(f"select * from {call.replace('COUNT', count)}".encode())
            connection.execute(f"select * from {call.replace('COUNT', 'null')}".encode())
            assert connection.execute(f"select * from {call.replace('COUNT', '0')}".encode()).fetchall() == []


MANY = "(select array_agg(n::bigint) from generate_series(1, 1000000) n)"
COSTLY = {
    f"catalog.recommend_movies(liked => {MANY})": "it can have 20,000",
    f"catalog.recommend_movies(loved => {MANY}, disliked => {MANY})": "it can have 20,000",
    f"catalog.recommend_movies(rated => {MANY}, ratings => '{{5}}')": "it can have 20,000",
    f"catalog.match_movies({VECTOR.format('0.0')})": "direction",
    f"catalog.search_movies('film', query_embedding => {VECTOR.format('0.0')})": "direction",
    f"catalog.search_movies('film', query_embedding => {VECTOR.format('0.1')}, meaning_weight => 'NaN')": "0 to 1",
    f"catalog.why_found('film', 3, query_embedding => {VECTOR.format('0.0')})": "direction",
    "catalog.match_movies('[1,2,3]'::vector)": "dimensions",
    "catalog.search_movies('film', filters => jsonb_build_object('genres', repeat('x', 300000)))": "200,000",
}
BOUNDED = ("catalog.search_movies(repeat('film ', 1000000))", "catalog.find_movie(repeat('x', 1000000))",
           "catalog.complete_title(repeat('fil', 1000000))", "catalog.why_found(repeat('film ', 1000000), 3)",
           "catalog.search_movies('movies like ' || repeat('x but ', 1000000))",
           "catalog.find_movie(repeat('part 2 ', 1000000))", "catalog.read_question(repeat('x ', 99999))")  # fmt: skip


@pytest.mark.parametrize("role", APPLICATIONS)
def test_a_costly_call_is_refused_at_once(server: Server, role: str) -> None:
    with psycopg.connect(server.of(role), autocommit=True) as connection:
        for call, message in COSTLY.items():
            began = time.monotonic()
            with pytest.raises(psycopg.Error, match=message):
                connection.execute(f"select * from {call}".encode())
            assert (call, time.monotonic() - began < 8) == (call, True)
        for call in BOUNDED:
            connection.execute(f"select * from {call}".encode())


@pytest.mark.parametrize("role", ROLES)
def test_a_statement_ends_by_itself(server: Server, role: str) -> None:
    with psycopg.connect(server.of(role), autocommit=True) as connection:
        assert connection.execute("show statement_timeout").fetchone() == ("15s",)
        connection.execute("set statement_timeout = '200ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("select pg_sleep(20)")


@pytest.mark.parametrize("role", APPLICATIONS)
def test_the_inbox_takes_no_flood_and_no_odd_dates(server: Server, role: str) -> None:
    ask = (
        "insert into pipeline.requested_ids (tmdb_id, requested_by) select n, {} from generate_series(1, {}) n "
        "on conflict do nothing"
    )
    with psycopg.connect(server.of(role), autocommit=True) as connection:
        with pytest.raises(psycopg.errors.ProgramLimitExceeded, match="has asked for 10,000 ids today"):
            connection.execute(ask.format("'x'", 200_000).encode())
        with pytest.raises(psycopg.errors.StringDataRightTruncation):
            connection.execute(ask.format("repeat('x', 1024)", 10).encode())
        for tmdb_id in ("0", "-1", "9007199254740992", "9223372036854775807"):
            with pytest.raises((psycopg.errors.CheckViolation, psycopg.errors.NumericValueOutOfRange), match="_id"):
                connection.execute(f"insert into pipeline.requested_ids (tmdb_id) values ({tmdb_id})".encode())
        connection.execute("insert into pipeline.requested_ids (tmdb_id) values (900001) on conflict do nothing")
        for when in ("infinity", "-infinity", "2999-01-01"):
            connection.execute(
                f"update pipeline.requested_ids set requested_at = '{when}' where tmdb_id = 900001".encode()
            )
            assert connection.execute(
                "select requested_at between now() - interval '1 day' and now() from pipeline.requested_ids "
                "where tmdb_id = 900001"
            ).fetchone() == (True,)
