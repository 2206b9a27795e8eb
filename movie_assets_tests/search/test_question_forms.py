"""Questions that are no plot: films like another one, series by name, titles that were begun or are spelt otherwise."""

from collections.abc import Iterator
from typing import Any

import pytest

from movie_assets.database.database import Database
from movie_assets.search.search_documents import update_documents
from movie_assets_tests.conftest import database_of_ones_own
from movie_assets_tests.support.made_films import Made, find, ids, put, put_set, rows, search

FILMS = (
    Made(1, "Iron Harbour", 1979, 9000, genres=("Horror",), keywords=("submarine",)),
    Made(2, "Iron Harbours", 1986, 8000, genres=("Horror",), keywords=("submarine",)),
    Made(3, "Deep Below", 1990, 7000, genres=("Horror",), keywords=("submarine",)),
    Made(4, "Down Periscope Street", 1996, 900, genres=("Comedy",), keywords=("submarine",)),
    Made(5, "A Wedding in May", 2001, 30000, genres=("Comedy",)),
    Made(6, "Wanda Quill and the First Key", 2001, 500),
    Made(7, "Wanda Quill and the Second Key", 2003, 20000),
    Made(8, "Nothing but the Sea", 1999, 100),
    Made(9, "Something Like It", 1988, 50),
    Made(10, "Boxer", 1976, 4000),
    Made(11, "Boxer II", 1979, 3000),
    Made(12, "Blade: Vol. 1", 2003, 3000),
    Made(13, "El3ven", 1995, 2000),
    Made(14, "The Comet: Part Two", 2010, 10),
    Made(15, "Starlight Waltz", 1977, 5000),
    Made(16, "12 Quiet Men", 1957, 100),
    Made(17, "The Fig", 1994, 20),
    Made(18, "31 and Under", 1994, 20),
    Made(19, "13 Lanterns", 1994, 9000),
    Made(20, "The Draft", 1994, 20),
    Made(21, "Drank", 1994, 9000),
    Made(22, "Orbit of Tin", 1994, 40, genres=("Science Fiction",), keywords=("robot",)),
    Made(23, "Tin Again", 2014, 9000, genres=("Science Fiction",), keywords=("robot",)),
    Made(24, "Cellar", 1983, 40, genres=("Horror",), keywords=("doll",)),
    Made(25, "Attic", 2013, 50, genres=("Drama",), keywords=("doll",)),
    Made(26, "Roaring Thirties", 1961, 10),
    Made(27, "Two Umbrellas", 1925, 10, genres=("Romance", "Comedy"), keywords=("paris",)),
)
ANGLES = {1: 0.0, 2: 0.1, 3: 0.2, 4: 0.3, 5: 2.0}


@pytest.fixture(scope="module")
def catalogue(server: str, template: str) -> Iterator[Database]:
    """FILMS, five of them with vectors, two of them a series."""
    with database_of_ones_own(server, template) as opened:
        put(opened, FILMS)
        with opened.transaction() as connection:
            connection.exec_driver_sql(
                "insert into catalog.collections values (77, 'The Wanda Quill Collection', null)"
            )
            connection.exec_driver_sql(
                "update catalog.movies set collection_id = 77, collection = 'The Wanda Quill Collection' "
                "where tmdb_id in (6, 7)"
            )
        update_documents(opened)
        put_set(opened, "t", {n: str([1.0, angle, 0, 0, 0, 0, 0, 0]) for n, angle in ANGLES.items()}, 8)
        yield opened


def why(database: Database, text: str, tmdb_id: int) -> dict[str, Any] | None:
    found: dict[str, Any] | None = rows(database, "select catalog.why_found(:text, :id)", text=text, id=tmdb_id)[0][0]
    return found


@pytest.mark.parametrize(
    "text",
    ["movies like Iron Harbour", "films similar to iron harbour", "something like Iron Harbour", "like iron harbour",
     "show me some good movies like Iron Harbuor", "I want to watch a film like Iron Harbour"],
)  # fmt: skip
def test_films_like_another_one_are_those_near_it(catalogue: Database, text: str) -> None:
    found = search(catalogue, text, 3)
    assert ids(found) == [2, 3, 4]
    assert {tuple(film.found_by) for film in found} == {("meaning",)}
    assert (why(catalogue, text, 3) or {})["like"] == {"tmdb_id": 1, "title": "Iron Harbour"}


