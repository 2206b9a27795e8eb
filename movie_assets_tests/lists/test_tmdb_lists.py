"""The asset tmdb_lists on a world of movies and series that moves: its snapshots are the emulator's lists."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from movie_assets.config.settings import Settings, SettingsError
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.emulator.moving_world import MovingWorld
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.emulator.service import Service
from movie_assets.lists.list_changes import ListChange, turnovers
from movie_assets.lists.list_kinds import KINDS, wanted_lists
from movie_assets.tmdb.media import SERIES
from movie_assets_tests.conftest import (
    DAY,
    Pipeline,
    database_of_ones_own,
    failed_checks,
    figures,
    figures_of,
    settings_for,
)
from movie_assets_tests.tmdb.tmdb_calls import shorten_waits

PAGES = 3
REGIONS = ("US", "GB")
ALL = ("movie", "series")
WANTED = wanted_lists(ALL, REGIONS, PAGES)
ListKey = tuple[str, str, str]


@pytest.fixture(scope="module")
def world() -> MovingWorld:
    return MovingWorld(250, 3, series=120)


@pytest.fixture
def lists(server: str, template: str, world: MovingWorld) -> Iterator[Pipeline]:
    options = EmulatorOptions(today=DAY, rate_limit=0, stall_seconds=2)
    with (
        database_of_ones_own(server, template) as database,
        TmdbEmulator(options, world=world) as emulator,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        settings = settings_for(emulator, media="movies series", regions="us, gb", list_pages=PAGES)
        pipeline = Pipeline(database, settings, instance, LocalEmbedder("hashing-v1", 64))
        pipeline.tmdb_emulator = emulator  # type: ignore[attr-defined]
        yield pipeline


def emulator_of(pipeline: Pipeline) -> TmdbEmulator:
    return pipeline.tmdb_emulator  # type: ignore[attr-defined, no-any-return]


def read(pipeline: Pipeline, hour: int = 12, *, succeeds: bool = True) -> Any:
    result = pipeline.run("read_list_snapshots", as_of=f"{pipeline.day}T{hour:02}:05:00+00:00")
    failures = [str(event.event_specific_data) for event in result.all_events if event.is_step_failure]
    assert result.success == succeeds, "\n".join(failures)
    return result


def rows(pipeline: Pipeline, sql: str) -> list[Any]:
    with pipeline.database.transaction() as connection:
        return list(connection.exec_driver_sql(sql).all())


def truth(service: Service) -> dict[ListKey, list[int]]:
    """Return the first titles of each list of the emulator's day, as many as the pages have places."""
    assert service.series_lists is not None
    lists: dict[ListKey, list[int]] = {}
    for kind, region in WANTED:
        if kind.media is SERIES:
            ids = service.series_lists.chart(kind.name, service.today)
        else:
            ids = service.lists.chart(kind.name, service.today, region)
        lists[kind.media.name, kind.name, region] = [kind.media.title_id(n) for n in ids[: PAGES * 20].tolist()]
    return lists


def stored(pipeline: Pipeline) -> dict[ListKey, list[int]]:
    sql = (
        "select media_type, list, region, array_agg(s.title_id order by s.rank) from catalog.list_days d left join "
        f"catalog.list_snapshots s using (media_type, list, region, day) where day = '{pipeline.day}' group by 1, 2, 3"
    )
    return {(media, name, region): [n for n in ids if n] for media, name, region, ids in rows(pipeline, sql)}


def read_as(kept: dict[ListKey, list[int]], of: dict[ListKey, list[int]]) -> None:
    """Compare snapshots with the truth, of which they lack as many of the last places as the pages have repetitions."""
    assert kept.keys() == of.keys()
    for key, ids in kept.items():
        assert ids == of[key][: len(ids)], key
        assert len(of[key]) - len(ids) <= PAGES - 1, key


