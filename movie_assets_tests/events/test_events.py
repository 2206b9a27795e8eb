"""Events are written in the transaction of their change, numbered when it commits; replayed they give the catalogue."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dagster as dg
import psycopg
import pytest

from movie_assets.config.paths import SQL
from movie_assets.database.addresses import dsn_of
from movie_assets.database.database import Database
from movie_assets_tests.conftest import failed_checks, figures_of
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film

SERIES = 1_000_001_399
WRITERS, TRANSACTIONS = 4, 40


@contextmanager
def session(database: Database, *, autocommit: bool = False) -> Iterator[psycopg.Connection]:
    with psycopg.connect(dsn_of(database.url), autocommit=autocommit) as connection:
        yield connection


def events(database: Database, after: int = 0) -> list[tuple[int, int, str, list[str] | None]]:
    with database.transaction() as connection:
        rows = connection.exec_driver_sql(
            "select sequence, title_id, kind, fields from catalog.events_after(%(after)s, 100000)", {"after": after}
        ).all()
    return [(n, title_id, kind, fields) for n, title_id, kind, fields in rows]


def do(database: Database, *statements: str) -> None:
    """Run statements in one transaction."""
    with database.transaction() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def differing(database: Database) -> list[str]:
    with database.transaction() as connection:
        return list(connection.exec_driver_sql("select unnest(examples) from pipeline.compare_events()").scalars())


def test_only_changes_of_facts_make_events(database: Database) -> None:
    put_films(database, 1, 3)
    do(
        database,
        "update catalog.titles set title = 'Other', overview = null, facts_hash = 'x' where title_id = 1",
        "update catalog.titles set facts_hash = 'y', changed_at = now(), text_hash = 'z', embedding_text = 'w'",
        "update catalog.title_stats set popularity = popularity + 1, vote_count = vote_count + 1",
        "delete from catalog.titles where title_id = 2",
    )
    found = events(database)
    assert found == [
        (1, 1, "added", None), (2, 2, "added", None), (3, 3, "added", None), (4, 1, "changed", ["title"]),
        (5, 2, "left", None),
    ]  # fmt: skip
    assert differing(database) == []


def test_a_change_that_commits_late_is_not_missed(database: Database) -> None:
    put_films(database, 1, 3)
    with session(database) as late:
        late.execute("update catalog.titles set title = 'late' where title_id = 1")
        do(database, "update catalog.titles set title = 'early' where title_id = 2")
        assert events(database, 3) == [(4, 2, "changed", ["title"])]
        late.commit()
    assert events(database, 4) == [(5, 1, "changed", ["title"])]


def test_a_commit_waits_for_one_that_has_its_numbers(database: Database) -> None:
    put_films(database, 1, 3)
    other = threading.Thread(target=do, args=(database, "update catalog.titles set title = 'b' where title_id = 2"))
    with session(database) as first:
        first.execute("update catalog.titles set title = 'a' where title_id = 1")
        first.execute("set constraints all immediate")  # as a commit does: it has number 4 now
        other.start()
        other.join(0.5)
        assert (other.is_alive(), events(database, 3)) == (True, [])
        first.commit()
    other.join()
    assert events(database, 3) == [(4, 1, "changed", ["title"]), (5, 2, "changed", ["title"])]


def test_what_is_rolled_back_has_no_events_and_leaves_no_hole(database: Database) -> None:
    with session(database) as connection:
        connection.execute("select pipeline.write_event(7, 'offer_came', '{\"provider_id\": 8}')")
        connection.execute("savepoint s")
        connection.execute("select pipeline.write_event(8, 'offer_came')")
        connection.execute("rollback to savepoint s")
        connection.execute("set constraints all immediate")
        connection.execute("select pipeline.write_event(9, 'offer_left')")
        connection.commit()
        connection.execute("select pipeline.write_event(10, 'offer_came')")
        connection.rollback()
        connection.execute("select pipeline.write_event(11, 'offer_came')")
        connection.commit()
    assert [(n, title, kind) for n, title, kind, _ in events(database)] == [
        (1, 7, "offer_came"), (2, 9, "offer_left"), (3, 11, "offer_came"),
    ]  # fmt: skip


def put_title(connection: psycopg.Connection, title_id: int, title: str) -> None:
    connection.execute(
        "insert into catalog.titles (title_id, title, original_title, genres, keywords, directors, leading_cast, "
        "countries, embedding_text, text_hash, changed_at) values (%s, %s, '', '{}', '{}', '{}', '{}', '{}', '', '', "
        "now()) on conflict (title_id) do update set title = excluded.title",
        [title_id, title],
    )


def put_series(connection: psycopg.Connection, *episodes: tuple[int, str]) -> None:
    put_title(connection, SERIES, "A series")
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into catalog.episodes (episode_id, title_id, season_number, episode_number, air_date, "
            "vote_average, vote_count) values (%s, %s, 1, %s, %s, 0, 0)",
            [(number, SERIES, number, aired) for number, aired in episodes],
        )


def test_episodes_are_news_unless_they_come_or_go_with_their_series(database: Database) -> None:
    with session(database) as connection:
        put_series(connection, (1, "2026-01-01"), (2, "2026-01-08"))
        connection.commit()
        put_series(connection, (3, "2026-01-15"))
        connection.execute("update catalog.episodes set air_date = '2026-01-09', vote_count = 5 where episode_id = 2")
        connection.execute("update catalog.episodes set name = 'Pilot' where episode_id = 1")
        connection.execute("delete from catalog.episodes where episode_id = 1")
        connection.commit()
        connection.execute("delete from catalog.titles")
        connection.commit()
        found = connection.execute("select key, kind, payload from catalog.events_after(0)").fetchall()
    assert [kind for _, kind, _ in found] == ["added", "new_episode", "date_moved", "episode_left", "left"]
    assert {key for key, _, _ in found} == {"series:1399"}
    assert found[1][2] == {"episode_id": 3, "season_number": 1, "episode_number": 3, "air_date": "2026-01-15"}
    assert (found[2][2]["former_air_date"], found[2][2]["air_date"]) == ("2026-01-08", "2026-01-09")


def test_old_events_are_deleted_and_the_others_still_give_the_catalogue(database: Database) -> None:
    put_films(database, 1, 4)
    do(
        database,
        "update catalog.titles set title = 'Other', tagline = 'Soon' where title_id = 1",
        "delete from catalog.titles where title_id = 4",
    )
    do(database, "update catalog.events set occurred_at = now() - interval '91 days'")
    do(database, "update catalog.titles set overview = 'New', tagline = null where title_id < 3")
    with database.transaction() as connection:
        gone = "select pipeline.forget_events(now() - interval '90 days')"
        assert [connection.exec_driver_sql(gone).scalar() for _ in range(2)] == [6, 0]
        baseline = "select array_agg(title_id order by title_id) from pipeline.event_baseline"
        assert connection.exec_driver_sql(baseline).scalar() == [1, 2, 3]
    assert [number for number, *_ in events(database, 6)] == [7, 8]
    with pytest.raises(Exception, match="events after 5 were deleted; the oldest that is left is 7"):
        events(database, 5)
    assert differing(database) == []
    do(database, "delete from catalog.titles where title_id = 3", "update catalog.titles set status = 'Released'")
    assert differing(database) == []
    do(
        database,
        'update catalog.events set payload = payload || \'{"status": "x"}\' where title_id = 1 and sequence > 8',
    )
    do(database, 'update pipeline.event_baseline set fields = fields || \'{"genres": "x"}\' where title_id = 2')
    assert differing(database) == ["movie:1: status", "movie:2: genres"]
    do(database, "update catalog.event_bounds set deleted_to = 0", "delete from catalog.events where kind = 'left'")
    assert differing(database)[2:] == ["movie:3: left over"]


def test_events_lose_the_texts_of_titles_whose_response_was_deleted(database: Database) -> None:
    put_films(database, 1, 3)
    do(
        database,
        "insert into pipeline.title_ids (title_id, original_title, first_seen) values (2, '', now())",
        "insert into pipeline.title_details (title_id, body, fetched_at) values (2, '{}', now())",
        "delete from catalog.titles where title_id < 3",
        "select pipeline.forget_events(now() - interval '90 days')",
    )
    with database.transaction() as connection:
        sql = "select title_id, payload = '{}' from catalog.events where kind = 'added' order by 1"
        assert connection.exec_driver_sql(sql).all() == [(1, True), (2, False), (3, False)]
    assert differing(database) == []


def test_a_catalogue_from_before_events_begins_with_its_titles(database: Database) -> None:
    put_films(database, 1, 3)
    do(database, "delete from catalog.events", "update catalog.event_bounds set began_at = null")
    assert len(differing(database)) == 3
    with session(database) as connection:
        connection.execute((SQL / "events" / "replay.sql").read_bytes())
        connection.commit()
    do(database, "update catalog.titles set title = 'Other' where title_id = 1")
    assert differing(database) == []


def follow(database: Database, is_done: threading.Event, seen: list[int]) -> None:
    """Read events as an application does, until the writers are done and nothing is left."""
    with session(database, autocommit=True) as connection:
        while True:
            was_done = is_done.is_set()
            sql = "select sequence from catalog.events_after(%s, 7)"
            rows = connection.execute(sql, [seen[-1] if seen else 0]).fetchall()
            seen.extend(sequence for (sequence,) in rows)
            if was_done and not rows:
                return


def write(database: Database, number: int) -> None:
    """Change titles in many transactions; a fifth is rolled back, and a fifth loses its connection."""
    chance = random.Random(number)  # noqa: S311  # repeatable
    for _ in range(TRANSACTIONS):
        title_id = 1000 + chance.randrange(40) * WRITERS + number
        try:
            with session(database) as connection:
                put_title(connection, title_id, f"T{chance.random()}")
                connection.execute("delete from catalog.titles where title_id = %s", [title_id + WRITERS])
                if chance.random() < 0.2:
                    connection.execute("select pg_terminate_backend(pg_backend_pid())")
                if chance.random() < 0.2:
                    connection.rollback()
        except psycopg.OperationalError:
            continue  # as the session was ended


def test_events_replay_after_kills_and_a_reader_misses_none(database: Database) -> None:
    is_done, seen = threading.Event(), list[int]()
    reader = threading.Thread(target=follow, args=(database, is_done, seen))
    writers = [threading.Thread(target=write, args=(database, number)) for number in range(WRITERS)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    is_done.set()
    reader.join()
    assert seen == [number for number, *_ in events(database)] == list(range(1, len(seen) + 1))
    assert len(seen) > TRANSACTIONS
    assert differing(database) == []


def test_the_events_of_a_days_work_are_checked_and_kept(small: Callable[..., SmallPipeline]) -> None:
    pipeline = small(*(film(64 * n, imdb_id=f"tt{n:07}") for n in range(1, 31)))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day()
    pipeline.world.put(film(64, imdb_id="tt0000001", overview="Another story."), film(64 * 40, imdb_id="tt0000002"))
    pipeline.world.changed[pipeline.day] = [64]
    del pipeline.world.films[128]
    pipeline.run_all("read_the_day", "fetch_details")
    found = events(pipeline.database)
    assert sorted(found[n][1:] for n in range(30)) == [(64 * n, "added", None) for n in range(1, 31)]
    assert sorted((title, kind, fields) for _, title, kind, fields in found[30:]) == [
        (64, "changed", ["overview"]), (128, "left", None), (128, "merged", None), (64 * 40, "added", None),
    ]  # fmt: skip
    result = pipeline.run("replay_events")
    assert (failed_checks(result), figures_of(result, "events")["dagster/row_count"]) == (set(), 34)
    pipeline.do("delete from catalog.events where title_id = 64 * 40")
    assert failed_checks(pipeline.check(dg.AssetCheckKey(dg.AssetKey("events"), "events_replay"))) == {"events_replay"}


def test_moved_releases_and_offers_that_come_and_go_make_events(database: Database) -> None:
    put_films(database, 1, 1)
    do(
        database,
        "insert into catalog.release_dates (title_id, country, release_type, entry, release_date, note, language) "
        "values (1, 'US', 3, 1, '2026-12-01', '', ''), (1, 'US', 4, 1, '2026-12-01', '', '')",
        "insert into catalog.offer_intervals (title_id, country, kind, provider_id, first_seen, is_opening) "
        "values (1, 'US', 'rent', 8, '2026-10-01', true), (1, 'US', 'flatrate', 8, '2026-10-02', false)",
    )
    last = max(number for number, *_ in events(database))
    do(
        database,
        "update catalog.release_dates set release_date = '2026-12-08' where release_type = 3",
        "update catalog.release_dates set certification = 'PG'",
        "update catalog.offer_intervals set missed_at = '2026-10-03' where kind = 'rent'",
        "update catalog.offer_intervals set left_at = missed_at where kind = 'rent'",
    )
    with database.transaction() as connection:
        rows = connection.exec_driver_sql("select sequence, kind, payload from catalog.events_after(0, 100)").all()
    offer = {"country": "US", "provider_id": 8}
    moved = {"country": "US", "release_type": 3, "note": ""}
    assert [(kind, payload) for _, kind, payload in rows if kind not in ("added", "changed")] == [
        ("offer_came", offer | {"kind": "flatrate"}),
        ("date_moved", moved | {"release_date": "2026-12-08", "former_release_date": "2026-12-01"}),
        ("offer_left", offer | {"kind": "rent"}),
    ]
    assert [number > last for number, kind, _ in rows if kind in ("date_moved", "offer_left")] == [True, True]
    assert differing(database) == []
