"""What is stored of a series: seasons and episodes by their ids, runtimes, and what a response does not say."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from movie_assets.catalog import movie_details
from movie_assets.tmdb.media import MOVIES, SERIES
from movie_assets_tests.conftest import failed_checks, figures_of
from movie_assets_tests.support.series_runs import FIRST_DAY, SeriesPipeline
from movie_assets_tests.tmdb.series_bodies import episode, season

NUMBERS = "select episode_id, season_number, episode_number from catalog.episodes"
TITLE_ID = SERIES.title_id(64)


def of(number: int, *episodes: int, **changes: Any) -> dict[str, Any]:
    """A season with these episodes, whose ids follow from their numbers."""
    return season(number, [episode(number, each) for each in episodes], **changes)


def day_after(pipeline: SeriesPipeline, days: int = 1) -> Any:
    pipeline.turn_day(days)
    return first_day(pipeline)


def first_day(pipeline: SeriesPipeline) -> Any:
    pipeline.read_the_day()
    return pipeline.fetch()


def stored(pipeline: SeriesPipeline) -> dict[int, tuple[int, int]]:
    return {row[0]: (row[1], row[2]) for row in pipeline.rows(NUMBERS)}


def test_a_series_is_stored_with_its_specials_which_count_nowhere(few: SeriesPipeline) -> None:
    specials = season(0, [episode(0, 1, runtime=5), episode(0, 2, runtime=6)])
    few.put(64, [specials, of(1, 1, 2, 3), of(2, 1)])
    result = first_day(few)
    assert few.few.asked == [list(range(12))]
    columns = "tmdb_id, title_id, title, type, runtime_minutes, networks, creators"
    assert few.rows(f"select {columns} from catalog.series") == {
        (64, TITLE_ID, "The Lamp Keepers", "Scripted", 41, ("Sea TV",), ("Ida Quill", "Tom Reed"))
    }
    assert len(stored(few)) == 6
    assert "episodes_are_as_counted" not in failed_checks(result)
    assert few.one("select count(*) from catalog.movies") == 0
    cast = "select p.name, c.episode_count from catalog.title_cast c join catalog.people p using (person_id)"
    assert few.rows(cast) == {
        ("Ann Vale", 6), ("Bea Marsh", 2),
    }  # fmt: skip
    assert few.one("select descriptors from catalog.title_certifications where country = 'US'") == "L, V"
    assert few.one("select value from catalog.title_external_ids where source = 'tvdb'") == "654321"


def test_of_a_known_series_only_seasons_that_changed_are_fetched_and_written(few: SeriesPipeline) -> None:
    few.put(64, [of(1, 1, 2), of(2, 1)])
    first_day(few)
    before = few.rows("select episode_id, xmin::text from catalog.episodes where season_number = 1")
    few.put(64, [of(1, 1, 2), of(2, 1, 2)])
    day_after(few)
    assert few.few.asked == [[3], [2]]
    assert stored(few).keys() == {101_001, 101_002, 102_001, 102_002}
    assert few.rows("select episode_id, xmin::text from catalog.episodes where season_number = 1") == before
    assert few.one("select runtime_minutes from catalog.series") == 41, "the median of all stored seasons"
    day_after(few, 7)
    assert few.few.asked == [[3]]
    pipeline_calls = few.calls
    few.fetch(force=True)
    assert (few.few.asked, pipeline_calls[-1]) == ([list(range(12))], 1)


def test_episodes_and_seasons_that_are_renumbered_stay_themselves(few: SeriesPipeline) -> None:
    few.put(64, [of(1, 1, 2), of(2, 1, 2)])
    first_day(few)
    one, two, three, four = (episode(s, e) for s, e in ((1, 1), (1, 2), (2, 1), (2, 2)))
    swapped = [
        season(2, [one | {"episode_number": 2}, two | {"episode_number": 1}], id=5001),
        season(1, [four | {"episode_number": 1}, three | {"episode_number": 2}], id=5002),
    ]
    few.put(64, swapped)
    day_after(few)
    assert stored(few) == {101_001: (2, 2), 101_002: (2, 1), 102_002: (1, 1), 102_001: (1, 2)}
    assert few.rows("select season_id, season_number from catalog.seasons") == {(5001, 2), (5002, 1)}


def test_an_episode_that_moves_to_another_season_is_one_row(few: SeriesPipeline) -> None:
    few.put(64, [of(1, 1, 2), of(2, 1)])
    first_day(few)
    few.put(64, [of(1, 1), season(2, [episode(2, 1), episode(1, 2, episode_number=2)])])
    day_after(few)
    assert stored(few) == {101_001: (1, 1), 102_001: (2, 1), 101_002: (2, 2)}


def test_an_episode_that_moved_to_an_earlier_season_stays_there(few: SeriesPipeline) -> None:
    """The season that it left is not fetched: its number of episodes is the same, as it got another one."""
    few.put(64, [of(1, 1, 2), season(2, [episode(2, 1, runtime=90), episode(2, 2, runtime=90)])])
    first_day(few)
    moved = episode(2, 1, season_number=1, episode_number=3, runtime=90)
    few.put(64, [season(1, [episode(1, 1), episode(1, 2), moved]), of(2, 2, 3)])
    day_after(few)
    assert few.few.asked == [[3], [1]]
    now = stored(few)
    assert now == {101_001: (1, 1), 101_002: (1, 2), 102_001: (1, 3), 102_002: (2, 2)}
    assert few.one("select runtime_minutes from catalog.series") == 42, "each episode counts once"
    few.do("update pipeline.title_ids set judged_by = 'another parser'")
    day_after(few)
    assert stored(few) == now
    result = few.run("reconcile")
    assert result.success
    assert stored(few) == now
    assert few.one("select rows_differing from pipeline.reconciliations where agreement like 'each film and%%'") == 0


def test_what_tmdb_no_longer_has_goes_and_what_could_not_be_read_stays(few: SeriesPipeline) -> None:
    few.put(64, [of(1, 1, 2), of(2, 1), of(3, 1)])
    first_day(few)
    few.put(64, [season(1, [episode(1, 1), {"id": "?"}, episode(1, 3)]), of(2)])
    day_after(few)
    assert stored(few).keys() == {101_001, 101_002, 101_003}
    assert few.rows("select season_number from pipeline.season_details") == {(1,), (2,)}
    few.put(64, [of(2)], seasons=[{"id": "?"}])
    day_after(few)
    assert few.rows("select season_number from catalog.seasons") == {(1,), (2,)}
    assert stored(few).keys() == {101_001, 101_002, 101_003}


def test_a_series_that_tmdb_does_not_have_leaves_no_row(few: SeriesPipeline) -> None:
    few.put(64, [of(1, 1)])
    first_day(few)
    del few.few.series[64]
    few.few.changed.add(64)
    few.do(f"insert into pipeline.title_ids (title_id, original_title, first_seen) values ({TITLE_ID + 1}, '', now())")
    day_after(few)
    assert few.rows("select title_id, state, reason from pipeline.title_ids") == {
        (TITLE_ID, "gone", "not_found"), (TITLE_ID + 1, "gone", "not_found"),
    }  # fmt: skip
    for table in ("titles", "broadcasts", "seasons", "episodes", "series_networks", "series_creators"):
        assert few.one(f"select count(*) from catalog.{table}") == 0, table
    few.put(64, [of(1, 1, 2)])
    few.do("update pipeline.title_ids set gone_since = null, gone_reason = null, fetched_at = null")
    day_after(few)
    assert few.few.asked[0] == list(range(12)), "nothing of it is known any more"
    assert stored(few).keys() == {101_001, 101_002}


@pytest.mark.parametrize("runtime", [0, None])
def test_a_runtime_that_nobody_knows_is_none(few: SeriesPipeline, runtime: int | None) -> None:
    few.put(64, [season(1, [episode(1, 1, runtime=runtime), episode(1, 2, runtime=runtime)])])
    first_day(few)
    assert few.rows("select runtime_minutes from catalog.series") == {(None,)}


def test_stored_responses_are_read_again_with_all_their_seasons(few: SeriesPipeline) -> None:
    few.put(64, [of(0, 1), of(1, 1, 2), of(2, 1)])
    first_day(few)
    few.put(64, [of(0, 1), of(1, 1, 2), of(2, 1, 2)])
    day_after(few)
    before = stored(few), few.one("select runtime_minutes from catalog.series")
    few.do("delete from catalog.titles")
    few.do("update pipeline.season_details set runtimes = '{}'")
    few.fetch()
    assert few.calls[-1] == 0
    assert (stored(few), few.one("select runtime_minutes from catalog.series")) == before
    assert len(before[0]) == 5


def test_a_chunk_ends_after_so_many_episodes(few: SeriesPipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movie_details, "MAX_EPISODES", 3)
    for number in range(1, 7):
        few.put(64 * number, [season(1, [episode(1, e, id=1000 * number + e) for e in (1, 2)], id=number)])
    first_day(few)
    assert few.column("select count(*) from catalog.broadcasts group by xmin order by 1") == [2, 2, 2]


@pytest.mark.parametrize(
    ("changes", "days"),
    [
        ({"last_episode_to_air": -20}, 1),
        ({"last_episode_to_air": -22}, 7),
        ({"next_episode_to_air": 21, "status": "Ended"}, 1),
        ({"next_episode_to_air": 29}, 7),
        ({"next_episode_to_air": None}, 1),
        ({"status": "Planned"}, 7),
        ({"status": "Ended"}, 30),
        ({"status": "Canceled", "last_episode_to_air": -300}, 30),
    ],
    ids=["aired", "rests", "expected", "far", "undated", "planned", "ended", "cancelled"],
)
def test_a_series_is_due_by_its_class(few: SeriesPipeline, changes: dict[str, Any], days: int) -> None:
    around = {
        key: episode(1, 1, air_date=None if value is None else str(FIRST_DAY + timedelta(days=value)))
        for key, value in changes.items()
        if key != "status"
    }
    few.put(64, [of(1, 1)], **{**changes, **around})
    first_day(few)
    noon = datetime.combine(FIRST_DAY, time(12), UTC)
    due = f"select reason from pipeline.due_at('{noon + timedelta(days=days)}')"
    assert few.rows(due) == {("stale",)}
    assert few.rows(due.replace("')", "'::timestamptz - interval '1 minute')")) == set()


def test_a_series_that_gets_near_its_next_episode_is_fetched_each_day(few: SeriesPipeline) -> None:
    few.put(64, [of(1, 1)], next_episode_to_air=episode(1, 2, air_date=str(FIRST_DAY + timedelta(days=26))))
    first_day(few)
    calls = [day_after(few) and few.calls[-1] for _ in range(7)]
    assert calls == [0, 0, 0, 1, 1, 1, 1]


def test_the_next_episode_is_the_first_of_the_days_to_come(few: SeriesPipeline) -> None:
    dates = {1: "2026-10-04", 2: "2026-10-05", 3: "2026-10-12"}
    special = season(0, [episode(0, 1, air_date="2026-10-05")])
    few.put(64, [special, season(1, [episode(1, number, air_date=day) for number, day in dates.items()])])
    first_day(few)
    following = f"select episode_number from catalog.next_episode({TITLE_ID}, date '2026-10-%s')"
    assert [few.column(following % day) for day in ("04", "05", "06", "12", "13")] == [[1], [2], [3], [3], []]
    assert few.column("select count(*) from catalog.next_episode(64)") == [0]


def test_a_movie_and_a_series_of_one_id_are_two(few: SeriesPipeline) -> None:
    few.do("insert into pipeline.title_ids (title_id, original_title, first_seen) values (64, '', now())")
    few.put(64, [of(1, 1)])
    first_day(few)
    assert few.rows("select title_id, state from pipeline.title_ids") == {(64, "candidate"), (TITLE_ID, "accepted")}
    assert few.one("select answer_version from pipeline.title_ids where title_id > 64") == SERIES.answer_version
    assert few.one(f"select pipeline.answer_version({TITLE_ID})") == SERIES.answer_version
    assert few.one("select pipeline.answer_version(64)") == MOVIES.answer_version


def test_a_series_without_a_usable_response_fails_under_its_own_key(few: SeriesPipeline) -> None:
    few.put(64, [of(1, 1)], seasons={})
    few.put(65, [of(1, 1)])
    first_day(few)
    failed = "select title_id, attempts, last_error from pipeline.title_ids where attempts > 0"
    assert few.rows(failed) == {(TITLE_ID, 1, "bad_seasons")}
    assert few.rows("select stage, tmdb_id from pipeline.rejects") == {("series_details", 64)}


def test_a_season_that_cannot_be_fetched_leaves_the_series_as_it_was(
    few: SeriesPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call for the series succeeds, as do other series; the next run brings all of it."""
    few.put(64, [of(number, 1) for number in range(13)])
    few.put(128, [season(1, [episode(1, 1, id=9, air_date="2031-01-01")], id=9)])  # to come: it is in the first call
    with monkeypatch.context() as broken:
        broken.setattr(few.few, "season_body", lambda *_: b"{")
        first_day(few)
    assert few.column("select title_id from catalog.titles") == [SERIES.title_id(128)]
    for table in ("title_details", "season_details"):
        assert few.one(f"select count(*) from pipeline.{table} where title_id = {TITLE_ID}") == 0, table
    day_after(few)
    before = stored(few)
    assert len(before) == 14
    few.put(64, [of(number, 1, *([2] if number == 1 else [])) for number in range(13)])
    few.put(128, [season(1, [episode(1, 1, id=9, air_date="2031-01-01"), episode(1, 2, id=10)], id=9)])
    with monkeypatch.context() as broken:
        broken.setattr(few.few, "season_body", lambda *_: b"{")
        day_after(few)
    assert stored(few) == before | {10: (1, 2)}
    assert few.column("select number_of_episodes from catalog.series where tmdb_id = 64") == [12]
    day_after(few)
    assert few.column("select number_of_episodes from catalog.series where tmdb_id = 64") == [13]
    assert len(stored(few)) == 16