def test_snapshots_are_the_lists_of_the_day_and_are_read_again_when_they_are_due(lists: Pipeline) -> None:
    emulator = emulator_of(lists)
    result = read(lists)
    read_as(stored(lists), truth(emulator.service))
    assert failed_checks(result) == set()
    assert {key[2] for key in stored(lists) if key[0] == "movie" and key[1] == "popular"} == set(REGIONS)
    assert rows(lists, "select sum(repeated) > 0, min(rank), count(distinct title_id) > 100 from catalog.list_days "
                       "join catalog.list_snapshots using (media_type, list, region, day)"
    ) == [(True, 1, True)]  # fmt: skip
    assert rows(lists, "select list, first_release - day, last_release - day from catalog.list_days "
                       "where region = 'US' and first_release is not null order by 1") == [
        ("now_playing", -35, 7), ("upcoming", 7, 28)]  # fmt: skip
    assert rows(lists, "select endpoint, status, sum(calls)::int from pipeline.api_calls group by 1, 2") == [
        ("lists", "200", sum(sum(calls.values()) for calls in emulator.requests.values()))
    ]

    emulator.reset_counts()
    assert figures_of(read(lists), "tmdb_lists")["lists_read"] == 0
    assert emulator.requests == {}
    assert figures_of(read(lists, 18), "tmdb_lists")["lists_read"] == 4
    assert {*emulator.requests} == {"trending", "tv_trending"}

    lists.day = emulator.today = DAY + timedelta(days=1)
    result = read(lists, 0)
    of_day = {key: ids for key, ids in truth(emulator.service).items() if key[1] != "top_rated"}
    read_as(stored(lists), of_day)
    assert failed_checks(result) == set()
    moved = figures(result, "lists_change_as_usual")
    assert moved["compared"] >= 6
    assert all(0 < row["share that left"] < 1 for row in moved["changes"] if row["list"].startswith("trending"))
    assert figures(result, "every_list_is_fresh")["lists"] == len(WANTED)

    lists.day = emulator.today = DAY + timedelta(days=4)  # a Monday
    read(lists)
    assert ("movie", "top_rated", "GB") in stored(lists)
    emulator.reset_counts()
    lists.day -= timedelta(days=3)
    assert figures_of(read(lists, 23), "tmdb_lists")["lists_read"] == 0, "a run as of an earlier time reads nothing"


def test_applications_read_a_list_by_name_country_and_day(lists: Pipeline) -> None:
    read(lists)
    old = "insert into catalog.list_days select 'movie', 'popular', 'US', '{0}', '{0}', 0, null, null, 0, 0, 1, 0, 0"
    lists.do(old.format(DAY - timedelta(days=179)))
    lists.do(old.format(DAY - timedelta(days=180)))
    lists.run("read_the_day", assets=["tmdb_export", "movie_ids", "series_export", "series_ids"])
    assert lists.one("select min(day) from catalog.list_days") == DAY - timedelta(days=179)
    read(lists)
    ((name,),) = rows(lists, "select string_agg(distinct list_region, ' ') from catalog.list('popular')")
    assert name == "US", "the first country of the settings"
    for (media, of, region), ids in stored(lists).items():
        sql = f"select title_id from catalog.list('{of}', nullif('{region.lower()}', ''), null, '{media}')"
        assert [row[0] for row in rows(lists, sql)] == ids
    assert rows(lists, "select count(*) from catalog.list('trending_day', 'GB')") == [(PAGES * 20 - lists.one(
        "select repeated from catalog.list_days where list = 'trending_day' and media_type = 'movie'"),)]  # fmt: skip
    assert rows(lists, f"select * from catalog.list('popular', 'US', '{DAY - timedelta(days=1)}')") == []
    assert rows(lists, "select * from catalog.list('popular', 'FR')") == []
    assert lists.one("select count(*) from catalog.list('popular') where in_catalogue") == 0

    requested = rows(lists, "select title_id, keep, requested_by from pipeline.requested_titles")
    assert len(requested) == 50
    assert {row[1:] for row in requested} == {(False, "tmdb_lists")}
    best = rows(lists, "select title_id from catalog.list_snapshots group by 1 order by min(rank), 1 limit 50")
    assert {row[0] for row in requested} == {row[0] for row in best}
    assert figures_of(read(lists, 18), "tmdb_lists")["titles_requested"] == 0, "so many in 24 hours"

    movie = min(row[0] for row in requested)
    lists.do(f"insert into pipeline.requested_ids (tmdb_id, requested_by) values ({movie}, 'an application')")
    assert rows(lists, f"select keep, requested_by from pipeline.requested_titles where title_id = {movie}") == [
        (True, "an application")]  # fmt: skip


