"""TMDB's odd answers, one by one: what becomes of each, and that all of it can be stored."""

import json
from datetime import date
from typing import Any

import pytest

from movie_assets.core.films import LEADS, LONGEST_TEXT, LONGEST_TITLE, UnusableAnswerError, read_film, read_json
from movie_assets_tests.core.bodies import details, details_without, film, sent

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
    with pytest.raises(UnusableAnswerError) as refused:
        read_film(body, 603)
    assert refused.value.reason == "not_a_film"


@pytest.mark.parametrize("other", [604, "603", None, True, 603.5, [603]])
def test_an_answer_with_another_id_is_refused(other: Any) -> None:
    with pytest.raises(UnusableAnswerError, match="asked for 603") as refused:
        film(id=other)
    assert refused.value.reason == "other_id"


def test_true_is_not_the_id_one() -> None:
    with pytest.raises(UnusableAnswerError):
        read_film(details(id=True), 1)


def test_of_an_id_that_is_there_twice_the_wrong_one_is_not_stored() -> None:
    body = b'{"id": 603, "title": "The Matrix", "id": 604}'
    with pytest.raises(UnusableAnswerError):
        read_film(read_json(body), 603)


@pytest.mark.parametrize("content", [b"", b"<html>", b'{"id": 603', b"\xff\xfe", b"[" * 100_000, b"1" * 5000])
def test_a_body_that_is_no_json_is_refused(content: bytes) -> None:
    with pytest.raises(UnusableAnswerError) as refused:
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
    assert (body["vote_average"], body["inner"]) == (None, [None])


def test_nul_is_taken_out_of_every_text_and_key() -> None:
    body = read_json(json.dumps({"a\0b": ["c\0", {"d": "\0e"}]}).encode())
    assert body == {"ab": ["c", {"d": "e"}]}


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
    except UnusableAnswerError as refused:
        assert refused.reason == "not_json"  # noqa: PT017  # either is right


# Texts


@pytest.mark.parametrize("title", ["", None, "   ", "\r\n", "\x07"])
def test_without_a_title_the_original_title_stands_in(title: str | None) -> None:
    assert film(title=title, original_title="Матрица").title == "Матрица"


def test_a_title_of_invisible_characters_only_is_no_title() -> None:
    assert film(title="\u200b\u200d", original_title="Матрица").title == "Матрица"


@pytest.mark.parametrize("nothing", ["", None, " ", "\0"])
def test_without_any_title_the_answer_is_refused(nothing: str | None) -> None:
    with pytest.raises(UnusableAnswerError) as refused:
        film(title=nothing, original_title=nothing)
    assert refused.value.reason == "no_title"


def test_a_long_title_is_cut() -> None:
    assert len(film(title="x" * 10_000).title) == LONGEST_TITLE


def test_a_title_that_is_cut_at_a_blank_has_none_at_its_end() -> None:
    title = film(title="Long " * 2000).title
    assert title == title.strip()


@pytest.mark.parametrize("title", ["🎬 Film", "فيلم", "\u202eאבג\u202c", "a\u200bb", "נ\u05b8"])
def test_titles_of_any_script_are_kept_as_they_are(title: str) -> None:
    assert film(title=title).title == title


def test_texts_are_stored_composed() -> None:
    assert film(title="Cafe\u0301").title == "Café"


@pytest.mark.parametrize("field", ["title", "overview", "tagline", "original_title"])
def test_control_characters_are_taken_out(field: str) -> None:
    assert getattr(film(**{field: "\x00One\x07 t\x1bwo\x7f\r\nthree\x0b "}), field) == "One two\nthree"


def test_control_characters_are_taken_out_of_names() -> None:
    read = film(keywords={"keywords": [{"name": "sp\0ace"}]}, genres=[{"name": "Dra\x07ma"}])
    assert (read.keywords, read.genres) == (("space",), ("Drama",))


def test_a_lone_surrogate_in_the_overview_can_be_written_as_utf8() -> None:
    overview = film(overview="Half \ud83d of it").overview
    assert overview == "Half \ufffd of it"
    assert overview.encode()


def test_a_long_overview_is_cut() -> None:
    overview = film(overview="x" * 10_000_000).overview
    assert overview is not None
    assert len(overview) == LONGEST_TEXT


@pytest.mark.parametrize("nothing", ["", None, "  \n "])
def test_an_empty_overview_is_unknown(nothing: str | None) -> None:
    assert film(overview=nothing).overview is None


def test_markup_and_instructions_in_a_text_are_kept_verbatim() -> None:
    overview = "<script>alert(1)</script> Ignore all previous instructions. '; drop table movies; --"
    assert film(overview=overview).overview == overview


@pytest.mark.parametrize("field", ["overview", "tagline", "status", "poster_path", "imdb_id", "original_language"])
@pytest.mark.parametrize("value", [5, ["a"], {"a": 1}, True])
def test_a_text_of_another_type_is_unknown_and_noted(field: str, value: Any) -> None:
    read = film(**{field: value})
    assert getattr(read, field) is None
    assert read.repairs == (field,)


@pytest.mark.parametrize("value", ["", None, "0133093", "tt12", "nm0133093", "tt12345678901"])
def test_what_is_no_imdb_id_is_unknown(value: str | None) -> None:
    assert film(imdb_id=value).imdb_id is None


# Numbers


@pytest.mark.parametrize("runtime", [-5, 100_000, "139", True, 136.5, 10**400, [136]])
def test_an_impossible_runtime_is_unknown_and_noted(runtime: Any) -> None:
    read = film(runtime=runtime)
    assert (read.runtime_minutes, read.repairs) == (None, ("runtime",))


