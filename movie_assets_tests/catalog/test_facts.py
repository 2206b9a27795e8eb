"""The tables around films: filled, rewritten where they changed, filled again from stored answers, emptied."""

from collections.abc import Callable
from typing import Any

import pytest

from movie_assets_tests.conftest import figures
from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film
from movie_assets_tests.tmdb.test_related_rows import ANSWER

Make = Callable[..., SmallPipeline]
TABLES = {
    "movie_cast": 2, "movie_crew": 2, "movie_genres": 1, "movie_keywords": 1, "movie_companies": 1,
    "movie_collections": 1, "movie_countries": 1, "movie_languages": 1, "movie_certifications": 1,
    "movie_external_ids": 2, "movie_videos": 1, "movie_translations": 1, "movie_alternative_titles": 1,
    "movie_watch_providers": 2,
}  # fmt: skip


def whole(tmdb_id: int, **changes: Any) -> dict[str, Any]:
    """A film with everything around it."""
    return film(tmdb_id, **{**ANSWER, "id": tmdb_id, **changes})


def counted(pipeline: SmallPipeline) -> dict[str, int]:
    return {table: pipeline.one(f"select count(*) from catalog.{table}") for table in TABLES}


def test_every_table_around_a_film_is_filled(small: Make) -> None:
    pipeline = small(whole(64))
    pipeline.run_all("read_the_day", "fetch_details")
    assert counted(pipeline) == TABLES
    assert pipeline.column("select name from catalog.people order by person_id") == [
        "Laurence Fishburne", "Keanu Reeves", "Lana Wachowski",
    ]  # fmt: skip


def test_two_films_share_people_and_companies(small: Make) -> None:
    pipeline = small(whole(64), whole(128))
    pipeline.run_all("read_the_day", "fetch_details")
    assert counted(pipeline) == {table: 2 * rows for table, rows in TABLES.items()}
    assert pipeline.one("select count(*) from catalog.people") == 3
    assert pipeline.one("select count(*) from catalog.companies") == 1


def test_what_changed_is_rewritten_and_what_left_is_gone(small: Make) -> None:
    pipeline = small(whole(64))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day()
    credits_ = {"cast": [{"id": 6384, "name": "Keanu Reeves", "order": 0, "character": "The One"}], "crew": []}
    pipeline.world.put(whole(64, credits=credits_))
    pipeline.world.changed[pipeline.day] = [64]
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.column("select character from catalog.movie_cast") == ["The One"]
    assert counted(pipeline) == TABLES | {"movie_cast": 1, "movie_crew": 0}


def test_what_did_not_change_is_not_written_again(small: Make) -> None:
    pipeline = small(whole(64))
    pipeline.run_all("read_the_day", "fetch_details")
    before = pipeline.one("select xmin::text from catalog.title_cast limit 1")
    pipeline.turn_day()
    pipeline.world.put(whole(64, vote_count=777))
    pipeline.world.changed[pipeline.day] = [64]
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.one("select xmin::text from catalog.title_cast limit 1") == before


def test_a_catalogue_of_an_older_parser_is_filled_from_its_stored_answers(small: Make) -> None:
    pipeline = small(whole(64))
    pipeline.run_all("read_the_day", "fetch_details")
    for table in TABLES:
        pipeline.do(f"delete from catalog.{table}")
    pipeline.do("update catalog.movies set facts_hash = null")
    pipeline.do("update pipeline.movie_ids set judged_by = replace(judged_by, 'parser-4', 'parser-3')")
    pipeline.run_all("fetch_details")
    assert counted(pipeline) == TABLES
    assert pipeline.world.asked == {64: 1}


def test_the_rows_around_a_film_leave_with_it(small: Make) -> None:
    pipeline = small(whole(64), film(128))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day()
    pipeline.world.withheld = {64}
    pipeline.world.changed[pipeline.day] = [64]
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.one("select count(*) from catalog.movie_watch_providers") == 0
    assert pipeline.movies == [128]