def test_a_list_that_cannot_be_read_keeps_its_snapshot_and_fails_no_other(
    lists: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten_waits(monkeypatch)
    read(lists)
    before = stored(lists)
    emulator = emulator_of(lists)
    lists.day = emulator.today = DAY + timedelta(days=1)
    chart: Callable[..., Any] = emulator.service.lists.chart

    def broken(name: str, *given: Any) -> Any:
        if name == "popular":
            raise RuntimeError("TMDB's popular list is out of order")
        return chart(name, *given)

    monkeypatch.setattr(emulator.service.lists, "chart", broken)
    result = read(lists, succeeds=False)
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "2 of 13 lists could not be read" in failure.step_failure_data.user_failure_data.description
    assert "movie popular GB" in failure.step_failure_data.user_failure_data.description
    assert {key for key in before if key[1] != "top_rated"} - stored(lists).keys() == {
        ("movie", "popular", "US"), ("movie", "popular", "GB")}  # fmt: skip
    monkeypatch.undo()
    assert figures_of(read(lists), "tmdb_lists")["lists_read"] == 2
    check = lists.check(dg.AssetCheckKey(dg.AssetKey("tmdb_lists"), "every_list_is_fresh"))
    assert failed_checks(check) == set()
    lists.day += timedelta(days=1)
    check = lists.check(dg.AssetCheckKey(dg.AssetKey("tmdb_lists"), "every_list_is_fresh"))
    (late,) = check.get_asset_check_evaluations()
    assert (late.passed, late.severity.value, late.metadata["too_old"].value) == (False, "WARN", 4)


def test_a_day_that_is_over_cannot_be_read(lists: Pipeline) -> None:
    result = lists.run("read_list_snapshots", as_of=f"{DAY + timedelta(days=1)}T00:05:00+00:00")
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "cannot be read any more" in failure.step_failure_data.user_failure_data.description
    assert lists.one("select count(*) from catalog.list_days") == 0


KIND = {(kind.media.name, kind.name): kind for kind in KINDS}


def changed(name: str, leavers: int, in_place: int = 0, titles: int = 60, days: int = 1) -> ListChange:
    as_of = DAY + timedelta(days=days)
    return ListChange("movie", name, "", as_of, as_of, titles, DAY, titles, leavers, in_place)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (changed("popular", 20), None),
        (changed("popular", 21), "movie popular lost 35% of its titles, at most 34% are usual"),
        (changed("popular", 40, days=5), None),
        (changed("top_rated", 9), "movie top_rated lost 15% of its titles, at most 13% are usual"),
        (changed("trending_day", 50), None),
        (changed("trending_day", 54), "movie trending_day lost 90% of its titles, at most 88% are usual"),
        (changed("trending_day", 0, in_place=60), f"movie trending_day is the same as on {DAY}"),
        (changed("trending_day", 0, in_place=58), None),
        (changed("top_rated", 0, in_place=60), None),
        (changed("popular", 19, titles=19), None),
    ],
)
def test_a_list_may_change_as_much_as_it_usually_does(change: ListChange, problem: str | None) -> None:
    wanted = [(replace(kind, has_regions=False), "") for kind in KIND.values()]
    problems = [each.problem for each in turnovers([change], wanted)]
    assert problems == ([problem] if change.titles >= 20 else [])


@pytest.mark.parametrize("regions", ["USA", "U5", "us,1"])
def test_a_region_that_is_no_country_is_refused(regions: str) -> None:
    with pytest.raises(SettingsError, match="MOVIE_ASSETS_REGIONS: regions are countries by two letters"):
        Settings.from_env({"MOVIE_ASSETS_REGIONS": regions})
    assert Settings.from_env({"MOVIE_ASSETS_REGIONS": "de, us de"}).regions == ("DE", "US")
