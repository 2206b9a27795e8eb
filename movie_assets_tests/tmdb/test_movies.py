"""TMDB's answers as a whole: what is a film, what is none, and that all of it can be stored."""

import json
from datetime import date
from typing import Any

import pytest

from movie_assets.tmdb.json_values import UnusableResponseError, read_json
from movie_assets.tmdb.movies import read_movie
from movie_assets_tests.tmdb.bodies import details, film, sent

# Bodies


def test_a_whole_answer_becomes_a_film_without_repairs() -> None:
    read = film()
    assert (read.tmdb_id, read.imdb_id, read.title) == (603, "tt0133093", "The Matrix")
    assert (read.release_date, read.runtime_minutes) == (date(1999, 3, 31), 136)
    assert (read.budget, read.revenue) == (63_000_000, 463_517_383)
    assert (read.vote_average, read.vote_count, read.popularity) == (8.2, 26000, 21.7)
    assert (read.collection_id, read.collection) == (2344, "The Matrix Collection")
    assert (read.status, read.tagline) == ("Released", "Believe the unbelievable.")
    assert read.countries == ("US", "AU")
    assert read.repairs == ()


@pytest.mark.parametrize(
    "body",
    [None, [], [{"id": 603}], "a text", 603, True, {}, {"success": False, "status_code": 34}],
    ids=["null", "empty array", "array", "text", "number", "true", "no id", "404 shape with 200"],
)
def test_a_body_that_is_no_film_is_refused(body: Any) -> None:
    with pytest.raises(UnusableResponseError) as refused:
        read_movie(body, 603)
    assert refused.value.reason == "not_a_film"


@pytest.mark.parametrize("other", [604, "603", None, True, 603.5, [603]])
def test_an_answer_with_another_id_is_refused(other: Any) -> None:
    with pytest.raises(UnusableResponseError, match="asked for 603") as refused:
        film(id=other)
    assert refused.value.reason == "other_id"


def test_true_is_not_the_id_one() -> None:
    with pytest.raises(UnusableResponseError):
        read_movie(details(id=True), 1)


def test_of_an_id_that_is_there_twice_the_wrong_one_is_not_stored() -> None:
    body = b'{"id": 603, "title": "The Matrix", "id": 604}'
    with pytest.raises(UnusableResponseError):
        read_movie(read_json(body), 603)


@pytest.mark.parametrize("content", [b"", b"<html>", b'{"id": 603', b"\xff\xfe", b"[" * 100_000, b"1" * 5000])
def test_a_body_that_is_no_json_is_refused(content: bytes) -> None:
    with pytest.raises(UnusableResponseError) as refused:
        read_json(content)
    assert refused.value.reason == "not_json"


def test_unknown_keys_change_nothing() -> None:
    assert film(hologram={"available": True}, mood="blue") == film()


def test_an_answer_of_an_id_and_a_title_is_a_film() -> None:
    read = sent({"id": 603, "title": "The Matrix"})
    assert (read.original_title, read.genres, read.keywords, read.directors) == ("The Matrix", (), (), ())
    assert (read.release_date, read.runtime_minutes, read.certification, read.collection_id) == (None,) * 4
    assert (read.popularity, read.vote_average, read.vote_count, read.adult) == (0.0, 0.0, 0, False)
    assert read.repairs == ()


# What Postgres cannot store


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_that_json_does_not_know_become_null(literal: str) -> None:
    body = read_json(f'{{"id": 603, "vote_average": {literal}, "inner": [{literal}]}}'.encode())
    assert body == {"id": 603, "vote_average": None, "inner": [None]}


def test_nul_is_replaced_in_every_text_and_key() -> None:
    body = read_json(json.dumps({"a\0b": ["c\0", {"d": "\0e"}]}).encode())
    assert body == {"a\x1ab": ["c\x1a", {"d": "\x1ae"}]}


def test_a_lone_surrogate_is_replaced_wherever_it_is() -> None:
    body = read_json(
        b'{"overview": "half \\ud83d of", "tags": ["\\UDC00", "\\uDE00"], "whole": "\\ud83c\\udfac"}'.replace(
            b"\\U", b"\\u"
        )
    )
    assert body == {"overview": "half \ufffd of", "tags": ["\ufffd", "\ufffd"], "whole": "🎬"}


def test_bytes_that_are_no_utf8_do_not_cost_the_record() -> None:
    assert read_json(b'{"title": "caf\xe9"}') == {"title": "caf\ufffd"}


def test_a_deeply_nested_body_with_a_nul_is_read_or_refused() -> None:
    body = b'{"id": 603, "title": "a\\u0000", "deep": ' + b"[" * 900 + b"]" * 900 + b"}"
    try:
        read_json(body)
    except UnusableResponseError as refused:
        assert refused.reason == "not_json"  # noqa: PT017  # either is right
