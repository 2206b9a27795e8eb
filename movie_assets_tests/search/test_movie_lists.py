"""The lists that applications show: trending, hidden gems, by genre, new, upcoming, award-worthy; made-up rows."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from math import log
from typing import Any

import pytest

from movie_assets.database.database import Database
from movie_assets_tests.support.clock import start_of_today
from movie_assets_tests.support.rows import put_films

NEWEST = date(2026, 11, 20)


class Lists:
    """A catalogue of a hundred films, 1 to 100, each with popularity 5 and 100 votes more than its id."""

    def __init__(self, database: Database) -> None:
        self.database = database
        put_films(database, 1, 100)
        self.do(
            "insert into catalog.rating_methods (method_version, is_current, says, parameters, computed_at) "
            "values ('test', true, 'made up', '{}', now())"
        )

    def do(self, sql: str, **values: Any) -> None:
        with self.database.transaction() as connection:
            connection.exec_driver_sql(sql, values)

    def ids(self, view: str, where: str = "true") -> list[int]:
        with self.database.transaction() as connection:
            found = connection.exec_driver_sql(f"select tmdb_id from catalog.{view} where {where} order by rank")
            return list(found.scalars())

    def one(self, sql: str) -> Any:
        with self.database.transaction() as connection:
            return connection.exec_driver_sql(sql).scalar()

    def score(self, scores: Mapping[int, tuple[float, int]]) -> None:
        """Give films a lower end of the score and votes."""
        for tmdb_id, (low, votes) in scores.items():
            self.do(
                "insert into catalog.rating_aggregates values ('film', %(key)s, 1, %(votes)s, %(low)s + 5, %(low)s, "
                "%(low)s + 10, 'test', now())", key=str(tmdb_id), low=low, votes=votes,
            )  # fmt: skip
            self.do("update catalog.movie_stats set vote_count = %(n)s where tmdb_id = %(id)s", n=votes, id=tmdb_id)

    def live(
        self, days: int, courses: Mapping[int, Sequence[float]], scales: Mapping[int, float] | None = None
    ) -> None:
        """Write a history, the newest day last: films stay at 5 but those of `courses`, each times its day's scale."""
        for number in range(days):
            day, scale = NEWEST - timedelta(days=days - 1 - number), (scales or {}).get(number, 1.0)
            self.do(
                "insert into catalog.movie_stats_history select tmdb_id, %(day)s, 5 * %(scale)s::float8, 7, 200 "
                "from catalog.movies", day=day, scale=scale,
            )  # fmt: skip
            for tmdb_id, course in courses.items():
                self.do(
                    "update catalog.movie_stats_history set popularity = %(p)s "
                    "where tmdb_id = %(id)s and day = %(day)s",
                    p=course[number] * scale, id=tmdb_id, day=day,
                )  # fmt: skip
        self.do("select pipeline.refresh_trends()")

    def velocity(self, tmdb_id: int) -> float:
        found = self.one(f"select velocity from catalog.popularity_trends where tmdb_id = {tmdb_id}")
        assert isinstance(found, float)
        return found


@pytest.fixture
def lists(database: Database) -> Lists:
    return Lists(database)


def expected_velocity(levels: Sequence[float]) -> float:
    """The formula of sql/search/lists_of_films.sql, written again."""

    def mean(half_life: float) -> float:
        weights = [2 ** (-age / half_life) for age in range(len(levels) - 1, -1, -1)]
        return sum(w * level for w, level in zip(weights, levels, strict=True)) / sum(weights)

    return mean(1) - mean(7)


def test_velocity_is_the_formula_that_is_documented(lists: Lists) -> None:
    course = [5.0, 6, 4, 9, 12, 30, 28, 55, 54, 80]
    lists.live(10, {7: course})
    assert lists.velocity(7) == pytest.approx(expected_velocity([log(1 + p / 5) for p in course]))
    assert lists.velocity(8) == pytest.approx(0, abs=1e-12)


def test_what_rises_fastest_leads_and_what_falls_is_not_listed(lists: Lists) -> None:
    lists.live(20, {1: [5] * 17 + [20, 40, 80], 2: [5] * 17 + [6, 7, 8], 3: [80] * 17 + [40, 20, 5]})
    assert lists.ids("trending", "velocity > 0.01") == [1, 2]