@pytest.mark.parametrize(
    "text", ["like Iron Harbour but funny", "Iron Harbour but funnier", "iron harbour but a comedy"]
)
def test_a_film_but_otherwise_is_near_it_and_has_the_other_words(catalogue: Database, text: str) -> None:
    found = search(catalogue, text, 2)
    assert ids(found)[0] == 4
    assert {"keywords", "meaning"} <= set(found[0].found_by)


def test_filters_and_the_named_film_are_left_out(catalogue: Database) -> None:
    assert 1 not in ids(search(catalogue, "movies like iron harbour", 10))
    assert ids(search(catalogue, "movies like iron harbour", 10, exclude=[2], genres=["Horror"])) == [3]


def test_a_title_that_reads_like_such_a_question_is_a_title(catalogue: Database) -> None:
    assert ids(search(catalogue, "nothing but the sea"))[0] == 8
    assert ids(search(catalogue, "something like it"))[0] == 9


def test_a_weight_of_words_alone_reads_no_likeness(catalogue: Database) -> None:
    statement = "select * from catalog.search_movies('movies like iron harbour', meaning_weight => 0)"
    assert ids(rows(catalogue, statement))[0] == 1


def test_likeness_to_what_no_film_is_called_is_searched_by_words(catalogue: Database) -> None:
    assert search(catalogue, "movies like qwxzvk") == []
    assert ids(search(catalogue, "movies like submarine"))[0] in (1, 2, 3, 4)


@pytest.mark.parametrize(
    "text", ["wanda quill", "Wanda Quill movies", "the wanda quill series", "all Wanda Quill films"]
)
def test_a_series_is_found_by_its_name_in_the_order_of_release(catalogue: Database, text: str) -> None:
    assert ids(search(catalogue, text))[:2] == [6, 7]
    assert (why(catalogue, text, 7) or {})["series"] == "The Wanda Quill Collection"


@pytest.mark.parametrize(
    ("text", "film"),
    [("starlight w", 15), ("starlight wal", 15), ("starli", 15), ("deep be", 3), ("wanda quill and the sec", 7)],
)
def test_the_last_word_may_be_begun(catalogue: Database, text: str, film: int) -> None:
    assert ids(search(catalogue, text))[0] == film


def test_a_title_that_begins_so_comes_before_one_with_both_words(database: Database) -> None:
    put(database, (Made(1, "Northern Whale", 2001, 5), Made(2, "Northern Station: Waiting", 2001, 9000)))
    update_documents(database)
    assert ids(search(database, "northern w"))[:2] == [1, 2]


def test_words_for_films_say_nothing(catalogue: Database) -> None:
    assert ids(search(catalogue, "a movie about a submarine")) == ids(search(catalogue, "submarine"))


@pytest.mark.parametrize(
    ("text", "film"),
    [("boxer 2", 11), ("Boxer Part II", 11), ("boxer two", 11), ("Blade Volume One", 12), ("blade 1", 12),
     ("Blade Vol. I", 12), ("Eleven", 13), ("The Comet 2", 14), ("comet part ii", 14), ("Twelve Quiet Men", 16)],
)  # fmt: skip
def test_other_spellings_of_a_title_are_its_title(catalogue: Database, text: str, film: int) -> None:
    found = find(catalogue, text)[0]
    assert (found.tmdb_id, found.matched_by) == (film, "loose title")
    assert found.confidence == pytest.approx(0.95 * 0.92)
    assert ids(search(catalogue, text))[0] == film


@pytest.mark.parametrize(
    ("text", "film"), [("the fg", 17), ("fg", 17), ("13 and Under", 18), ("13 & under", 18), ("The Drafk", 20)]
)
def test_a_slip_finds_a_title_also_if_it_is_short_or_has_stop_words(catalogue: Database, text: str, film: int) -> None:
    """Two letters are left, the slip makes a word of another title, or the article tells titles apart."""
    assert ids(search(catalogue, text))[0] == film