def test_an_episode_that_tmdb_counts_and_does_not_send_is_reported(few: SeriesPipeline) -> None:
    for number in range(1, 5):
        few.put(64 * number, [season(1, [episode(1, 1, id=number)], id=number, episode_count=3)])
    result = first_day(few)
    assert "episodes_are_as_counted" in failed_checks(result)


TABLES_OF_SERIES = ("broadcasts", "seasons", "episodes", "networks", "series_networks", "series_creators")
KEY_OF_NETWORKS = ("networks", "network_id")  # foreign keys hold it
DAMAGES = {  # by the type of a column
    "text": "coalesce({c}, '') || ' damaged'", "bigint": "coalesce({c}, 0) + 900001", "integer": "coalesce({c}, 0) + 1",
    "smallint": "coalesce({c}, 0) + 1", "double precision": "coalesce({c}, 0) + 0.5", "boolean": "not {c}",
    "date": "coalesce({c}, date '2000-01-01') + 1", "ARRAY": "{c} || array['damaged']",
}  # fmt: skip


def test_each_damaged_column_of_series_is_found_and_put_right(few: SeriesPipeline) -> None:
    """Each column in a row of its own. Networks are damaged apart, as the repair of a series repairs its network."""
    for n in range(1, 15):
        of_one = [episode(1, 1, id=1000 * n), episode(1, 2, id=1000 * n + 1)]
        networks, creators = [{"id": n, "name": f"Channel {n}"}], [{"id": 100 + n, "name": f"Creator {n}"}]
        few.put(64 * n, [season(1, of_one, id=n)], networks=networks, created_by=creators)
    first_day(few)
    before = {name: few.rows(f"select * from catalog.{name}") for name in TABLES_OF_SERIES}
    columns = few.rows(
        "select table_name, column_name, data_type from information_schema.columns where table_schema = 'catalog' "
        f"and table_name = any('{{{','.join(TABLES_OF_SERIES)}}}') and (table_name, column_name) <> {KEY_OF_NETWORKS}"
    )
    asked = len(few.few.asked)
    for tables in ({"networks"}, {*TABLES_OF_SERIES} - {"networks"}):
        damaged = sorted(column for column in columns if column[0] in tables)
        for place, (table, column, kind) in enumerate(damaged):
            row = f"(select ctid from catalog.{table} order by ctid offset {place % 14} limit 1)"
            if column in ("title_id", "network_id", "person_id"):
                few.do(f"delete from catalog.{table} where ctid = {row}")
            else:
                few.do(f"update catalog.{table} set {column} = {DAMAGES[kind].format(c=column)} where ctid = {row}")
        result = few.run("reconcile")
        assert result.success
        named = [(row["table"], row["differs in"]) for row in figures_of(result, "reconciliation")["differences"]]
        for table, column, _ in damaged:
            words = [differs for name, differs in named if name == table]
            assert any(column in differs or differs.startswith("row ") for differs in words), (table, column, named)
        assert {name: few.rows(f"select * from catalog.{name}") for name in before} == before
    assert len(few.few.asked) == asked, "without a call to TMDB"


