"""A plain list of films: what a head has, what may be missing, and what is rejected."""

import pytest

from movie_assets.histories.movie_list import read_movie_list
from movie_assets.histories.rows import Entry, MovieName, Tally


def read(text: str, *, is_wanted: bool = False) -> tuple[list[Entry], Tally]:
    tally = Tally("list.txt")
    return list(read_movie_list(text.splitlines(keepends=True), tally, is_wanted=is_wanted)), tally


def test_a_list_has_a_film_a_paragraph() -> None:
    entries, tally = read(
        "\ufeffThe Lamp: 1999 | PG-13 | 1h 42m | 8.5 rating\r\nA keeper: he is alone | or so.\r\nHe waits.\r\n\r\n"
        "Storm: Part Two: 2004 | R | 2h | 7 rating\r\n"
    )
    assert entries == [
        Entry(MovieName("The Lamp", 1999), 1, rating=85),
        Entry(MovieName("Storm: Part Two", 2004), 5, rating=70),
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
     ("Mission: Lamp | R | 1h", "Mission: Lamp", None, None),
     ("Cats (2019)", "Cats", 2019, None), ("Cats (2019) | PG | 1h 50m | 2 rating", "Cats", 2019, 20),
     ("Cats (2019): | PG | 1h", "Cats", 2019, None), ("2001 (1968) | G", "2001", 1968, None),
     ("Cats (2019): 2019 | PG", "Cats", 2019, None),
     ("Cats: 2019 | 12A | 110 min | 2,5", "Cats", 2019, 25), ("Cats: 2019 | FSK 6 | 1 h 50 | 2", "Cats", 2019, 20),
     ("Cats: 2019 | 16", "Cats", 2019, None), ("Cats: 2019 | K-16 | 1 hour 50 minutes", "Cats", 2019, None),
     ("Cats: 2019 | PG | 1h 50m | No rating", "Cats", 2019, None), ("Cats: 2019 | n/a | - | N/A", "Cats", 2019, None),
     ("Lamp: 1999|R|1h42m|8.5 Rating", "Lamp", 1999, 85)],
)  # fmt: skip
def test_what_is_missing_is_missing(line: str, title: str, year: int | None, rating: float | None) -> None:
    entries, tally = read(line + "\n")
    assert tally.rejects == []
    assert [(entry.movie.title, entry.movie.year, entry.rating) for entry in entries] == [(title, year, rating)]


@pytest.mark.parametrize(
    "rating",
    ["2/10", "2 / 10", "2.0", "2,0", "2", "Rating 2.0", "Rating: 2/10", "rating 2", "2 out of 10", "2/10 rating"],
)
@pytest.mark.parametrize("head", ["Cats: 2019 | ", "Cats (2019) | PG | 1h 50m | ", "Cats: 2019 | PG | 1h 50m | "])
def test_a_rating_is_understood_however_it_is_written(head: str, rating: str) -> None:
    entries, tally = read(head + rating)
    assert tally.rejects == []
    assert [(entry.movie, entry.rating) for entry in entries] == [(MovieName("Cats", 2019), 20)]


@pytest.mark.parametrize(
    "field", ["two stars", "bad", "★★", "2/5", "2 of 10", "85", "85 %", "rated 2", "2.0.0", "1h 42m", "R", "2020", "²"]
)
def test_an_unrecognised_field_rejects_the_row(field: str) -> None:
    entries, tally = read(f"Cats (2019) | PG | 1h 50m | {field}")
    assert entries == []
    ((_, line, reason, _),) = [(r.file, r.line, r.reason, r.sample) for r in tally.rejects]
    assert line == 1
    assert field in reason


def test_a_word_is_no_certification() -> None:
    _, tally = read("Cats: 2019 | Meh\n\nDogs: 2018 | bad | 1h 50m\n")
    assert [(reject.line, reject.reason[:9]) for reject in tally.rejects] == [(1, "has “Meh”"), (3, "has “bad”")]


def test_lines_of_titles_with_years_are_a_film_each() -> None:
    entries, tally = read("Cats (2019)\nDogs (2018)\nA dog waits (for years).\n\nBirds (2017) | 8/10\n")
    assert [entry.movie for entry in entries] == [
        MovieName("Cats", 2019),
        MovieName("Dogs", 2018),
        MovieName("Birds", 2017),
    ]
    assert (tally.rows, tally.rejected) == (3, 0)


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


@pytest.mark.parametrize(
    "text",
    [
        "Akira\nCats (2019)\nDogs (2018)\nSpirited\n",
        "Cats (2019)\nAkira\nDogs (2018)\nSpirited",
        "- Akira\n- Cats (2019)\n- Dogs (2018)\n- Spirited\n",
        "\n1. Akira\r\n2. Cats (2019)\r\n3. Dogs (2018)\r\n4) Spirited\r\n\r\n",
    ],
)
def test_in_a_list_without_blank_lines_each_line_is_a_film(text: str) -> None:
    entries, tally = read(text)
    assert {(entry.movie.title, entry.movie.year) for entry in entries} == {
        ("Akira", None), ("Cats", 2019), ("Dogs", 2018), ("Spirited", None),
    }  # fmt: skip
    assert (tally.rows, tally.taken, tally.rejected, tally.passed_over.total()) == (4, 4, 0, 0)


def test_lines_with_ratings_and_without_years_are_a_film_each() -> None:
    entries, _ = read("Cats (2019) | 8/10\nAkira | 9/10\nDogs (2018)\n")
    assert [(entry.movie.title, entry.rating) for entry in entries] == [("Cats", 80), ("Akira", 90), ("Dogs", None)]


def test_lines_that_are_taken_for_descriptions_are_counted_and_named() -> None:
    entries, tally = read("Cats (2019)\nA cat sings.\n\nDogs (2018)\nAkira\n")
    assert [entry.movie.title for entry in entries] == ["Cats", "Dogs"]
    assert dict(tally.passed_over) == {"description": 2}
    assert [(remark.line, remark.sample) for remark in tally.remarks] == [(2, "A cat sings."), (5, "Akira")]


def test_a_blank_line_may_be_missing_before_a_plain_head() -> None:
    entries, _ = read("One: 1999 | R\nIt ends in the year: 1999\nTwo: 2000 | R\n")
    assert [entry.movie.title for entry in entries] == ["One", "Two"]


def test_ratings_of_a_list_of_wishes_are_not_the_persons() -> None:
    (entry,), _ = read("One: 1999 | R | 1h | 8 rating\n", is_wanted=True)
    assert (entry.is_wanted, entry.rating) == (True, None)
