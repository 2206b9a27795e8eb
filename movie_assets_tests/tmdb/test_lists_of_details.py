"""Genres, keywords, credits and certifications of TMDB's responses, in all forms, missing and malformed."""

import pytest

from movie_assets.tmdb.titles import LEADS
from movie_assets_tests.tmdb.bodies import details_without, film, sent

# Lists


def test_genres_and_keywords_are_sorted() -> None:
    read = film()
    assert read.genres == ("Action", "Science Fiction")
    assert read.keywords == ("artificial intelligence", "philosophy")


@pytest.mark.parametrize("genres", [None, [], "Drama", {}, [None], ["Drama"], [{"id": 1}], [{"id": 1, "name": ""}]])
def test_genres_that_cannot_be_read_are_none(genres: object) -> None:
    assert film(genres=genres).genres == ()


def test_a_genre_that_is_there_twice_counts_once() -> None:
    assert film(genres=[{"id": 18, "name": "Drama"}] * 2).genres == ("Drama",)


def test_a_genre_that_nobody_knows_is_kept() -> None:
    assert film(genres=[{"id": 424_242, "name": "Mumblecore"}]).genres == ("Mumblecore",)


def test_keywords_are_also_found_under_results() -> None:
    assert film(keywords={"results": [{"id": 1, "name": "sea"}]}).keywords == ("sea",)


def test_keywords_are_also_found_in_a_bare_list() -> None:
    assert film(keywords=[{"id": 1, "name": "sea"}]).keywords == ("sea",)


@pytest.mark.parametrize("keywords", [None, {}, [], {"keywords": None}, {"keywords": {}}, "sea"])
def test_keywords_that_cannot_be_read_are_none(keywords: object) -> None:
    assert film(keywords=keywords).keywords == ()


@pytest.mark.parametrize("part", ["keywords", "credits", "release_dates", "belongs_to_collection", "genres"])
def test_a_part_that_is_absent_leaves_the_film_whole(part: str) -> None:
    assert sent(details_without(part)).title == "The Matrix"


@pytest.mark.parametrize("credits_", [None, [], {}, {"cast": None, "crew": None}, {"cast": "x", "crew": [None, 5]}])
def test_credits_that_cannot_be_read_are_none(credits_: object) -> None:
    read = film(credits=credits_)
    assert (read.directors, read.leading_cast) == ((), ())


def test_directors_have_that_job_and_tmdbs_order() -> None:
    assert film().directors == ("Lana Wachowski", "Lilly Wachowski")


def test_the_cast_is_in_the_order_of_billing() -> None:
    assert film().leading_cast == ("Keanu Reeves", "Laurence Fishburne")


def test_cast_without_a_billing_comes_last() -> None:
    cast = [{"name": "A"}, {"name": "B", "order": "0"}, {"name": "C", "order": None}, {"name": "D", "order": 3}]
    assert film(credits={"cast": cast}).leading_cast == ("D", "A", "B", "C")


def test_of_a_thousand_cast_the_first_are_kept() -> None:
    cast = [{"name": f"Actor {number}", "order": number} for number in reversed(range(1000))]
    assert film(credits={"cast": cast}).leading_cast == tuple(f"Actor {number}" for number in range(LEADS))


def test_someone_who_plays_two_parts_is_named_once() -> None:
    cast = [{"name": "Eddie Murphy", "order": order} for order in range(7)]
    assert film(credits={"cast": cast}).leading_cast == ("Eddie Murphy",)


@pytest.mark.parametrize("collection", [None, [], "Saga", {}, {"id": "2344", "name": None}, {"id": 0}])
def test_a_collection_that_cannot_be_read_is_none(collection: object) -> None:
    read = film(belongs_to_collection=collection)
    assert (read.collection_id, read.collection) == (None, None)


@pytest.mark.parametrize("countries", [None, ["US"], [{"name": "USA"}], [{"iso_3166_1": None}], {}])
def test_countries_that_cannot_be_read_are_none(countries: object) -> None:
    assert film(production_countries=countries).countries == ()


# Certification


def certified(*releases: dict[str, object], country: str = "US") -> str | None:
    return film(release_dates={"results": [{"iso_3166_1": country, "release_dates": list(releases)}]}).certification


def test_the_certification_is_that_of_the_theatrical_release() -> None:
    assert film().certification == "R"


def test_without_a_theatrical_one_any_certification_counts() -> None:
    assert certified({"certification": "", "type": 3}, {"certification": "PG-13", "type": 4}) == "PG-13"


def test_the_first_of_several_theatrical_certifications_counts() -> None:
    assert certified({"certification": "R", "type": 3}, {"certification": "PG", "type": 3}) == "R"


def test_another_countrys_certification_does_not_count() -> None:
    assert certified({"certification": "16", "type": 3}, country="DE") is None


@pytest.mark.parametrize(
    "release_dates",
    [
        None,
        [],
        {"results": None},
        {"results": [{"iso_3166_1": "US"}]},
        {"results": [{"iso_3166_1": "US", "release_dates": [None, {}, {"certification": 5, "type": 3}]}]},
    ],
)
def test_release_dates_that_cannot_be_read_give_no_certification(release_dates: object) -> None:
    assert film(release_dates=release_dates).certification is None