def test_responses_for_series_and_seasons_are_purged_after_180_days(few: SeriesPipeline) -> None:
    """As those of movies: `movie_ids` does it each day, also where series are switched off."""
    few.put(64, [of(1, 1), of(2, 1)])
    first_day(few)
    purge = "select pipeline.purge_expired(timestamptz '{}')"
    fetched = datetime.combine(FIRST_DAY, time(12), UTC)
    assert few.one(purge.format(fetched + timedelta(days=180, seconds=-1))) == 0
    few.do("update pipeline.season_details set fetched_at = fetched_at - interval '1 hour' where season_number = 1")
    assert few.one(purge.format(fetched + timedelta(days=180, seconds=-1))) == 0
    assert few.column("select season_number from pipeline.season_details") == [2], "a season that was sent no more"
    assert few.one(purge.format(fetched + timedelta(days=180))) == 1
    left = (
        "pipeline.title_details", "pipeline.season_details", "pipeline.title_embeddings", "catalog.titles",
        "catalog.title_stats_history", *(f"catalog.{name}" for name in TABLES_OF_SERIES),
    )  # fmt: skip
    for table in left:
        assert few.one(f"select count(*) from {table}") == 0, table
    assert few.rows("select title_id, fetched_at, judged_by from pipeline.title_ids") == {(TITLE_ID, None, None)}


def test_a_slip_in_seasons_and_episodes_is_seen_and_put_right(few: SeriesPipeline) -> None:
    few.put(64, [of(0, 1), of(1, 1, 2), of(2, 1)])
    first_day(few)
    before = {table: few.rows(f"select * from catalog.{table}") for table in ("broadcasts", "seasons", "episodes")}
    few.do("delete from catalog.episodes where episode_id = 101001")
    few.do("update catalog.episodes set name = 'x', season_number = 2 where episode_id = 101002")
    few.do(
        "insert into catalog.episodes (episode_id, title_id, season_number, episode_number, vote_average, vote_count) "
        "select 9, title_id, 1, 9, 0, 0 from catalog.titles"
    )
    few.do("insert into catalog.seasons (season_id, title_id, season_number) select 9, title_id, 9 from catalog.titles")
    few.do("update catalog.broadcasts set type = 'News', languages = '{}'")
    result = few.run("reconcile")
    assert result.success
    assert {table: few.rows(f"select * from catalog.{table}") for table in before} == before
    assert few.one("select rows_differing from pipeline.reconciliations where agreement like 'each film and%%'") == 5
