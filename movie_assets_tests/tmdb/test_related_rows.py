"""What is around a film: whole answers, and every shape in which a part of them comes or does not."""

from collections.abc import Callable
from typing import Any

import pytest

from movie_assets.tmdb.movies import read_movie
from movie_assets.tmdb.related_rows import MAX_CAST, read_related_rows, related_rows_hash, related_rows_json

ANSWER: dict[str, Any] = {
    "id": 603,
    "genres": [{"id": 28, "name": "Action"}, {"id": 28, "name": "Action"}],
    "keywords": {"keywords": [{"id": 83, "name": "saviour"}]},
    "production_companies": [{"id": 79, "name": "Village Roadshow", "origin_country": "US", "logo_path": None}],
    "production_countries": [{"iso_3166_1": "US", "name": "United States of America"}],
    "spoken_languages": [{"iso_639_1": "en", "english_name": "English", "name": "English"}],
    "belongs_to_collection": {"id": 2344, "name": "The Matrix Collection", "poster_path": "/c.jpg"},
    "credits": {
        "cast": [
            {"id": 2975, "name": "Laurence Fishburne", "character": "Morpheus", "order": 1, "gender": 2},
            {"id": 6384, "name": "Keanu Reeves", "character": "Neo", "order": 0, "gender": 2, "profile_path": "/k.jpg"},
        ],
        "crew": [
            {"id": 9340, "name": "Lana Wachowski", "job": "Director", "department": "Directing", "gender": 1},
            {"id": 9340, "name": "Lana Wachowski", "job": "Writer", "department": "Writing", "gender": 1},
            {"id": 1, "name": "A Gaffer", "job": "Gaffer", "department": "Lighting"},
        ],
    },
    "release_dates": {
        "results": [
            {
                "iso_3166_1": "US",
                "release_dates": [
                    {"certification": "", "type": 3, "release_date": "1999-03-24T00:00:00.000Z"},
                    {"certification": "PG", "type": 4, "release_date": "2000-01-01T00:00:00.000Z"},
                    {"certification": "R", "type": 3, "release_date": "1999-03-31T00:00:00.000Z"},
                ],
            },
            {"iso_3166_1": "DE", "release_dates": [{"certification": "", "type": 3}]},
        ]
    },
    "external_ids": {"imdb_id": "tt0133093", "wikidata_id": "Q83495", "facebook_id": None, "twitter_id": ""},
    "videos": {
        "results": [
            {"site": "YouTube", "key": "m8e-FF8MsqU", "name": "Trailer", "type": "Trailer", "iso_639_1": "en",
             "official": True, "published_at": "2013-11-15T16:18:48.000Z"},
        ]
    },
    "translations": {
        "translations": [
            {"iso_639_1": "de", "iso_3166_1": "DE", "data": {"title": "Matrix", "overview": "Neo …", "tagline": ""}},
            {"iso_639_1": "fr", "iso_3166_1": "FR", "data": {"title": "", "overview": "", "tagline": ""}},
        ]
    },
    "alternative_titles": {"titles": [{"iso_3166_1": "CN", "title": "黑客帝国", "type": ""}]},
    "watch/providers": {
        "results": {
            "DE": {
                "link": "https://example.org/603",
                "flatrate": [{"provider_id": 8, "provider_name": "Netflix"}],
                "rent": [{"provider_id": 2, "provider_name": "Apple TV"}],
            }
        }
    },
}  # fmt: skip


def column(table: str, name: str, body: dict[str, Any] = ANSWER) -> list[Any]:
    return [row[name] for row in read_related_rows(body)[table]]


def test_the_cast_is_in_the_order_of_its_billing() -> None:
    assert column("cast", "name") == ["Keanu Reeves", "Laurence Fishburne"]
    assert column("cast", "billing") == [0, 1]
    assert column("cast", "profile_path") == ["/k.jpg", None]


def test_of_a_crowd_the_first_thirty_are_kept() -> None:
    crowd = [{"id": n, "name": f"Extra {n}", "order": 999 - n} for n in range(1, 1000)]
    assert column("cast", "billing", {"credits": {"cast": crowd}}) == list(range(MAX_CAST))


def test_a_person_with_two_jobs_has_two_rows_and_a_job_that_nobody_searches_none() -> None:
    assert list(zip(column("crew", "person_id"), column("crew", "job"), strict=True)) == [
        (9340, "Director"), (9340, "Writer"),
    ]  # fmt: skip


def test_a_country_has_the_certification_of_its_theatrical_release() -> None:
    assert read_related_rows(ANSWER)["certifications"] == [
        {"country": "US", "certification": "R", "kind": 3, "released": "1999-03-31", "labels": "PG\nR"}
    ]
    once = ANSWER["release_dates"]["results"][0]["release_dates"][1:2]
    (row,) = read_related_rows({"release_dates": {"results": [{"iso_3166_1": "US", "release_dates": once}]}})[
        "certifications"
    ]
    assert row == {"country": "US", "certification": "PG", "kind": 4, "released": "2000-01-01"}


