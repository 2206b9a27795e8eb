"""Real answers of TMDB through the pipeline, where they are at hand; not a word of them is part of this project.

What each kind of oddity has to become is written out here, by the names under which the answers were collected.
"""

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from movie_assets.tmdb.export_lines import ExportCounts, read_lines
from movie_assets.tmdb.lists import _listed_movie, changed_ids
from movie_assets_tests.catalog.test_odd_cases import ALL_BATCHES, asks_for_nothing, held, states_of
from movie_assets_tests.conftest import database_of_ones_own
from movie_assets_tests.support.small_pipelines import FIRST_DAY, SmallPipeline, small_pipelines
from movie_assets_tests.support.world import film
from movie_assets_tests.tmdb.tmdb_calls import made_up

REAL = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason=f"there are no real answers at {REAL}")

# Under a profile that asks for nothing, each film but these is in the catalogue.
NEVER_WANTED = {"video_true": "video", "softcore_true": "softcore"}
# What an accepted film then holds, as an expression over catalog.movies m and catalog.movie_stats s.
HOLDS = {
    "unrated": "s.vote_count = 0 and s.vote_average = 0",
    "one_vote_ten": "s.vote_count < 10 and s.vote_average > 9",
    "title_ne_original": "m.title <> m.original_title",
    "no_genres": "m.genres = '{}'",
    "poster_null": "m.poster_path is null",
    "overview_empty": "m.overview is null",
    "overview_null": "m.overview is null",
    "overview_tiny": "coalesce(length(m.overview), 0) <= 30",  # of blanks only, it is none
    "overview_near_1000_chars": "length(m.overview) between 900 and 1000",
    "release_date_empty": "m.release_date is null and m.release_year is null",
    "release_date_null": "m.release_date is null and m.release_year is null",
    "runtime_0": "m.runtime_minutes is null",
    "runtime_null": "m.runtime_minutes is null",
    "rtl": "m.original_title ~ '[\u0590-\u08ff]'",
    "budget_tiny": "m.budget between 1 and 1000",
    "imdb_id_null": "m.imdb_id is null",
    "cr_in_overview": "m.overview !~ '\r\n' and length(m.overview) > 0",
    "untrimmed": r"not exists (select from unnest(array[m.title, m.overview]) as t (x) where x ~ '^\s|\s$')",
    "status_rumored": "m.status = 'Rumored'",
    "status_post_production": "m.status = 'Post Production'",
    "revenue_gt_int32": "m.revenue > 2147483647",
}
# Under `quality`, these cannot be accepted; which rule tells first is in the table of odd cases.
NEVER_ACCEPTED = {
    "unrated", "one_vote_ten", "release_date_empty", "release_date_null", "runtime_0", "runtime_null", *NEVER_WANTED,
}  # fmt: skip
REASONS = {"video", "softcore", "vote_count", "vote_average", "release_date", "runtime", "language"}


def records(name: str) -> list[Any]:
    if not (REAL / name).is_file():
        return []
    with gzip.open(REAL / name) as lines:
        return [json.loads(line) for line in lines]


ODD = dict(enumerate(records("odd_cases.jsonl.gz"), start=1))  # some films are there twice, so the ids are ours
RECORDED = records("recorded_api.jsonl.gz")


def detail_bodies() -> list[Any]:
    """The recorded details of films, whatever parts were appended."""
    asked = re.compile(r"/3/movie/(\d+|tt\d+|latest)")
    responses = [r["body"] for r in RECORDED if asked.fullmatch(r["path"]) and r["status"] == 200]
    return [*records("movie_details_2017.jsonl.gz"), *responses]


def lists_at(path: str) -> list[Any]:
    return [r["body"] for r in RECORDED if re.fullmatch(path, r["path"]) and r["status"] == 200]


def derived(pipeline: SmallPipeline, bodies: Mapping[int, dict[str, Any]]) -> SmallPipeline:
    """Have the pipeline fetch these answers, each under an id of ours."""
    pipeline.world.put(*(film(number) for number in bodies))
    pipeline.world.responses = {number: json.dumps(body | {"id": number}).encode() for number, body in bodies.items()}
    pipeline.run_all("read_the_day")
    assert pipeline.run("fetch_details", batches=ALL_BATCHES).success
    return pipeline


