"""Texts of TMDB's answers: titles, plots, ids; which are kept as they are, mended, cut or unknown."""

from typing import Any

import pytest

from movie_assets.tmdb.json_values import UnusableResponseError
from movie_assets.tmdb.titles import LONGEST_TEXT, LONGEST_TITLE
from movie_assets_tests.tmdb.bodies import film


@pytest.mark.parametrize("title", ["", None, "   ", "\r\n", "\x07"])
def test_without_a_title_the_original_title_stands_in(title: str | None) -> None:
    assert film(title=title, original_title="Матрица").title == "Матрица"


def test_a_title_of_invisible_characters_only_is_no_title() -> None:
    assert film(title="\u200b\u200d", original_title="Матрица").title == "Матрица"


@pytest.mark.parametrize("nothing", ["", None, " ", "\0"])
def test_without_any_title_the_answer_is_refused(nothing: str | None) -> None:
    with pytest.raises(UnusableResponseError) as refused:
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
    read = film(keywords=[{"id": 1, "name": "sp\0ace"}], genres=[{"id": 1, "name": "Dra\x07ma"}])
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
