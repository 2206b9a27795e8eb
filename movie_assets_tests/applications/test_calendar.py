"""The calendar: every date of a response, and what becomes of a date that moves, is taken away or comes back."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from movie_assets_tests.applications.ics import events_of
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.series_runs import SeriesPipeline
from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film
from movie_assets_tests.tmdb.series_bodies import episode, season

Make = Callable[..., SmallPipeline]
PERIOD = "'2026-10-01', '2027-09-30'"
TITLE = "A Sea; a Ship, a \\Mast: “Öl” — 船と海 🚢" + " and more of the sea" * 4


def release(kind: int, day: str, **changes: str) -> dict[str, Any]:
    return {
        "certification": "",
        "type": kind,
        "release_date": f"{day}T00:00:00.000Z",
        "note": "",
        "iso_639_1": "",
        **changes,
    }


def dated(tmdb_id: int, **by_country: Sequence[dict[str, Any]]) -> dict[str, Any]:
    countries = [{"iso_3166_1": code, "release_dates": list(dates)} for code, dates in by_country.items()]
    return film(tmdb_id, title=f"Film\n{tmdb_id}", release_dates={"results": countries})


def test_a_date_that_moves_stays_the_same_event(small: Make) -> None:
    again = {"note": "Re-release"}
    german = [release(3, "2026-12-10", iso_639_1="de"), release(3, "2026-12-17", iso_639_1="fr")]
    pipeline = small(
        dated(64, US=[
            release(3, "2026-12-18", certification="PG"), release(4, "2027-02-01"),
            release(1, "2026-12-02", note="Telluride"),
            release(3, "2027-05-01", **again), release(3, "2027-07-01", **again), release(3, "2027-07-01", **again),
            release(7, "2027-07-01"), release(3, "someday"),
        ], CH=german),
        film(128),
    )  # fmt: skip
    pipeline.run_all("read_the_day", "fetch_details")
    first = events(pipeline, "us")
    assert [(day, summary, sequence, status) for _, day, summary, sequence, status in first] == [
        ("20261202", "Film\n64 (premiere, Telluride)", 0, "CONFIRMED"),
        ("20261218", "Film\n64 (theatrical, PG)", 0, "CONFIRMED"),
        ("20270201", "Film\n64 (digital)", 0, "CONFIRMED"),
        ("20270501", "Film\n64 (theatrical, Re-release)", 0, "CONFIRMED"),
        ("20270701", "Film\n64 (theatrical, Re-release)", 0, "CONFIRMED"),
    ]
    premiere, cinema, digital, may, july = (uid for uid, *_ in first)
    assert {premiere, cinema, digital, may, july}.isdisjoint(uid for uid, *_ in events(pipeline, "CH"))

    to(pipeline, dated(64, US=[
        release(3, "2026-12-25", certification="PG-13"), release(1, "2026-12-02", note="Telluride"),
        release(3, "2027-04-01", **again), release(3, "2027-05-01", **again), release(3, "2027-07-01", **again),
    ], CH=[german[0] | {"certification": "12"}, release(3, "2026-12-24", iso_639_1="fr")]))  # fmt: skip
    second = {uid: rest for uid, *rest in events(pipeline, "US")}
    assert second.keys() - {uid for uid, *_ in first} == {april for april in second if second[april][0] == "20270401"}
    assert {uid: rest for uid, rest in second.items() if rest[0] != "20270401"} == {
        premiere: ["20261202", "Film\n64 (premiere, Telluride)", 0, "CONFIRMED"],
        cinema: ["20261225", "Film\n64 (theatrical, PG-13)", 1, "CONFIRMED"],
        digital: ["20270201", "Film\n64 (digital)", 1, "CANCELLED"],
        may: ["20270501", "Film\n64 (theatrical, Re-release)", 0, "CONFIRMED"],
        july: ["20270701", "Film\n64 (theatrical, Re-release)", 0, "CONFIRMED"],
    }
    assert [(day, sequence) for _, day, _, sequence, _ in events(pipeline, "CH")] == [("20261210", 0), ("20261224", 1)]
    assert pipeline.column(f"select day::text from catalog.calendar('US', '{{4}}', {PERIOD})") == []

    to(pipeline, dated(64, US=[release(3, "2026-12-25", certification="PG-13"), release(4, "2027-03-01")]))
    third = {uid: (day, sequence, status) for uid, day, _, sequence, status in events(pipeline, "US")}
    assert third[digital] == ("20270301", 2, "CONFIRMED"), "it came back"
    assert third[cinema] == ("20261225", 1, "CONFIRMED")
    assert {third[uid][1:] for uid in (premiere, may, july)} == {(1, "CANCELLED")}
    assert {status for *_, status in events(pipeline, "CH")} == {"CANCELLED"}

    pipeline.turn_day()
    pipeline.world.withheld = {64}
    pipeline.world.changed[pipeline.day] = [64]
    pipeline.run_all("read_the_day", "fetch_details")
    assert events(pipeline, "US") == []
    cancelled = "128, 'US', 3, 1, '2026-10-10', 1, '', '2026-10-10 12:00+00'"
    pipeline.do(f"insert into catalog.cancelled_releases values ({cancelled})")
    pipeline.do("select pipeline.purge_expired('2027-03-08 12:00+00')")
    assert [status for *_, status in events(pipeline, "US")] == ["CANCELLED"]
    pipeline.do("select pipeline.purge_expired('2027-03-10 12:00+00')")
    assert events(pipeline, "US") == []


def to(pipeline: SmallPipeline, *films: dict[str, Any]) -> None:
    """Fetch films of another day."""
    pipeline.turn_day()
    pipeline.world.put(*films)
    pipeline.world.changed[pipeline.day] = [body["id"] for body in films]
    pipeline.run_all("read_the_day", "fetch_details")


def events(pipeline: SmallPipeline | SeriesPipeline, region: str) -> list[tuple[str, str, str, int, str]]:
    """Return the events of the period: UID, day, summary, sequence, status."""
    return [
        (event["UID"], event["DTSTART;VALUE=DATE"], event["SUMMARY"], int(event["SEQUENCE"]), event["STATUS"])
        for event in events_of(pipeline.one(f"select catalog.calendar_ics('{region}', null, {PERIOD})"))
    ]


def test_episodes_are_in_the_calendar_and_move(few: SeriesPipeline) -> None:
    def series(*days: str | None) -> list[dict[str, Any]]:
        return [season(1, [episode(1, n, air_date=day) for n, day in enumerate(days, 1) if day != "none"])]

    def fetched(*days: str | None) -> dict[str, list[object]]:
        few.put(64, series(*days))
        few.turn_day()
        few.read_the_day()
        few.fetch(force=True)
        return {uid[8:14]: [day[4:], *rest[1:]] for uid, day, *rest in events(few, "US")}

    assert fetched("2026-11-01", "2026-11-08", "2026-11-15", None) == {
        "101001": ["1101", 0, "CONFIRMED"], "101002": ["1108", 0, "CONFIRMED"], "101003": ["1115", 0, "CONFIRMED"],
    }  # fmt: skip
    first = (
        f"select (title, kind, season_number, episode_number)::text from catalog.calendar('US', null, {PERIOD}) limit 1"
    )
    assert few.one(first) == '("The Lamp Keepers",episode,1,1)'
    assert fetched("2026-11-01", "2026-11-09", None, "2026-11-22") == {
        "101001": ["1101", 0, "CONFIRMED"], "101002": ["1109", 1, "CONFIRMED"], "101003": ["1115", 1, "CANCELLED"],
        "101004": ["1122", 0, "CONFIRMED"],
    }  # fmt: skip
    assert fetched("none", "2026-11-09", "2026-11-16", "2026-11-22") == {
        "101001": ["1101", 1, "CANCELLED"], "101002": ["1109", 1, "CONFIRMED"], "101003": ["1116", 2, "CONFIRMED"],
        "101004": ["1122", 0, "CONFIRMED"],
    }  # fmt: skip
    assert fetched("2026-11-01", "2026-11-10", "2026-11-16", "2026-11-22") == {
        "101001": ["1101", 2, "CONFIRMED"], "101002": ["1110", 2, "CONFIRMED"], "101003": ["1116", 2, "CONFIRMED"],
        "101004": ["1122", 0, "CONFIRMED"],
    }  # fmt: skip
    movies = f"select count(*) from catalog.calendar('US', null, {PERIOD}, '{{movie}}')"
    assert few.one(movies) == 0
    few.do("delete from catalog.titles")
    assert few.one("select count(*) from catalog.moved_episodes") == 0


def test_texts_are_escaped_and_lines_folded(small: Make) -> None:
    pipeline = small()
    put_films(pipeline.database, 1, 1)
    pipeline.do(f"update catalog.titles set title = $t${TITLE}$t$ || E'\\r\\nnext\\u0007'")
    pipeline.do(
        "insert into catalog.release_dates select 1, 'US', k, n, date '2026-10-01' + n, 0, repeat('x,', n), 'en', null "
        "from generate_series(1, 6) k, generate_series(1, 40) n"
    )
    found = events(pipeline, "US")
    assert len(found) == 240
    assert [summary for _, _, summary, _, _ in found[:2]] == [
        f"{TITLE}\nnext ({kind}, x,, en)" for kind in ("premiere", "limited")
    ]
    for call, problem in (
        ("catalog.calendar('US', null, '2026-01-01', '2027-01-02')", "366"),
        ("catalog.calendar('US', null, '2026-01-01', '2026-01-02', '{tv}')", "movie and series"),
    ):
        with pytest.raises(sa.exc.DBAPIError, match=problem):
            pipeline.do(f"select * from {call}")