@pytest.mark.parametrize(
    ("text", "films"),
    [("90s sci-fi with robots", [22]), ("nineties science fiction robots", [22]), ("robots from the 1990s", [22]),
     ("robot movies of the 2010s", [23]), ("sci fi films in the 90s", [22]), ("eighties doll", [24]),
     ("roaring thirties", [26]), ("20s romcom in paris", [27]), ("movies from the 1920s", [27])],
)  # fmt: skip
def test_a_decade_means_years_of_release_unless_it_is_a_title(
    catalogue: Database, text: str, films: list[int]
) -> None:  # fmt: skip
    assert ids(search(catalogue, text))[: len(films)] == films
    assert ids(search(catalogue, text)) == films or films == [26]


def test_the_years_of_the_question_and_of_the_filters_both_hold(catalogue: Database) -> None:
    assert ids(search(catalogue, "robots from the 1990s", year_from=1994)) == [22]
    assert search(catalogue, "robots from the 1990s", year_from=1995) == []


@pytest.mark.parametrize(
    ("text", "film"),
    [("scary doll", 24), ("sci-fi robots", 23), ("scifi robots", 23), ("rom-com paris", 27), ("romcom", 27)],
)
def test_words_for_a_genre_mean_the_genre(catalogue: Database, text: str, film: int) -> None:
    assert ids(search(catalogue, text))[0] == film


@pytest.mark.parametrize(
    ("text", "years"),
    [("90s horror", (1990, 1999)), ("00s horror", (2000, 2009)), ("mid eighties comedies", (1980, 1989)),
     ("horror in the 70s", (1970, 1979)), ("a spy in the 60s", (None, None)), ("set in the 1950s", (None, None)),
     ("from the 80s to the 90s", (None, None)), ("a man and a dog and a cat in 1950s ohio", (None, None)),
     ("noughties", (2000, 2009)), ("", (None, None))],
)  # fmt: skip
def test_years_of_a_plot_are_no_years_of_release(
    catalogue: Database, text: str, years: tuple[int | None, int | None]
) -> None:
    statement = "select year_from, year_to from catalog.read_wording(catalog.normalised(:text))"
    assert tuple(rows(catalogue, statement, text=text)[0]) == years


def test_a_title_that_is_there_is_preferred_to_another_spelling(catalogue: Database) -> None:
    assert ids(find(catalogue, "boxer")) == [10]


def test_other_spellings_are_bounded(catalogue: Database) -> None:
    text = " ".join(["part 2"] * 300)
    assert len(rows(catalogue, "select unnest(catalog.title_variants(:text))", text=text)) <= 256


def test_why_names_words_fields_spelling_and_the_sentence(catalogue: Database) -> None:
    with catalogue.transaction() as connection:
        connection.exec_driver_sql(
            "update catalog.movies set text_hash = 'x', "
            "overview = 'A cook is hired. He finds a lighthouse in the fog! Nobody believes him.' where tmdb_id = 8"
        )
    update_documents(catalogue)
    told = why(catalogue, "a film about a lighthuose in fog with a dragon", 8)
    assert told == {
        "words": [
            {"word": "lighthuose", "in": ["overview"], "meant": ["lighthous"]},
            {"word": "fog", "in": ["overview"]},
        ],
        "missing": ["dragon"],
        "sentence": "He finds a lighthouse in the fog!",
    }
    assert (why(catalogue, "nothing but the see", 8) or {})["title"] == "Nothing but the Sea"


def test_why_names_a_genre_that_another_word_means_in_full(catalogue: Database) -> None:
    found = why(catalogue, "sci-fi robots", 23)
    assert found is not None
    assert "science" in [word["word"] for word in found["words"]]


def test_why_says_how_near_a_film_is(catalogue: Database) -> None:
    statement = "select catalog.why_found('submarine', 2, cast(:v as vector))"
    told = rows(catalogue, statement, v=str([1.0, 0, 0, 0, 0, 0, 0, 0]))[0][0]
    assert told["similarity"] == pytest.approx(1 / 1.01**0.5, abs=1e-3)
    assert why(catalogue, "submarine", 999) is None
    assert why(catalogue, "x" * 1_000_000, 2) is not None


@pytest.mark.parametrize(
    "text", ["harbours harbour", "keys key", "harbour harbours harbour", "wandas quills wanda quill"]
)
def test_the_last_word_may_be_the_stem_of_an_earlier_one(catalogue: Database, text: str) -> None:
    assert search(catalogue, text)
