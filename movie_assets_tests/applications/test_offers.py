"""Offers over time: intervals that begin at the first sight, end with the second miss, and survive failures."""

from collections.abc import Callable
from typing import Any

from movie_assets_tests.applications.test_calendar import to
from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]
NAMES = {8: "Netflix", 9: "Amazon Prime Video", 119: "Amazon Prime Video"}
DAYS = "concat_ws(' ', provider_id, {came}, {last_seen}, {left})".format(
    **{name: f"coalesce(to_char(\"{name}\", 'DD'), '-')" for name in ("came", "last_seen", "left")}
)


def offered(tmdb_id: int, *us: int, **others: int) -> dict[str, Any]:
    """A film with subscriptions of these providers in the United States, and of one in other countries."""
    entries = {"US": us, **{country: (provider,) for country, provider in others.items()}}
    results = {
        country: {"link": "", "flatrate": [{"provider_id": n, "provider_name": NAMES[n]} for n in ids]}
        for country, ids in entries.items()
    }
    return film(tmdb_id, **{"watch/providers": {"results": results}})


def intervals(pipeline: SmallPipeline, country: str = "US") -> list[str]:
    where = f"where country = '{country}' and title_id = 64 order by provider_id, first_seen"
    return pipeline.column(f"select {DAYS} from catalog.offers {where}")


def test_an_offer_ends_with_the_second_miss_in_a_row(small: Make) -> None:
    pipeline = small(offered(64, 8, GB=119), film(128))
    pipeline.run_all("read_the_day", "fetch_details")  # on the 5th
    assert intervals(pipeline) == ["8 - 05 -"]
    to(pipeline, offered(64, 9))  # 8 is missed for the first time
    assert intervals(pipeline) == ["8 - 05 -", "9 06 06 -"]
    to(pipeline, offered(64, 8, 9))  # it flapped
    assert intervals(pipeline) == ["8 - 07 -", "9 06 07 -"]
    to(pipeline, offered(64, 9))
    pipeline.turn_day()
    pipeline.world.responses[64] = b"[]"  # no response is no miss
    pipeline.world.changed[pipeline.day] = [64]
    pipeline.run_all("read_the_day")
    pipeline.run("fetch_details")
    pipeline.world.responses.clear()
    to(pipeline, film(64))  # nor is one without offers
    assert intervals(pipeline)[0] == "8 - 07 -"
    to(pipeline, offered(64, 9))  # the second miss, and nothing else of the title changed
    assert intervals(pipeline) == ["8 - 07 08", "9 06 11 -"]
    to(pipeline, offered(64, 8, 9))
    assert intervals(pipeline) == ["8 - 07 08", "8 12 12 -", "9 06 12 -"]
    came = "select to_char(came, 'DD') || ' ' || provider || ' ' || is_there from catalog.offers_that_came('us', '{}')"
    assert pipeline.column(came.format("2026-10-01")) == ["06 Amazon Prime Video true", "12 Netflix true"]
    assert pipeline.column(came.format("2026-10-12")) == ["12 Netflix true"]
    left = "select to_char(\"left\", 'DD') || ' ' || provider from catalog.offers_that_left('US', '{}')"
    assert pipeline.column(left.format("2026-10-08")) == ["08 Netflix"]
    assert pipeline.column(left.format("2026-10-09")) == []
    pipeline.do("select pipeline.purge_expired('2027-03-08 12:00+00')")
    assert intervals(pipeline)[0] == "8 12 12 -"


def test_only_the_regions_of_the_settings_are_observed(small: Make) -> None:
    pipeline = small(offered(64, 8, GB=119, DE=8))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.with_settings(regions=("GB", "US"))
    to(pipeline, offered(64, 8, 9, GB=119))
    assert intervals(pipeline, "GB") == ["119 - 06 -"], "a first observation is no arrival"
    assert intervals(pipeline) == ["8 - 06 -", "9 06 06 -"]
    pipeline.with_settings(regions=("GB",))
    to(pipeline, offered(64, 8, GB=119))
    assert intervals(pipeline) == [], "nobody looks any more"
    assert intervals(pipeline, "DE") == []
    pipeline.turn_day()
    pipeline.world.withheld = {64}
    pipeline.world.changed[pipeline.day] = [64]
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.one("select count(*) from catalog.offer_intervals") == 0