@pytest.fixture(scope="module")
def quality(server: str, template: str) -> Iterator[SmallPipeline]:
    """The odd cases under the profile `quality`."""
    with database_of_ones_own(server, template) as database, small_pipelines(database) as small:
        yield derived(small(), {number: case["movie"] for number, case in ODD.items()})


@pytest.fixture(scope="module")
def anything(server: str, template: str) -> Iterator[SmallPipeline]:
    """The odd cases under a profile that asks for nothing."""
    with database_of_ones_own(server, template) as database, small_pipelines(database) as small:
        pipeline = small()
        asks_for_nothing(pipeline)
        yield derived(pipeline, {number: case["movie"] for number, case in ODD.items()})


def test_every_kind_of_oddity_is_written_out_here() -> None:
    assert {reason for case in ODD.values() for reason in case["reasons"]} == HOLDS.keys() | NEVER_WANTED.keys()


@pytest.mark.parametrize("number", ODD, ids=lambda number: "+".join(ODD[number]["reasons"]))
def test_an_odd_case_ends_in_the_state_it_should(quality: SmallPipeline, number: int) -> None:
    state, reason = quality.state_of(number)
    reasons = set(ODD[number]["reasons"])
    for kind in NEVER_WANTED.keys() & reasons:
        assert (state, reason) == ("rejected", NEVER_WANTED[kind])
    if not reasons & NEVER_WANTED.keys() and reasons & {"unrated", "one_vote_ten"}:
        assert (state, reason) == ("rejected", "vote_count")
    assert state == "rejected" or not reasons & NEVER_ACCEPTED
    assert (state, reason) == ("accepted", None) or reason in REASONS


@pytest.mark.parametrize("number", ODD, ids=lambda number: "+".join(ODD[number]["reasons"]))
def test_an_odd_case_holds_what_it_should_once_it_is_let_in(anything: SmallPipeline, number: int) -> None:
    reasons = ODD[number]["reasons"]
    never = [NEVER_WANTED[reason] for reason in reasons if reason in NEVER_WANTED]
    assert anything.state_of(number) == (("rejected", never[0]) if never else ("accepted", None))
    if not never:
        wanted = {f"({HOLDS[reason]})": True for reason in reasons}
        assert held(anything, number, wanted) == wanted


def test_every_recorded_film_is_accepted_by_a_profile_that_asks_for_nothing(server: str, template: str) -> None:
    bodies = dict(enumerate(detail_bodies(), start=1))
    assert len(bodies) > 2_400
    with database_of_ones_own(server, template) as database, small_pipelines(database) as small:
        pipeline = small()
        asks_for_nothing(pipeline)
        states = states_of(derived(pipeline, bodies))
        assert pipeline.column("select distinct reason from pipeline.rejects") == []
    flagged = {n: ("rejected", flag) for n, b in bodies.items() for flag in ("video", "adult") if b.get(flag)}
    assert states == {number: flagged.get(number, ("accepted", None)) for number in bodies}


def test_every_recorded_line_of_an_export_is_read() -> None:
    with gzip.open(REAL / "movie_ids_2025-11.jsonl.gz") as file:
        sent = file.readlines()
    counts = ExportCounts()
    read = list(read_lines(sent, counts))
    assert (len(read), counts.rejected) == (len(sent), 0)
    assert [(line.tmdb_id, line.popularity) for line in read] == [
        (entry["id"], entry["popularity"]) for entry in map(json.loads, sent)
    ]


@pytest.mark.parametrize("body", lists_at("/3/movie/changes"))
def test_a_recorded_change_feed_is_read(body: dict[str, Any]) -> None:
    page = body | {"total_pages": 1}
    ids = made_up(lambda _: httpx.Response(200, json=page), lambda client: changed_ids(client, FIRST_DAY))
    assert ids == list(dict.fromkeys(entry["id"] for entry in body["results"]))
    assert ids


@pytest.mark.parametrize("body", lists_at("/3/discover/movie|/3/movie/(popular|now_playing|upcoming|top_rated)"))
def test_a_recorded_list_is_read(body: dict[str, Any]) -> None:
    movies = [_listed_movie(entry) for entry in body["results"]]
    assert [(f.tmdb_id, f.vote_count, f.vote_average, f.original_language) for f in movies if f] == [
        (e["id"], e["vote_count"], e["vote_average"], e["original_language"]) for e in body["results"]
    ]
    assert [str(f.release_date or "") for f in movies if f] == [e.get("release_date") or "" for e in body["results"]]
