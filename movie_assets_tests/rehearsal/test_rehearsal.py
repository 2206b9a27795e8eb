"""Thirty days of the rehearsal's world: on each the catalogue is the truth, at the fewest calls that it takes.

Profiles `quality` and `new_releases`. What happens is in `storylines`, what is allowed in docs/reliability.md.
"""

import tomllib
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa

import movie_assets
from movie_assets_tests.chaos.truth import compared, state_of
from movie_assets_tests.rehearsal import rules
from movie_assets_tests.rehearsal.comparison import Comparison, Differences
from movie_assets_tests.rehearsal.report import markdown
from movie_assets_tests.rehearsal.run import FIRST, JOBS, Day, Rehearsal, rehearsal
from movie_assets_tests.rehearsal.series import FIRST_AIRED_SINCE, MIN_AVERAGE, MIN_VOTES, total
from movie_assets_tests.rehearsal.storylines import LOSS_DAY, REQUESTS
from movie_assets_tests.rehearsal.world import RehearsalWorld

IDS = 300
FEW_IDS, SERIES, DAYS_WITH_SERIES = 130, 40, 4
DAYS = 30
SEED = 1
DERIVED = ("documents", "vocabulary", "vectors", "similar", "movies", "genres", "cast", "crew", "keywords")
HARM = (  # SQL for one movie, and what the comparison has to count
    ("delete from catalog.movies where tmdb_id = {id}", "missing"),
    ("update catalog.movies set runtime_minutes = null where tmdb_id = {id}", "wrong"),
    ("delete from catalog.movie_cast where tmdb_id = {id} and billing = 0", "wrong"),
    ("update catalog.people set name = 'X' where person_id = {person}", "wrong"),
    ("update catalog.movie_stats set vote_count = vote_count + 1 where tmdb_id = {id}", "wrong"),
    ("update catalog.movie_stats_history set popularity = popularity + 1 where tmdb_id = {id}", "wrong"),
    ("delete from catalog.movie_names where tmdb_id = {id} and kind = 'title'", "wrong"),
    ("delete from catalog.search_documents where tmdb_id = {id}", "wrong"),
    ("update catalog.rating_aggregates set score_low = score_low - 0.001 where key = '{id}'", "wrong"),
    ("update {vectors} v set embedding = o.embedding from {vectors} o where v.title_id={id} and o.title_id={other}",
     "wrong"),
    ("update pipeline.movie_ids set detail_reason = 'vote_count' where tmdb_id = {id}", "states"),
    ("update pipeline.requested_ids set served_at = null where tmdb_id = 990000001", "requests"),
)  # fmt: skip

HARM_TO_SERIES = (
    ("delete from catalog.titles where title_id = {series}", "missing"),
    ("update catalog.broadcasts set next_episode_id = 1 where title_id = {series}", "wrong"),
    ("update catalog.seasons set episode_count = 0 where title_id = {series}", "wrong"),
    ("update catalog.episodes set season_number = season_number + 1 where title_id = {series}", "wrong"),
    ("delete from catalog.title_documents where title_id = {series}", "wrong"),
)


def test_thirty_days(server: str, template: str, subtests: pytest.Subtests) -> None:
    """One test, as every part of it needs the thirty days."""
    with rehearsal(server, template, IDS, SEED) as lived:
        days = list(lived.days(DAYS))
        with subtests.test("no job fails"):
            assert [(day.number, day.failed_jobs) for day in days if day.failed_jobs] == []
            assert len(days) == DAYS
        with subtests.test("the catalogue is the truth of each day"):
            assert {str(day.day): day.differences.examples for day in days if not day.differences.are_none} == {}
            assert min(day.expected for day in days) > 80
        with subtests.test("each day takes the fewest calls"):
            assert {str(day.day): day.needless for day in days if day.needless} == {}
            assert {str(day.day): day.not_asked for day in days if day.not_asked} == {}
            needed = sum(day.needed for day in days)
            assert 300 < needed <= sum(day.calls for day in days) <= needed + len(REQUESTS)
        with subtests.test("movies came and went in every way"):
            _movies_came_and_went(lived)
        with subtests.test("every request has an outcome"):
            assert lived.pipeline.one("select count(*) from pipeline.requested_ids where outcome is not null") == len(
                REQUESTS
            )
        with subtests.test("the report has a row for each day"):
            _the_report_is_whole(days)
        with subtests.test("what no movie names any more is deleted by clean_up"):
            assert _differences_after(lived, "select 1").leftovers > 0
            assert lived.pipeline.run("clean_up").success
            assert _differences_after(lived, "select 1").leftovers == 0
        for harm, kind in HARM:
            with subtests.test("harm is noticed", harm=harm):
                assert getattr(_differences_after(lived, harm), kind) > 0
        with subtests.test("the end is what a new catalogue would be"):
            _the_end_is_a_new_catalogue(lived, server, template)


