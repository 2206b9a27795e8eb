"""A plain list of films: what a head has, what may be missing, and what is rejected."""

import pytest

from movie_assets.core.film_list import read_film_list
from movie_assets.core.history_rows import Entry, FilmName, Tally


def read(text: str, *, is_wanted: bool = False) -> tuple[list[Entry], Tally]:
    tally = Tally("list.txt")
    return list(read_film_list(text.splitlines(keepends=True), tally, is_wanted=is_wanted)), tally


def test_a_list_has_a_film_a_paragraph() -> None:
    entries, tally = read(
        "\ufeffThe Lamp: 1999 | PG-13 | 1h 42m | 8.5 rating\r\nA keeper: he is alone | or so.\r\nHe waits.\r\n\r\n"
        "Storm: Part Two: 2004 | R | 2h | 7 rating\r\n"
    )
    assert entries == [
        Entry(FilmName("The Lamp", 1999), 1, rating=85),
        Entry(FilmName("Storm: Part Two", 2004), 5, rating=70),
    ]
    assert (tally.rows, tally.rejected) == (2, 0)


@pytest.mark.parametrize(
    ("line", "title", "year", "rating"),
    [("Lamp: 1999", "Lamp", 1999, None), ("Lamp: 1999 | 8.5 rating", "Lamp", 1999, 85),
     ("Lamp: | R | 1h 42m | 8.5 rating", "Lamp", None, 85), ("Lamp: R | 1h 42m | 8.5 rating", "Lamp", None, 85),
     ("Lamp | R | 1h 42m", "Lamp", None, None), ("Lamp: 1999 | | | ", "Lamp", 1999, None),
     ("Lamp: 1999 | Not Rated | 42m | N/A rating", "Lamp", 1999, None),
     ("2012: 2009 | PG-13 | 2h 38m", "2012", 2009, None),
     ("Lamp: 1999 | R | 1h 42m | 10/10 rating", "Lamp", 1999, 100),
     ("Mission: Lamp: 1999 | R", "Mission: Lamp", 1999, None),
     ("Mission: Lamp | R | 1h", "Mission: Lamp", None, None), ("Lamp: 1999|R|1h42m|8.5 Rating", "Lamp", 1999, 85)],
)  # fmt: skip
def test_what_is_missing_is_missing(line: str, title: str, year: int | None, rating: float | None) -> None:
    entries, tally = read(line + "\n")
    assert tally.rejects == []
    assert [(entry.film.title, entry.film.year, entry.rating) for entry in entries] == [(title, year, rating)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [("Lamp: 1999 | R | 1h | 12/10 rating", "has a rating of 12, and ratings go from 0 to 10"),
     ("Lamp: 1999 | R | 1h | abc rating", "has “abc” for a rating"), (": 1999 | R | 1h", "has no title"),
     ("La\x00mp: 1999 | R | 1h", "has NUL characters"),
     ("Just words", "is no line of the form Title: YEAR | RATING | 1h 42m | 8.5 rating")],
)  # fmt: skip
def test_a_paragraph_that_is_no_film_is_rejected_and_the_next_is_read(line: str, reason: str) -> None:
    entries, tally = read(f"{line}\nwords\n\nLamp: 1999\n")
    assert [(reject.line, reject.reason) for reject in tally.rejects] == [(1, reason)]
    assert [entry.line for entry in entries] == [4]


def test_a_blank_line_may_be_missing_before_a_plain_head() -> None:
    entries, _ = read("One: 1999 | R\nIt ends in the year: 1999\nTwo: 2000 | R\n")
    assert [entry.film.title for entry in entries] == ["One", "Two"]


def test_ratings_of_a_list_of_wishes_are_not_the_persons() -> None:
    (entry,), _ = read("One: 1999 | R | 1h | 8 rating\n", is_wanted=True)
    assert (entry.is_wanted, entry.rating) == (True, None)
