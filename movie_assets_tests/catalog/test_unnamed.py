"""People, keywords and the like that no film names any more are deleted: with TMDB's six months, or by the clean-up."""

from collections.abc import Callable
from typing import Any

import pytest

from movie_assets_tests.support.small_pipelines import FIRST_DAY, SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]
TABLES = ("people", "genres", "keywords", "companies", "collections", "watch_providers")
KEYS = ("person_id", "genre_id", "keyword_id", "company_id", "collection_id", "provider_id")


def with_its_own(tmdb_id: int, own: int, **changes: Any) -> dict[str, Any]:
    """A film that names an actor, a director, a keyword and so on of its own, besides an actor whom all films share."""
    offer = {"provider_id": own, "provider_name": f"Service {own}"}
    return film(
        tmdb_id,
        **{
            "genres": [{"id": own, "name": f"Genre {own}"}],
            "keywords": {"keywords": [{"id": own, "name": f"keyword {own}"}]},
            "production_companies": [{"id": own, "name": f"Company {own}", "origin_country": "FR"}],
            "belongs_to_collection": {"id": own, "name": f"Collection {own}"},
            "watch/providers": {"results": {"FR": {"link": "https://example.org", "flatrate": [offer]}}},
            "credits": {
                "cast": [{"id": own, "name": f"Actor {own}", "order": 0}, {"id": 1, "name": "Everybody", "order": 1}],
                "crew": [{"id": own + 1, "name": f"Director {own}", "job": "Director", "department": "Directing"}],
            },
            **changes,
        },
    )


def known(pipeline: SmallPipeline) -> dict[str, list[int]]:
    """Ids in each of the shared tables."""
    return {
        table: pipeline.column(f"select {key} from catalog.{table} order by 1")
        for table, key in zip(TABLES, KEYS, strict=True)
    }


ONLY_OF_64 = {"people": [1, 10, 11], **{table: [10] for table in TABLES if table != "people"}}


@pytest.fixture
def pipeline(small: Make) -> SmallPipeline:
    """Two films in the catalogue, 64 and 65."""
    made = small(with_its_own(64, 10), with_its_own(65, 20))
    made.run_all("read_the_day", "fetch_details")
    assert known(made)["people"] == [1, 10, 11, 20, 21]
    return made


def test_the_clean_up_deletes_what_no_film_names(pipeline: SmallPipeline) -> None:
    pipeline.world.put(with_its_own(65, 20, runtime=5))
    pipeline.world.changed[FIRST_DAY] = [65]
    pipeline.turn_day()
    pipeline.run_all("read_the_day", "fetch_details", "clean_up")
    assert pipeline.movies == [64]
    assert known(pipeline) == ONLY_OF_64


def test_the_clean_up_deletes_what_a_film_names_no_more(pipeline: SmallPipeline) -> None:
    pipeline.world.put(with_its_own(65, 10))
    pipeline.world.changed[FIRST_DAY] = [65]
    pipeline.turn_day()
    pipeline.run_all("read_the_day", "fetch_details", "clean_up")
    assert pipeline.movies == [64, 65]
    assert known(pipeline) == ONLY_OF_64


def test_what_only_purged_films_named_leaves_with_them(pipeline: SmallPipeline) -> None:
    pipeline.do(f"update pipeline.raw_details set fetched_at = '{FIRST_DAY}'::date - 200 where tmdb_id = 65")
    pipeline.turn_day()
    pipeline.run_all("read_the_day")
    assert known(pipeline) == ONLY_OF_64
    pipeline.run_all("fetch_details")
    assert known(pipeline)["people"] == [1, 10, 11, 20, 21]