def test_a_rise_decays_by_half_in_about_a_week(lists: Lists) -> None:
    lists.live(28, {1: [5] * 26 + [50] * 2, 2: [5] * 19 + [50] * 9})
    assert 0.35 < lists.velocity(2) / lists.velocity(1) < 0.75


def test_a_spike_that_is_over_is_no_trend(lists: Lists) -> None:
    lists.live(20, {1: [5] * 14 + [500] + [5] * 5})
    assert lists.ids("trending", "velocity > 0.01") == []


def test_a_change_of_tmdbs_scale_moves_nobody(lists: Lists) -> None:
    lists.live(20, {1: [5] * 17 + [20, 40, 80]})
    before = lists.velocity(1)
    lists.do("truncate catalog.title_stats_history")
    lists.live(20, {1: [5] * 17 + [20, 40, 80]}, scales=dict.fromkeys(range(10, 20), 1 / 7))
    assert lists.velocity(1) == pytest.approx(before)
    assert lists.velocity(2) == pytest.approx(0, abs=1e-12)


def test_the_noise_of_films_that_nobody_looks_at_does_not_lead(lists: Lists) -> None:
    lists.live(20, {1: [0.01] * 19 + [0.1], 2: [50] * 19 + [100]})
    assert lists.ids("trending", "velocity > 0.01") == [2]


@pytest.mark.parametrize("days", [0, 1])
def test_without_a_history_nothing_is_trending(lists: Lists, days: int) -> None:
    lists.live(days, {1: [500]} if days else {})
    assert lists.ids("trending") == []


def test_a_new_film_leads_only_after_some_days(lists: Lists) -> None:
    lists.live(20, {})
    lists.do("delete from catalog.movie_stats_history where tmdb_id in (1, 2) and day < %(day)s", day=NEWEST)
    lists.do("delete from catalog.movie_stats_history where tmdb_id = 2")
    lists.do("select pipeline.refresh_trends()")
    assert lists.ids("trending", "tmdb_id in (1, 2)") == []
    assert lists.velocity(1) == pytest.approx(0)
    assert lists.one("select count(*) from catalog.popularity_trends where tmdb_id = 2") == 0


def test_a_film_that_did_not_move_is_where_it_was(lists: Lists) -> None:
    course = [5.0] * 10 + [50.0] * 10
    lists.live(20, {1: course})
    before = lists.velocity(1)
    last = NEWEST - timedelta(days=9)
    lists.do("delete from catalog.movie_stats_history where tmdb_id = 1 and day > %(day)s", day=last)
    lists.do("select pipeline.refresh_trends()")
    assert lists.velocity(1) == pytest.approx(before)


def test_a_film_that_has_not_moved_for_a_month_is_known_all_the_same(lists: Lists) -> None:
    lists.live(40, {})
    lists.do("delete from catalog.movie_stats_history where tmdb_id = 1 and day > %(day)s", day=NEWEST - timedelta(35))
    lists.do("select pipeline.refresh_trends()")
    assert lists.one("select days from catalog.popularity_trends where tmdb_id = 1") == 28


def test_popularity_of_zero_everywhere_is_no_error(lists: Lists) -> None:
    lists.live(5, {}, scales=dict.fromkeys(range(5), 0.0))
    assert lists.ids("trending") == []


def test_days_without_a_run_are_left_out(lists: Lists) -> None:
    lists.live(10, {7: [5.0] * 8 + [50.0, 50.0]})
    lists.do("delete from catalog.movie_stats_history where day = %(day)s", day=NEWEST - timedelta(days=4))
    lists.do("select pipeline.refresh_trends()")
    assert lists.one("select min(days) || '-' || max(days) from catalog.popularity_trends") == "9-9"


def test_a_film_that_left_the_catalogue_is_in_no_list(lists: Lists) -> None:
    lists.live(20, {1: [5] * 17 + [20, 40, 80]})
    lists.do("delete from catalog.movies where tmdb_id = 1")
    assert lists.ids("trending", "tmdb_id = 1") == []