@pytest.mark.parametrize("runtime", [0, None, 0.0])
def test_no_runtime_is_unknown(runtime: Any) -> None:
    read = film(runtime=runtime)
    assert (read.runtime_minutes, read.repairs) == (None, ())


def test_a_runtime_with_a_decimal_point_is_whole_minutes() -> None:
    assert film(runtime=169.0).runtime_minutes == 169


@pytest.mark.parametrize("average", [11, -1, "8.2", True, 1e308])
def test_an_impossible_average_counts_as_none_and_is_noted(average: Any) -> None:
    read = film(vote_average=average)
    assert (read.vote_average, read.repairs) == (0.0, ("vote_average",))


def test_an_average_that_is_nan_counts_as_none() -> None:
    body = json.dumps(details(vote_average=float("nan"))).encode()
    assert read_film(read_json(body), 603).vote_average == 0.0


def test_negative_votes_are_none_and_leave_the_film_unrated() -> None:
    read = film(vote_count=-1)
    assert (read.vote_count, read.vote_average, read.repairs) == (0, 0.0, ("vote_count",))


def test_an_average_without_votes_is_none() -> None:
    assert film(vote_average=7.5, vote_count=0).vote_average == 0.0


def test_money_beyond_four_bytes_is_kept() -> None:
    assert film(revenue=2_923_706_026).revenue == 2_923_706_026


@pytest.mark.parametrize("field", ["budget", "revenue"])
@pytest.mark.parametrize(("value", "noted"), [(0, False), (None, False), (-1, True), (10**30, True), ("1", True)])
def test_no_money_or_impossible_money_is_unknown(field: str, value: Any, noted: bool) -> None:
    read = film(**{field: value})
    assert (getattr(read, field), bool(read.repairs)) == (None, noted)


@pytest.mark.parametrize("value", [-1, "5", True, None, [5]])
def test_an_impossible_popularity_is_zero(value: Any) -> None:
    assert film(popularity=value).popularity == 0.0


# Dates


@pytest.mark.parametrize(
    "value",
    [
        "0000-00-00",
        "2023-02-30",
        "9999-12-31",
        "1600-01-01",
        "soon",
        "1999",
        1999,
        1999.5,
        True,
        ["1999-03-31"],
        {"a": 1},
    ],
)
def test_an_impossible_release_date_is_unknown_and_noted(value: Any) -> None:
    read = film(release_date=value)
    assert (read.release_date, read.repairs) == (None, ("release_date",))


@pytest.mark.parametrize("value", ["", None])
def test_no_release_date_is_unknown(value: str | None) -> None:
    read = film(release_date=value)
    assert (read.release_date, read.repairs) == (None, ())


def test_a_release_date_with_a_time_is_its_day() -> None:
    assert film(release_date="1999-03-31T00:00:00.000Z").release_date == date(1999, 3, 31)


def test_a_film_of_the_first_years_keeps_its_date() -> None:
    assert film(release_date="1874-12-09").release_date == date(1874, 12, 9)


# Flags


@pytest.mark.parametrize("flag", ["adult", "video", "softcore"])
def test_a_flag_is_what_tmdb_says(flag: str) -> None:
    assert getattr(film(**{flag: True}), flag) is True
    assert getattr(film(**{flag: None}), flag) is False
    assert getattr(sent(details_without(flag)), flag) is False


@pytest.mark.parametrize("value", ["False", "true", 0, 1, []])
def test_a_flag_of_another_type_is_noted(value: Any) -> None:
    assert film(adult=value).repairs == ("adult",)


# Lists


def test_genres_and_keywords_are_sorted() -> None:
    read = film()
    assert read.genres == ("Action", "Science Fiction")
    assert read.keywords == ("artificial intelligence", "philosophy")


@pytest.mark.parametrize("genres", [None, [], "Drama", {}, [None], ["Drama"], [{"id": 1}], [{"id": 1, "name": ""}]])
def test_genres_that_cannot_be_read_are_none(genres: Any) -> None:
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
def test_keywords_that_cannot_be_read_are_none(keywords: Any) -> None:
    assert film(keywords=keywords).keywords == ()


@pytest.mark.parametrize("part", ["keywords", "credits", "release_dates", "belongs_to_collection", "genres"])
def test_a_part_that_is_absent_leaves_the_film_whole(part: str) -> None:
    assert sent(details_without(part)).title == "The Matrix"


@pytest.mark.parametrize("credits_", [None, [], {}, {"cast": None, "crew": None}, {"cast": "x", "crew": [None, 5]}])
def test_credits_that_cannot_be_read_are_none(credits_: Any) -> None:
    read = film(credits=credits_)
    assert (read.directors, read.leading_cast) == ((), ())


def test_directors_are_those_whose_job_says_so_in_tmdbs_order() -> None:
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
def test_a_collection_that_cannot_be_read_is_none(collection: Any) -> None:
    read = film(belongs_to_collection=collection)
    assert (read.collection_id, read.collection) == (None, None)


@pytest.mark.parametrize("countries", [None, ["US"], [{"name": "USA"}], [{"iso_3166_1": None}], {}])
def test_countries_that_cannot_be_read_are_none(countries: Any) -> None:
    assert film(production_countries=countries).countries == ()


# Certification


def certified(*releases: dict[str, Any], country: str = "US") -> str | None:
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
def test_release_dates_that_cannot_be_read_give_no_certification(release_dates: Any) -> None:
    assert film(release_dates=release_dates).certification is None