def _movies_came_and_went(lived: Rehearsal) -> None:
    with lived.pipeline.database.transaction() as connection:
        rows = connection.exec_driver_sql("select state_before, state, reason from pipeline.id_history").all()
    assert {("candidate", "accepted"), ("rejected", "accepted"), ("accepted", "gone")} <= {row[:2] for row in rows}
    assert {
        "adult", "video", "softcore", "popularity", "vote_count", "vote_average", "release_date", "runtime", "language",
    } <= {row[2] for row in rows if row[:2] == ("accepted", "rejected")}  # fmt: skip


def _the_report_is_whole(days: list[Day]) -> None:
    run = {"ids": IDS, "seed": SEED, "seconds": 1.0, "cores": 2, "on": "today", "commit": "a"}
    report = markdown(days, run)
    assert sum(line.startswith("| 2026-") for line in report.splitlines()) == DAYS
    assert "the export lacks 9 % of its ids" in report


def _differences_after(lived: Rehearsal, harm: str) -> Differences:
    """Compare with a damage that is rolled back afterwards."""
    (tmdb_id,) = lived.world.ids_of("released soon, for quality")
    person = lived.pipeline.one(f"select min(person_id) from catalog.movie_cast where tmdb_id = {tmdb_id}")
    set_id = lived.pipeline.one("select set_id from catalog.embedding_sets where is_active")
    other = lived.world.ids_of("merged")[1]
    harm = harm.format(id=tmdb_id, other=other, person=person, vectors=f"catalog.title_vectors_{set_id}")
    with lived.pipeline.database.transaction() as connection:
        before = connection.begin_nested()
        assert connection.execute(sa.text(harm)).rowcount > 0
        found = Comparison(connection, lived.truth).of_everything()
        before.rollback()
    return found


def _the_end_is_a_new_catalogue(lived: Rehearsal, server: str, template: str) -> None:
    """Rows that are kept up from day to day are those of a catalogue that is built on the last day."""
    kept = [
        r.kind for r in REQUESTS if r.keep and r.kind and r.kind not in ("request: never listed", "request: deleted")
    ]
    with rehearsal(server, template, IDS, SEED) as other:
        pipeline, last = other.pipeline, lived.pipeline.day
        pipeline.day = other.emulator.today = last
        for kind in kept:
            (tmdb_id,) = other.world.ids_of(kind)
            pipeline.do(
                f"insert into pipeline.requested_ids (tmdb_id, requested_at) values ({tmdb_id}, '{last} 06:00+00')"
            )
        assert all(pipeline.run(job).success for job in JOBS)
        truth = state_of(pipeline.database)
    found = state_of(lived.pipeline.database)
    compared_rows = compared({name: found[name] for name in DERIVED}, {name: truth[name] for name in DERIVED})
    assert compared_rows.is_true, compared_rows.for_example


