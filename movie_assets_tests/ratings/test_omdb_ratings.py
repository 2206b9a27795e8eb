"""Ratings from OMDb: what is stored of a response, within which calls, and what is asked again."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from movie_assets.config.settings import Settings
from movie_assets.emulator.faults import FAULTS, Fault
from movie_assets.emulator.imdb import average_of
from movie_assets.emulator.moving_series import MovingSeries
from movie_assets.emulator.responses import ServedResponse, json_response
from movie_assets.orchestration.startup import pointed_at
from movie_assets.ratings.omdb_responses import OmdbRating, UnusableOmdbResponseError, read_title
from movie_assets_tests.conftest import database_of_ones_own, failed_checks, figures, figures_of
from movie_assets_tests.ratings.loads import failure_of, imdb_file
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import FIRST_DAY, SmallPipeline, small_pipelines
from movie_assets_tests.support.world import film
from movie_assets_tests.tmdb.tmdb_calls import shorten_waits

KEY = "9f8e7d6c-secret"
FILM = "tt3896198"
SERIES = 1_000_000_000
STORED = """
select concat(title_id, ' ', source, ' ', raw_value, ' ', votes) from catalog.omdb_ratings order by title_id, source
"""
SCORE = """
select concat(source_scores #>> '{imdb,votes}', ' ', source_scores) from catalog.title_scores where title_id =
"""
AGES = "select title_id from pipeline.omdb_titles where asked_at < '2026-10-05 12:00+00' order by 1"
DIFFERING = """
select count(*) from pipeline.reconcile('film-v1') a where a.rows_differing > 0 and a.agreement like '%%has its score%%'
"""
OF_TESTS = {
    "key": json_response({"Response": "False", "Error": "Invalid API key!"}, 401),
    "404": ServedResponse(404),
    "cut": ServedResponse(200, b"{" * 1000, delivery="cut"),
}


def response(**changes: Any) -> dict[str, Any]:
    """Return OMDb's response about a film, as it was recorded, without what has nothing to do with ratings."""
    return {
        "Title": "Guardians of the Galaxy: Vol. 2",
        "Ratings": [
            {"Source": "Internet Movie Database", "Value": "7.6/10"},
            {"Source": "Rotten Tomatoes", "Value": "85%"},
            {"Source": "Metacritic", "Value": "67/100"},
        ],
        "Metascore": "67", "imdbRating": "7.6", "imdbVotes": "828,114", "imdbID": FILM, "Type": "movie",
        "Response": "True",
    } | changes  # fmt: skip


def always(response: ServedResponse) -> Callable[[object, object], ServedResponse]:
    return lambda _, __: response


def of(source: str, value: object) -> list[dict[str, object]]:
    return [{"Source": source, "Value": value}]


def test_a_recorded_response_has_three_ratings() -> None:
    title = read_title(response(), FILM)
    assert title.ratings == [
        OmdbRating("imdb", 1, 10, 7.6, 828_114),
        OmdbRating("rotten_tomatoes", 0, 100, 85, None),
        OmdbRating("metacritic", 0, 100, 67, None),
    ]
    assert (title.rejected, title.outcome) == ([], "rated")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        *(({"Ratings": of("Rotten Tomatoes", value)}, "bad_value")
          for value in ("101%", "85", "85 %", "-5%", "8.5%", "\uff185%", "", None, 85, "85%\n")),
        *(({"Ratings": of("Metacritic", value)}, "bad_value") for value in ("101/100", "7/10", "67/100/100")),
        *(({"Ratings": of("Internet Movie Database", value)}, "bad_value")
          for value in ("0.9/10", "10.1/10", "7,4/10", "7.44/10", "nan/10", "7.4")),
        *(({"Ratings": of("Internet Movie Database", "7.4/10"), "imdbVotes": votes}, "bad_votes")
          for votes in ("0", "1,23", "12,3456", "1.234", "-5", "many", 828114, "1,234,567,890,123")),
        ({"Ratings": of("Metacritic", "67/100") * 2}, "repeated_source"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_right_is_rejected(changes: dict[str, Any], reason: str) -> None:
    title = read_title(response(**changes), FILM)
    assert ([value.reason for value in title.rejected], title.ratings) == ([reason], [])


@pytest.mark.parametrize(
    ("changes", "stored"),
    [
        ({"Ratings": []}, []),
        ({"Ratings": of("Metacritic", "N/A")}, []),
        ({"Ratings": [*of("Letterboxd", "soon"), *of("Metacritic", "0/100"), "x"]}, [("metacritic", 0, None)]),
        ({"Ratings": of("Internet Movie Database", "10/10"), "imdbVotes": "N/A"}, [("imdb", 10, None)]),
        ({"Ratings": of("Internet Movie Database", "7.4/10"), "imdbVotes": "12,345,678"}, [("imdb", 7.4, 12_345_678)]),
        ({"Ratings": of("Internet Movie Database", "7.4/10"), "imdbVotes": "8"}, [("imdb", 7.4, 8)]),
    ],
)
def test_what_omdb_does_not_have_is_no_bad_value(changes: dict[str, Any], stored: list[Any]) -> None:
    title = read_title(response(**changes), FILM)
    assert [(rating.source, rating.raw_value, rating.votes) for rating in title.ratings] == stored
    assert (title.rejected, title.outcome) == ([], "rated" if stored else "unrated")


@pytest.mark.parametrize(
    "body",
    [None, [], "no", {}, response(imdbID="tt0000001"), response(Ratings=None), response(Response="False"),
     {"Response": "False", "Error": "Error getting data."}],
)  # fmt: skip
def test_a_response_that_is_not_about_the_title_is_unusable(body: object) -> None:
    with pytest.raises(UnusableOmdbResponseError):
        read_title(body, FILM)


@pytest.mark.parametrize("error", ["Incorrect IMDb ID.", "Movie not found!", "Series not found!"])
def test_a_title_that_omdb_does_not_know_is_not_found(error: str) -> None:
    assert read_title({"Response": "False", "Error": error}, FILM).outcome == "not_found"


class Catalogue(NamedTuple):
    """Films 1 to 9 of the emulator's world, of which the last has the most votes, a series, and one that OMDb lacks."""

    pipeline: SmallPipeline
    series: int
    truth: list[str]

    def read(self, days: int = 0, **settings: Any) -> Any:
        """Read ratings some days later; the settings have a key."""
        self.pipeline.turn_day(days)
        self.pipeline.serving.reset_counts()
        self.with_settings(**settings)
        return self.pipeline.run("read_ratings", assets=["omdb_ratings"])

    def with_settings(self, **settings: Any) -> None:
        on = {"omdb_api_key": KEY, "omdb_url": self.pipeline.serving.omdb_url, "media": "movies series"}
        self.pipeline.with_settings(**on | settings)

    @property
    def requests(self) -> dict[int, int]:
        """The requests of the last reading by status."""
        return self.pipeline.serving.requests.get("omdb", {})

    @property
    def asked(self) -> list[int]:
        return self.pipeline.column("select title_id from pipeline.omdb_titles order by 1")

    @property
    def stored(self) -> list[str]:
        return self.pipeline.column(STORED)


@pytest.fixture(scope="module")
def made(server: str, template: str) -> Iterator[Catalogue]:
    shows = MovingSeries(20, 3)
    show = next(s for i in shows.ids(FIRST_DAY) if (s := shows.series(i, FIRST_DAY)) and s.imdb_id and s.vote_count > 5)
    with database_of_ones_own(server, template) as database, small_pipelines(database, series=shows) as make:
        films = [film(n, imdb_id=f"tt{n:07}", vote_count=100 * n, vote_average=5 + n / 2) for n in range(1, 10)]
        pipeline = make(*films)
        for first, last in ((1, 10), (SERIES + show.tmdb_id,) * 2):
            put_films(database, first, last)
        pipeline.do("update catalog.titles set imdb_id = 'tt' || lpad(title_id::text, 7, '0') where title_id < 11")
        pipeline.do(f"update catalog.titles set imdb_id = '{show.imdb_id}' where title_id > {SERIES}")
        pipeline.do("update catalog.title_stats set vote_count = 100 * title_id where title_id < 10")
        pipeline.do("update catalog.title_stats set vote_count = 1 where title_id >= 10")
        truth = [
            f"{n} {rating}" for n in range(1, 10) for rating in (
                f"imdb {round(average_of(n, 5 + n / 2), 1):g} {1200 * n}", f"metacritic {round(9.5 * (5 + n / 2))} ",
                f"rotten_tomatoes {min(100, round(12 * (5 + n / 2)))} ",
            )
        ]  # fmt: skip
        average = average_of(show.tmdb_id, show.vote_average)
        key = SERIES + show.tmdb_id
        yield Catalogue(pipeline, key, [*truth, f"{key} imdb {round(average, 1):g} {12 * show.vote_count}"])


@pytest.fixture
def omdb(made: Catalogue, monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    """The catalogue, of which OMDb was never asked."""
    shorten_waits(monkeypatch)
    for name, response in OF_TESTS.items():
        monkeypatch.setitem(FAULTS, f"omdb_{name}", Fault("omdb", always(response), "a response of OMDb"))
    for table in ("catalog.omdb_ratings", "pipeline.omdb_titles", "pipeline.omdb_days", "pipeline.rejects"):
        made.pipeline.do(f"delete from {table}")
    serving = made.pipeline.serving
    made.pipeline.day, serving.today, serving.faults = FIRST_DAY, FIRST_DAY, {}
    serving.service.omdb_calls.clear()
    serving.service.options = replace(serving.service.options, omdb_calls=1000)
    return made


def test_the_most_voted_titles_come_first_and_the_next_day_goes_on(omdb: Catalogue) -> None:
    first = omdb.read(omdb_calls=4)
    assert (omdb.asked, omdb.requests) == ([6, 7, 8, 9], {200: 4})
    assert (figures_of(first, "omdb_ratings")["titles_due"], failed_checks(first)) == (11, set())
    assert figures(first, "the_quota_of_omdb_lasts")["calls"] == 4
    assert (omdb.read(omdb_calls=4).success, omdb.requests) == (True, {})
    assert failed_checks(omdb.read(1)) == set()
    assert (omdb.requests, omdb.stored) == ({200: 7}, omdb.truth)
    assert omdb.pipeline.column("select title_id from pipeline.omdb_titles where outcome = 'not_found'") == [10]
    assert (omdb.read(12).success, omdb.requests) == (True, {})


def test_titles_are_asked_again_when_they_are_old_and_at_once_by_another_id(omdb: Catalogue) -> None:
    omdb.read()
    for title_id, outcome, hours in (
        (1, "rated", 89 * 24), (2, "rated", 91 * 24), (3, "rated", 13 * 24), (4, "unrated", 15 * 24),
        (5, "not_found", 29 * 24), (6, "not_found", 31 * 24), (7, "failed", 19), (8, "failed", 21),
    ):  # fmt: skip
        omdb.pipeline.do(
            f"update pipeline.omdb_titles set asked_at = asked_at - interval '{hours} hours', outcome = '{outcome}' "
            f"where title_id = {title_id}"
        )
    omdb.pipeline.do("update catalog.titles set release_date = '2026-09-01' where title_id in (3, 4)")
    omdb.pipeline.do("update pipeline.omdb_titles set imdb_id = 'tt7777777' where title_id = 9")
    assert figures_of(omdb.read(), "omdb_ratings")["titles_asked"] == 5
    assert omdb.pipeline.column(AGES) == [1, 3, 5, 7]
    assert omdb.stored == omdb.truth
    omdb.pipeline.do("select pipeline.purge_expired('2027-04-01')")
    assert omdb.stored == omdb.truth
    omdb.pipeline.do("select pipeline.purge_expired('2027-04-05')")
    assert omdb.stored == []


def test_a_quota_that_omdb_ends_stops_calls_until_the_next_day(omdb: Catalogue) -> None:
    service = omdb.pipeline.serving.service
    service.options = replace(service.options, omdb_calls=3)
    result = omdb.read()
    assert (result.success, omdb.requests, omdb.asked) == (True, {200: 3, 401: 1}, [7, 8, 9])
    assert failed_checks(result) == {"the_quota_of_omdb_lasts"}
    assert figures(result, "the_quota_of_omdb_lasts")["quota_used_up"] is True
    assert (omdb.read().success, omdb.requests) == (True, {})
    assert failed_checks(omdb.read(1)) == {"the_quota_of_omdb_lasts"}
    assert omdb.asked == [4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize(
    ("fault", "calls", "reason"),
    [("500", 9, "3 titles in a row (HTTP 500)"), ("html", 9, "3 titles in a row (HTTP 200 without JSON)"),
     ("404", 3, "3 titles in a row (HTTP 404)"), ("cut", 9, "3 titles in a row (RemoteProtocolError)"),
     ("key", 1, "OMDb refuses the key")],
)  # fmt: skip
def test_a_run_ends_when_omdb_is_down_and_keeps_what_it_has_and_no_message_has_the_key(
    omdb: Catalogue, fault: str, calls: int, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    omdb.read(omdb_calls=4)
    before = omdb.stored
    omdb.pipeline.serving.faults = {f"omdb_{fault}": 1.0}
    result = omdb.read(1)
    assert reason in failure_of(result)
    assert (sum(omdb.requests.values()), omdb.stored) == (calls, before)
    assert len(before) == 12
    rejects = omdb.pipeline.column("select reason || sample from pipeline.rejects")
    assert len(rejects) == (0 if fault == "key" else 3)
    messages = [*map(repr, result.all_events), *map(str, rejects), caplog.text]
    assert [message for message in messages if KEY in message] == []
    omdb.pipeline.serving.faults = {}
    assert (omdb.read(1).success, omdb.stored) == (True, omdb.truth)


def test_bad_values_are_counted_and_leave_what_was_stored(omdb: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    omdb.read()

    def damaged(response: ServedResponse, _: object) -> ServedResponse:
        return replace(response, body=response.body.replace(b'%"', b'0000%"'))

    monkeypatch.setitem(FAULTS, "damaged", Fault("omdb", damaged, "percentages beyond 100"))
    omdb.pipeline.serving.faults = {"damaged": 1.0}
    omdb.pipeline.do("update pipeline.omdb_titles set asked_at = asked_at - interval '91 days'")
    result = omdb.read()
    assert figures_of(result, "omdb_ratings")["values_rejected"] == 9
    assert (failed_checks(result), omdb.stored) == ({"omdb_responses_can_be_read"}, omdb.truth)
    samples = omdb.pipeline.column("select sample from pipeline.rejects where reason = 'bad_value' order by 1")
    assert (len(samples), samples[0]) == (9, "tt0000001 rotten_tomatoes 660000% 1,200")


def test_imdbs_own_file_goes_before_omdb_and_critics_count_in_no_score(omdb: Catalogue, tmp_path: Path) -> None:
    omdb.read()
    published = omdb.pipeline.run("publish", assets=["rating_aggregates"])
    votes, sources = omdb.pipeline.one(SCORE + "5").split(" ", 1)
    assert (votes, "rotten" in sources, "metacritic" in sources) == ("6000", False, False)
    assert "imdb" in omdb.pipeline.one(f"{SCORE}{omdb.series}")
    assert {"totals_reconcile", "scores_are_within_bounds"}.isdisjoint(failed_checks(published))
    assert omdb.pipeline.one(DIFFERING) == 0

    omdb.with_settings(imdb_ratings=str(imdb_file(tmp_path / "r.gz", 120)))
    omdb.pipeline.run("read_ratings", assets=["imdb_ratings"])
    omdb.pipeline.run("publish", assets=["rating_aggregates"])
    of_five = "select source || ' ' || coalesce(votes, 0) from catalog.rating_sources where tmdb_id = 5 order by 1"
    assert omdb.pipeline.column(of_five) == ["imdb 105", "metacritic 0", "rotten_tomatoes 0", "tmdb 500"]
    assert omdb.pipeline.one(SCORE + "5").startswith("105 ")
    card = omdb.pipeline.one("select payload #> '{numbers,ratings}' from catalog.cards(array[5])")
    assert card["rotten_tomatoes"] == {"value": 90, "scale_max": 100}
    assert card["imdb"]["votes"] == 105
    omdb.pipeline.do("delete from catalog.title_ratings")


def test_without_a_key_its_ratings_are_deleted_at_the_next_publication(omdb: Catalogue) -> None:
    omdb.read()
    omdb.with_settings(omdb_api_key=None)
    omdb.pipeline.run("publish", assets=["rating_aggregates"])
    credited = "select count(*) from catalog.attribution where source = 'OMDb' and notice like '%%CC BY-NC 4.0%%'"
    assert (omdb.stored, omdb.asked, omdb.pipeline.one(credited)) == ([], [], 0)
    omdb.read()
    assert (omdb.stored, omdb.pipeline.one(credited)) == (omdb.truth, 1)
    result = omdb.read(omdb_api_key=None)
    assert (omdb.stored, omdb.requests, failed_checks(result)) == ([], {}, set())


def test_with_the_emulator_omdb_is_the_emulators_and_the_key_is_a_secret(made: Catalogue) -> None:
    settings = Settings.from_env({"OMDB_API_KEY": KEY})
    assert pointed_at(settings, made.pipeline.serving).omdb_url == made.pipeline.serving.omdb_url
    assert (settings.rating_assets, KEY in repr(settings), KEY in settings.secrets) == (["omdb_ratings"], False, True)
