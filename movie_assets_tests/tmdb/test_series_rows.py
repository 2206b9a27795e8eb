"""What is around a series: people of all its episodes, networks, creators, ratings, titles, ids, offers."""

from typing import Any

import pytest

from movie_assets.tmdb.related_rows import MAX_CAST, RelatedRows, read_related_rows, related_rows_json
from movie_assets.tmdb.series_rows import KNOWN_KEYS, MAX_CREW, read_series_rows
from movie_assets_tests.tmdb.series_bodies import series_details


def rows(**changes: Any) -> RelatedRows:
    return read_series_rows(series_details(**changes))


def person(person_id: int, **more: Any) -> dict[str, Any]:
    return {"id": person_id, "name": f"Person {person_id}"} | more


def test_every_table_has_the_rows_of_a_whole_response() -> None:
    read = rows()
    assert {table: len(of_it) for table, of_it in read.items()} == {
        "genres": 2, "keywords": 2, "companies": 1, "countries": 1, "languages": 1, "external_ids": 3, "videos": 0,
        "translations": 1, "alternative_titles": 1, "watch_providers": 1, "cast": 2, "crew": 2, "certifications": 2,
        "networks": 1, "creators": 2,
    }  # fmt: skip
    assert series_details().keys() == KNOWN_KEYS
    assert related_rows_json(read)


def test_titles_and_translations_are_those_of_a_movie_by_other_keys() -> None:
    read = rows()
    assert read["translations"] == [
        {"language": "de", "country": "DE", "title": "Die Lampenwärterinnen", "overview": "Zwei …", "tagline": None}
    ]
    assert read["alternative_titles"] == [{"country": "DE", "title": "Die Lampenwärterinnen", "kind": None}]


def test_the_number_of_tvdb_is_an_external_id() -> None:
    assert {row["source"]: row["value"] for row in rows()["external_ids"]} == {
        "imdb": "tt7654321", "wikidata": "Q7654", "tvdb": "654321",
    }  # fmt: skip
    assert [row["source"] for row in rows(external_ids={"tvdb_id": "x", "imdb_id": None})["external_ids"]] == []


def test_networks_and_creators_keep_their_order() -> None:
    read = rows()
    assert read["networks"] == [{"id": 49, "name": "Sea TV", "country": "GB", "logo_path": "/sea.png", "position": 0}]
    assert [(row["person_id"], row["position"]) for row in read["creators"]] == [(31, 0), (32, 1)]
    twice = rows(networks=[{"id": 2, "name": "B"}, {"id": 1, "name": "A"}, {"id": 2, "name": "B"}, {"id": 3}])
    assert [(row["id"], row["position"]) for row in twice["networks"]] == [(2, 0), (1, 1)]


def test_the_longest_role_comes_first() -> None:
    first, second = rows()["cast"]
    assert (first["person_id"], first["billing"], first["character"]) == (40, 0, "Mary / A Ghost")
    assert (first["episode_count"], second["episode_count"]) == (6, 2)


@pytest.mark.parametrize(
    ("roles", "character", "episodes"),
    [
        ([{"character": "Nell"}], "Nell", None),
        ([{"character": "Nell", "episode_count": 3}, {"character": "Nell", "episode_count": 4}], "Nell", 4),
        ([{"character": "", "episode_count": 3}], None, 3),
        (None, None, None),
        ("Nell", None, None),
        ([None, "x"], None, None),
    ],
)
def test_roles_in_every_shape(roles: Any, character: str | None, episodes: int | None) -> None:
    (row,) = rows(aggregate_credits={"cast": [person(1, roles=roles)]})["cast"]
    assert (row["character"], row["episode_count"]) == (character, episodes)


def test_the_cast_is_cut_by_billing_as_that_of_movies() -> None:
    cast = [person(n, order=500 - n) for n in range(1, 501)]
    read = rows(aggregate_credits={"cast": cast})["cast"]
    assert [row["person_id"] for row in read] == list(range(500, 500 - MAX_CAST, -1))


def test_the_crew_are_the_jobs_in_most_episodes() -> None:
    read = rows()["crew"]
    assert [(row["person_id"], row["job"], row["episode_count"]) for row in read] == [
        (31, "Director", 6), (31, "Writer", 1),
    ]  # fmt: skip
    many = [person(n, jobs=[{"job": "Director", "episode_count": n}]) for n in range(1, 301)]
    read = rows(aggregate_credits={"crew": many})["crew"]
    assert [row["episode_count"] for row in read] == list(range(300, 300 - MAX_CREW, -1))


def test_content_ratings_are_certifications() -> None:
    german, american = rows()["certifications"]
    assert (german["country"], german["certification"], german["descriptors"]) == ("DE", "12", None)
    assert (american["country"], american["certification"], american["descriptors"]) == ("US", "TV-14", "L, V")
    quebec = [{"iso_3166_1": "CA-QC", "rating": "13+"}, {"iso_3166_1": "CA", "rating": "PG"}]
    assert [row["country"] for row in rows(content_ratings={"results": quebec})["certifications"]] == ["CA-QC", "CA"]


@pytest.mark.parametrize("value", [None, [], {}, "x", 5, True, [None], ["x"], [{}], {"results": {}}, {"cast": "x"}])
def test_a_part_of_another_shape_gives_no_rows_and_costs_no_other(value: Any) -> None:
    whole = rows()
    for key in ("aggregate_credits", "content_ratings", "networks", "created_by", "translations", "watch/providers"):
        read = rows(**{key: value})
        changed = {table for table in whole if read[table] != whole[table]}
        assert all(read[table] == [] for table in changed), key
        assert changed <= {"cast", "crew", "certifications", "networks", "creators", "translations", "watch_providers"}


def test_a_movie_has_no_rows_of_series() -> None:
    assert {"networks", "creators"}.isdisjoint(read_related_rows(series_details()))