def test_days_with_series(server: str, template: str, subtests: pytest.Subtests) -> None:
    with rehearsal(server, template, FEW_IDS, SEED, series=SERIES, everything=True) as lived:
        days = list(lived.days(DAYS_WITH_SERIES))
        of_series = [day.series for day in days if day.series]
        with subtests.test("movies, series, episodes, lists, offers and events are those of each day"):
            assert {str(day.day): day.failed_jobs + day.examples for day in days if not day.is_right} == {}
            assert len(of_series) == DAYS_WITH_SERIES
            assert min(each.expected for each in of_series) > 10
        with subtests.test("episodes came, for few calls"):
            sums = total(of_series[1:])
            assert sums["added"] > 5
            assert 0 < sums["needed"] <= sums["calls"] < 4 * sums["needed"], sums
        with subtests.test("lists and images take the fewest calls"):
            of_applications = [day.applications for day in days if day.applications]
            assert [day.calls for day in of_applications] == [day.needed for day in of_applications]
            assert [day.image_calls for day in of_applications] == [day.images_needed for day in of_applications]
            assert min(day.images for day in of_applications) > 100
            assert min(day.listed for day in of_applications) > 300
            assert sum(day.events for day in of_applications) > 50
        with subtests.test("the report has three rows for each day"):
            run = {"ids": FEW_IDS, "seed": SEED, "seconds": 1.0, "cores": 2, "on": "today", "commit": "a"}
            assert sum(line.startswith("| 2026-") for line in markdown(days, run).splitlines()) == 3 * len(days)
        series = lived.pipeline.one("select min(title_id) from catalog.episodes")
        for harm, kind in HARM_TO_SERIES:
            with subtests.test("harm is noticed", harm=harm), lived.pipeline.database.transaction() as connection:
                before = connection.begin_nested()
                assert connection.exec_driver_sql(harm.format(series=series)).rowcount > 0
                assert lived.truth_of_series is not None
                assert getattr(lived.truth_of_series.compare(connection), kind) > 0
                before.rollback()


def test_the_rules_are_those_of_the_profiles() -> None:
    """The truth has the profiles' values written out; whoever changes a profile changes them there, too."""
    profiles = tomllib.loads(
        (Path(movie_assets.__file__).parent / "config" / "profiles.toml").read_text(encoding="utf-8")
    )
    common = {"min_popularity": 1.0, "min_vote_average": 5.0, "min_runtime": 60, "max_runtime": 240}
    assert profiles["new_releases"] == common | {"min_vote_count": 10, "released_within_days": 365}
    quality = profiles["quality"]
    assert set(quality.pop("languages")) == rules.LANGUAGES
    assert quality == common | {"min_vote_count": 100, "released_since": date(1990, 1, 1)}
    assert (rules.MIN_POPULARITY, rules.LISTED_VOTES) == (1.0, 10)
    series = profiles["series"]
    assert set(series.pop("languages")) == rules.LANGUAGES
    assert series == {
        "media": "series", "min_popularity": 1.0, "min_vote_count": MIN_VOTES, "min_vote_average": MIN_AVERAGE,
        "released_since": FIRST_AIRED_SINCE,
    }  # fmt: skip


def test_the_feed_names_edits_and_no_votes() -> None:
    world = RehearsalWorld(IDS, SEED, FIRST)
    (edited,), voted = world.ids_of("edited: title"), world.ids_of("votes rise to quality")
    named = {n: {change.tmdb_id for change in world.changes(FIRST + timedelta(days=n))} for n in range(1, DAYS)}
    assert edited in named[2]
    now, before = (world.movies(FIRST + timedelta(days=n)) for n in (9, 8))
    assert all(now[tmdb_id].vote_count > before[tmdb_id].vote_count for tmdb_id in voted)
    assert not named[9] & set(voted) - {i for i in voted if now[i].keywords != before[i].keywords}


def test_the_export_loses_nine_percent_once() -> None:
    world = RehearsalWorld(IDS, SEED, FIRST)
    sizes = [len(world.listed(FIRST + timedelta(days=number))) for number in range(DAYS)]
    shares = [1 - now / before for before, now in pairwise(sizes)]
    assert 0.09 < shares[LOSS_DAY - 1] < 0.1
    assert max(share for number, share in enumerate(shares, 1) if number != LOSS_DAY) < 0.015