def test_a_rejected_film_has_no_rows_around_it(small: Make) -> None:
    pipeline = small(whole(64, runtime=5))
    pipeline.run_all("read_the_day", "fetch_details")
    assert set(counted(pipeline).values()) == {0}


def test_keys_that_are_new_at_tmdb_are_counted(small: Make) -> None:
    pipeline = small(film(64, sparkle=True), film(65, sparkle=False))
    (_, result) = pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.one("select (key, answers)::text from pipeline.unknown_keys") == "(sparkle,2)"
    assert figures(result, "every_batch_is_covered")["unknown_keys"] == ["sparkle"]


def test_the_numbers_of_a_film_have_a_history_of_the_days_on_which_they_moved(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    for popularity, votes in ((5.0, 500), (6.0, 510), (6.0, 510)):
        pipeline.turn_day()
        pipeline.world.put(film(64, popularity=popularity, vote_count=votes))
        pipeline.run_all("read_the_day")
    assert pipeline.column(
        "select popularity || ' ' || vote_count from catalog.movie_stats_history where tmdb_id = 64 order by day"
    ) == ["5 500", "6 510"]


def test_numbers_that_did_not_move_are_not_counted(small: Make) -> None:
    """A later run of a day counts what moved since the one before; a value that goes back is corrected, too."""
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day", "fetch_details", "read_the_day")

    def recorded() -> tuple[int, list[Any]]:
        moved = pipeline.one(f"select pipeline.record_stats('{pipeline.day}')")
        return moved, pipeline.column(
            "select (popularity, vote_average, vote_count)::text from catalog.movie_stats_history "
            "where tmdb_id = 64 order by day"
        )

    first, second = "(5,7,500)", "(6,8,600)"
    assert recorded() == (0, [first])
    pipeline.turn_day()
    assert recorded() == (0, [first])
    move = "update catalog.movie_stats set (popularity, vote_average, vote_count) = {} where tmdb_id = 64"
    pipeline.do(move.format(second))
    assert recorded() == (1, [first, second])
    assert recorded() == (0, [first, second])
    pipeline.do(move.format(first))
    assert recorded() == (1, [first, first])
    assert recorded() == (0, [first, first])


def test_videos_of_two_sites_and_titles_without_a_country_are_stored(small: Make) -> None:
    videos = {"results": [{"site": site, "key": "42"} for site in ("YouTube", "Vimeo", None)]}
    titles = {"titles": [{"title": "Matrix"}, {"title": "Matrix", "iso_3166_1": "DE"}]}
    texts = {"translations": [{"iso_639_1": "eo", "data": {"title": "La Matrico"}}]}
    pipeline = small(whole(64, videos=videos, alternative_titles=titles, translations=texts))
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.column("select site from catalog.movie_videos order by 1") == ["", "Vimeo", "YouTube"]
    assert pipeline.column("select country from catalog.movie_alternative_titles order by 1") == ["", "DE"]
    assert pipeline.column("select language || country from catalog.movie_translations") == ["eo"]


def test_the_history_of_a_film_outlasts_a_day_out_of_the_catalogue(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    for popularity in (5.0, 0.5, 6.0):
        pipeline.turn_day()
        pipeline.world.put(film(64, popularity=popularity))
        pipeline.run_all("read_the_day", "fetch_details")
        assert pipeline.movies == ([65] if popularity < 1 else [64, 65])
    pipeline.turn_day()
    pipeline.run_all("read_the_day")
    history = "select popularity from catalog.movie_stats_history where tmdb_id = 64 order by day"
    assert pipeline.column(history) == [5.0, 6.0]


@pytest.mark.parametrize("source", ["TMDB", "JustWatch"])
def test_the_sources_to_credit_are_in_the_catalogue(small: Make, source: str) -> None:
    assert source in small().column("select source from catalog.attribution")
