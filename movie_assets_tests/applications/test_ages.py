"""Kid mode: the ages of certifications, and filters that let a child see only what is known to be suitable."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from movie_assets_tests.applications.test_calendar import dated, release, to
from movie_assets_tests.conftest import database_of_ones_own, failed_checks
from movie_assets_tests.support.small_pipelines import SmallPipeline, small_pipelines

Make = Callable[..., SmallPipeline]


def certified(tmdb_id: int, **labels: str) -> dict[str, Any]:
    """A film with certifications by country; several labels of a country are joined by a slash."""
    return dated(tmdb_id, **{
        country: [release(3, f"2020-05-0{n}", certification=label) for n, label in enumerate(text.split("/"), 1)]
        for country, text in labels.items()
    })  # fmt: skip


@pytest.fixture(scope="module")
def kids(server: str, template: str) -> Iterator[SmallPipeline]:
    with database_of_ones_own(server, template) as database, small_pipelines(database) as small:
        pipeline = small(
            certified(64, US="G", DE="0", IN="A", DK="A"),
            certified(128, US="PG-13", DE="12"),
            certified(192, US="NR/PG"),
            certified(256, US="PG/R", GB="12A"),
            certified(320, US="Approved", DE="FSK-99"),
            certified(384, US="NR"),
            certified(448),
        )
        pipeline.run_all()
        yield pipeline


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({"max_age": 21}, [64, 128, 192, 256]), ({"max_age": 12, "country": "US"}, [64, 192]),
        ({"max_age": 13, "country": "us"}, [64, 128, 192]), ({"max_age": 12, "country": "DE"}, [64, 128]),
        ({"max_age": 11.5, "country": "DE"}, [64]), ({"max_age": 12, "country": "GB"}, [256]),
        ({"max_age": 17, "country": "IN"}, []), ({"max_age": 0, "country": "DK"}, [64]), ({"max_age": -1}, []),
        ({"max_age": 21, "country": "XX"}, []), ({"max_age": 21, "country": ""}, []),
        ({"max_age": 21, "country": "FR"}, []), ({"max_age": 13, "exclude": [64]}, [128, 192]),
    ],
)  # fmt: skip
def test_a_child_sees_only_what_is_known_to_be_suitable(kids: SmallPipeline, filters: Any, ids: list[int]) -> None:
    as_json = json.dumps(filters)
    by_words = kids.column(f"select tmdb_id from catalog.search_movies('lighthouse', 10, '{as_json}') order by 1")
    vector = "(select embedding::vector from catalog.title_vectors_1 limit 1)"
    near = kids.column(f"select tmdb_id from catalog.match_movies({vector}, -1, 10, '{as_json}') order by 1")
    similar = kids.column(f"select tmdb_id from catalog.similar_movies(448, 10, '{as_json}') order by 1")
    recommended = kids.column(
        f"select tmdb_id from catalog.recommend_movies('{{448}}', filters => '{as_json}') order by 1"
    )
    assert (by_words, near, similar, recommended) == (ids, ids, ids, ids)


@pytest.mark.parametrize(
    ("filters", "problem"),
    [({"country": "US"}, "max_age"), ({"max_age": "12"}, "takes a number"),
     ({"max_age": 12, "country": 1}, "takes a text"), ({"max_ages": 12}, "no filter max_ages")],
)  # fmt: skip
def test_a_filter_that_cannot_be_meant_is_refused(kids: SmallPipeline, filters: Any, problem: str) -> None:
    with pytest.raises(sa.exc.DBAPIError, match=problem):
        kids.column(f"select tmdb_id from catalog.search_movies('lighthouse', 10, '{json.dumps(filters)}')")


@pytest.mark.parametrize(
    ("media_type", "country", "label", "age"),
    [
        ("movie", "US", "PG-13", 13), ("movie", "US", "NC-17", 18), ("movie", "US", "R", 17),
        ("movie", "US", "NR", None), ("series", "US", "TV-Y7", 7), ("series", "US", "TV-Y", 0),
        ("series", "US", "TV-MA", 17),
        ("movie", "US", "TV-MA", None), ("movie", "GB", "U", 4), ("movie", "IN", "U", 0), ("movie", "IN", "A", 18),
        ("movie", "DK", "A", 0), ("movie", "CA-QC", "G", 0), ("movie", "CA-QC", "13+", 13), ("movie", "FR", "16", 16),
        ("movie", "ZA", "7-9PG", 9), ("movie", "PT", "M/6", 6), ("movie", "DE", "99", None), ("movie", "DE", "", None),
        ("movie", "DE", "for people of 6", None), ("movie", "XX", "A", None), ("movie", "US", None, None),
    ],
)  # fmt: skip
def test_a_label_stands_for_an_age(
    kids: SmallPipeline, media_type: str, country: str, label: str | None, age: Any
) -> None:
    quoted = "null" if label is None else f"'{label}'"
    assert kids.one(f"select catalog.certification_age('{media_type}', '{country}', {quoted})") == age


def test_the_age_of_a_title_follows_its_certifications_and_the_table(small: Make) -> None:
    pipeline = small(
        *(certified(64 * n, US="PG" if n > 3 else "Wholesome") for n in range(1, 7)), certified(448, US="R/PG")
    )
    ages = "select coalesce(catalog.suitable_age(title_id, 'us')::text, '-') from catalog.titles order by title_id"
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.column(ages) == ["-", "-", "-", "10", "10", "10", "17"]
    check = failed_checks(pipeline.run("reconcile"))
    assert "certifications_are_known" in check
    pipeline.do("insert into catalog.certification_ages values ('movie', 'US', 'Wholesome', 3, 'a board')")
    pipeline.do("update catalog.title_certifications set age = catalog.strictest_age(title_id, country)")
    assert pipeline.column(ages) == ["3", "3", "3", "10", "10", "10", "17"]
    assert "certifications_are_known" not in failed_checks(pipeline.run("reconcile"))
    to(pipeline, certified(448, US="G/PG"))
    assert pipeline.column(ages)[-1] == "10"