def test_hidden_gems_are_good_and_little_known(lists: Lists) -> None:
    lists.score({n: (50 + n / 10, 100 + n) for n in range(1, 101)})
    lists.do(
        "update catalog.rating_aggregates set score_low = 90, score = 95, score_high = 99 where key in ('3', '99', '4')"
    )
    lists.do("update catalog.movie_stats set popularity = tmdb_id")
    lists.do("update catalog.movie_stats set popularity = 900 where tmdb_id = 4")
    # 99 has many votes, 4 is popular
    assert lists.ids("hidden_gems") == [3]


def test_a_film_without_votes_has_no_score_and_is_in_no_list_by_score(lists: Lists) -> None:
    lists.do("update catalog.movie_stats set vote_count = 0, vote_average = 0 where tmdb_id = 3")
    lists.score({1: (60, 100), 2: (70, 100)})
    assert lists.ids("by_genre") != []
    assert 3 not in {*lists.ids("hidden_gems"), *lists.ids("by_genre"), *lists.ids("award_worthy")}
    assert lists.one("select score is null from catalog.scored_films where tmdb_id = 3") is True


def test_each_genre_has_its_ranks_and_the_surest_score_leads(lists: Lists) -> None:
    lists.score({2: (60, 900), 4: (80, 10), 5: (90, 10)})
    lists.do("update catalog.movies set genres = '{Drama,War}' where tmdb_id = 2")
    assert lists.ids("by_genre", "genre = 'Drama'") == [4, 2]
    assert lists.ids("by_genre", "genre = 'War' and rank = 1") == [2]
    assert lists.ids("by_genre", "genre = 'Comedy'") == [5]


def test_releases_are_split_by_todays_date(lists: Lists) -> None:
    today = start_of_today().date()
    for tmdb_id, days in ((1, 0), (2, -90), (3, -91), (4, 1), (5, 400)):
        lists.do("update catalog.movies set release_date = %(d)s where tmdb_id = %(id)s",
                 d=today + timedelta(days=days), id=tmdb_id)  # fmt: skip
    lists.do("update catalog.movies set release_date = null where tmdb_id = 6")
    lists.do("update catalog.movies set release_date = %(d)s, status = 'Canceled' where tmdb_id = 7",
             d=today + timedelta(days=3))  # fmt: skip
    assert lists.ids("new_releases") == [1, 2]
    assert lists.ids("upcoming") == [4, 5]


def test_a_film_without_numbers_is_still_a_new_release(lists: Lists) -> None:
    lists.do("delete from catalog.movie_stats where tmdb_id = 1")
    lists.do("update catalog.movies set release_date = %(d)s where tmdb_id = 1", d=start_of_today().date())
    assert lists.ids("new_releases") == [1]


def test_award_worthy_are_the_best_features_of_each_year(lists: Lists) -> None:
    lists.do("update catalog.movies set release_date = '2001-05-05' where tmdb_id <= 40")
    lists.do("update catalog.movies set release_date = '2002-05-05' where tmdb_id > 40")
    lists.score({n: (40 + n / 10, 200 + n) for n in range(1, 101)})
    lists.do(
        "update catalog.rating_aggregates set score_low = 90, score = 91, score_high = 92 "
        "where key in ('1', '30', '31')"
    )
    lists.do("update catalog.movies set runtime_minutes = 20 where tmdb_id = 31")
    # 1 is among the quarter of its year with the fewest votes, 31 is a short film
    assert lists.ids("award_worthy", "season = 2001") == [30]
    assert lists.ids("award_worthy", "season = 2002") == [100, 99, 98]


@pytest.mark.parametrize("view", ["trending", "hidden_gems", "by_genre", "new_releases", "upcoming", "award_worthy"])
def test_every_list_describes_a_film_by_the_same_columns_and_says_what_it_is(lists: Lists, view: str) -> None:
    columns = "select array_agg(column_name::text) from information_schema.columns where table_schema = 'catalog'"
    film = lists.one(f"{columns} and table_name = 'scored_films'")
    assert set(film) | {"rank"} <= set(lists.one(f"{columns} and table_name = '{view}'"))
    assert len(lists.one(f"select obj_description('catalog.{view}'::regclass)")) > 60