def test_every_date_of_a_release_is_a_row() -> None:
    release: dict[str, object] = {
        "type": 3,
        "release_date": "2026-12-18T00:00:00.000Z",
        "certification": "",
        "note": "",
        "iso_639_1": "",
    }
    odd: list[dict[str, object]] = [
        {"release_date": "soon"}, {"release_date": None}, {"type": 0}, {"type": 7}, {"type": "3"}, {"iso_639_1": None},
    ]  # fmt: skip
    other: list[dict[str, object]] = [
        {"note": "Re-release"},
        {"iso_639_1": "fr"},
        {"certification": "R"},
        {"release_date": "2026-12-19"},
    ]
    releases = [release, *({**release, **changes} for changes in (*other, *odd))]
    body = {
        "release_dates": {
            "results": [{"iso_3166_1": "CH", "release_dates": [*releases, None]}, {"release_dates": releases}]
        }
    }
    rows = read_related_rows(body)["release_dates"]
    assert [(row["released"], row["note"], row["language"], row["certification"]) for row in rows] == [
        ("2026-12-18", "", "", None), ("2026-12-18", "Re-release", "", None), ("2026-12-18", "", "fr", None),
        ("2026-12-19", "", "", None),
    ]  # fmt: skip
    assert {(row["country"], row["kind"]) for row in rows} == {("CH", 3)}


def test_a_language_that_nobody_wrote_in_is_no_translation() -> None:
    assert column("translations", "language") == ["de"]
    assert column("translations", "tagline") == [None]


def test_each_offer_of_each_country_is_a_row() -> None:
    rows = read_related_rows(ANSWER)["watch_providers"]
    assert [(row["country"], row["kind"], row["name"]) for row in rows] == [
        ("DE", "flatrate", "Netflix"), ("DE", "rent", "Apple TV"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "name", "values"),
    [
        ("genres", "id", [28]),
        ("keywords", "name", ["saviour"]),
        ("companies", "country", ["US"]),
        ("countries", "code", ["US"]),
        ("languages", "name", ["English"]),
        ("collections", "id", [2344]),
        ("external_ids", "source", ["imdb", "wikidata"]),
        ("videos", "published", ["2013-11-15"]),
        ("videos", "is_official", [True]),
        ("alternative_titles", "title", ["黑客帝国"]),
    ],
)
def test_the_other_parts_are_read(table: str, name: str, values: list[Any]) -> None:
    assert column(table, name) == values


@pytest.mark.parametrize("part", sorted(ANSWER.keys() - {"id"}))
@pytest.mark.parametrize("odd", [None, [], {}, "text", 7, [None], ["x"], [{}], {"results": None}, {"results": [{}]}])
def test_a_part_of_another_shape_is_empty_and_leaves_the_others(part: str, odd: Any) -> None:
    whole, read = read_related_rows(ANSWER), read_related_rows(ANSWER | {part: odd})
    differing = {table for table in whole if whole[table] != read[table]}
    assert all(read[table] == [] for table in differing)
    assert len(differing) <= 2


ENTRIES = [{"id": 18, "name": "Drama"}, {"id": 18, "name": "Drame"}, {"name": "No id"}, {"id": 7, "name": "x" * 300}]


@pytest.mark.parametrize("key", ["genres", "keywords"])
@pytest.mark.parametrize("shape", [lambda _: ENTRIES, lambda key: {key: ENTRIES}, lambda _: {"results": ENTRIES}])
def test_a_films_own_list_and_the_rows_around_it_are_the_same(key: str, shape: Callable[[str], Any]) -> None:
    body = ANSWER | {"title": "The Matrix", key: shape(key)}
    assert getattr(read_movie(body, 603), key) == ("Drama", "x" * 200)
    assert sorted(column(key, "name", body)) == ["Drama", "x" * 200]


def test_a_video_is_known_by_its_site_and_its_key() -> None:
    videos = [{"site": site, "key": "42"} for site in ("YouTube", "Vimeo", None, "Vimeo")]
    assert column("videos", "site", {"videos": {"results": videos}}) == ["YouTube", "Vimeo", ""]


@pytest.mark.parametrize("code", [{}, {"iso_3166_1": None}, {"iso_3166_1": ""}])
def test_a_title_without_a_country_is_kept(code: dict[str, Any]) -> None:
    titles = [{"title": "Matrix", **code}, {"title": "Matrix", "iso_3166_1": "DE"}]
    assert column("alternative_titles", "country", {"alternative_titles": {"titles": titles}}) == ["", "DE"]
    translation = {"iso_639_1": "eo", "data": {"title": "La Matrico"}, **code}
    assert column("translations", "country", {"translations": {"translations": [translation]}}) == [""]


def test_a_film_of_nothing_has_nothing_around_it() -> None:
    assert set(map(len, read_related_rows({"id": 1}).values())) == {0}


@pytest.mark.parametrize("entry", [{"name": "No id"}, {"id": 7}, {"id": 0, "name": "x"}, {"id": "7", "name": "x"}])
def test_an_entry_without_what_identifies_it_is_left_out(entry: dict[str, Any]) -> None:
    assert column("genres", "id", {"genres": [entry]}) == []
    assert column("cast", "name", {"credits": {"cast": [entry]}}) == []


def test_the_same_facts_have_the_same_hash_and_others_another() -> None:
    def hash_of(answer: dict[str, Any]) -> str:
        return related_rows_hash(related_rows_json(read_related_rows(answer)))

    assert hash_of(ANSWER) == hash_of(dict(reversed(ANSWER.items())))
    assert hash_of(ANSWER) != hash_of(ANSWER | {"genres": []})
