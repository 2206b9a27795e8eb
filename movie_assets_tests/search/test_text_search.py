"""catalog.search_movies, find_movie and complete_title as applications call them, on films that are hard to tell."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from movie_assets.database.database import Database
from movie_assets.search.search_documents import update_documents
from movie_assets_tests.conftest import database_of_ones_own
from movie_assets_tests.support.made_films import FILMS, Made, complete, find, ids, put, rows, search


@pytest.fixture(scope="module")
def catalogue(server: str, template: str) -> Iterator[Database]:
    """FILMS with their documents, and vectors of three dimensions that say what words do not."""
    with database_of_ones_own(server, template) as opened:
        put(opened, FILMS)
        update_documents(opened)
        yield opened


@pytest.mark.parametrize(
    ("text", "first"),
    [("alien", 1), ("aliens", 2), ("Alien³", 3), ("alien 3", 3), ("dark knight", 4), ("DARK KNIGHT RISES", 5),
     ("amelie", 8), ("Amélie", 8), ("fabuleux destin", 8), ("le huitieme passager", 1), ("der dunkle ritter", 4),
     ("magnificent seven samurai", 17), ("千と千尋", 9), ("七人の侍", 17), ("брат", 22), ("wall-e", 10), ("walle", 10),
     ("tom and jerry", 11), ("oceans eleven", 12), ("it", 15), ("$", 16), ("rocky ii", 14), ("the thing", 18)],
)  # fmt: skip
def test_a_title_is_found_however_it_is_written(catalogue: Database, text: str, first: int) -> None:
    found = search(catalogue, text)
    assert found[0].tmdb_id == first
    assert "title" in found[0].found_by


@pytest.mark.parametrize(
    ("text", "first"),
    [("dark kinght", 4), ("the drak knight rises", 5), ("spirted away", 9), ("seven samuria", 17), ("amlie", 8),
     ("oceans elevn", 12), ("dinosuar iland", 21)],
)  # fmt: skip
def test_slips_of_the_finger_in_a_title_are_mended(catalogue: Database, text: str, first: int) -> None:
    found = search(catalogue, text)
    assert found[0].tmdb_id == first
    assert "spelling" in found[0].found_by


def test_people_are_found(catalogue: Database) -> None:
    found = search(catalogue, "Christopher Nolan")
    assert ids(found)[:2] == [4, 5]
    assert found[0].found_by == ["people"]


@pytest.mark.parametrize("text", ["sigourny weaver", "sigourney waever", "signourey weever"])
def test_slips_in_a_person_are_mended(catalogue: Database, text: str) -> None:
    found = search(catalogue, text)
    assert set(ids(found)[:2]) == {1, 2}
    assert {"people", "spelling"} <= set(found[0].found_by)


def test_words_of_a_title_and_of_a_person_find_the_film_that_has_both(catalogue: Database) -> None:
    assert ids(search(catalogue, "dune villeneuve"))[0] == 7


def test_a_title_weighs_more_than_a_person_a_keyword_and_an_overview(database: Database) -> None:
    put(database, (
        Made(1, "First", 2000, 9, overview="All about a zebra."), Made(2, "Second", 2000, 9, keywords=("zebra",)),
        Made(3, "Third", 2000, 9, people=("Ann Zebra",)), Made(4, "A Zebra Comes", 2000, 9),
    ))  # fmt: skip
    update_documents(database)
    found = search(database, "zebra")
    assert ids(found) == [4, 3, 2, 1]
    assert [film.found_by for film in found] == [["title"], ["people"], ["keywords"], ["overview"]]


@pytest.mark.parametrize(
    ("text", "first"),
    [("a film about a boy who befriends a dinosaur", 21), ("the story of twelve jurors arguing about a murder", 13),
     ("robots", 10), ("a masked vigilante against a clown", 4)],
)  # fmt: skip
def test_a_natural_sentence_finds_what_it_is_about(catalogue: Database, text: str, first: int) -> None:
    assert ids(search(catalogue, text))[0] == first


@pytest.mark.parametrize(
    "text", [None, "", "   ", "\t\n", "!!!", "?!.,;:", "🎬🔥", "%", "_", "'", '"', "\\", "--", "/*"]
)
def test_what_has_no_words_finds_nothing(catalogue: Database, text: str | None) -> None:
    assert search(catalogue, text) == find(catalogue, text) == complete(catalogue, text) == []


@pytest.mark.parametrize(
    "text",
    ["the of and", "alien & !knight | dune:*", "alien:A <-> knight", "(alien", "'; drop table catalog.movies; --",
     "alien\\", "a\\'b", "alien' or '1'='1", "%alien%", "$1 %s {} %I", "x" * 10_000, "alien " * 2_000,
     "dark ' \\ : knight", "\u200balien\u0301", "AND OR NOT", "*", "0", "-1", "1e5 2.5.3 http://a.b/c?d=e"],
)  # fmt: skip
def test_no_text_can_break_a_search(catalogue: Database, text: str) -> None:
    search(catalogue, text)
    find(catalogue, text)
    complete(catalogue, text)
    assert rows(catalogue, "select count(*) from catalog.movies")[0][0] == len(FILMS)


def test_words_that_nobody_has_find_nothing(catalogue: Database) -> None:
    assert search(catalogue, "qwxzvk") == find(catalogue, "qwxzvk plmokn") == complete(catalogue, "qwx") == []


def test_operators_of_full_text_are_punctuation(catalogue: Database) -> None:
    assert ids(search(catalogue, "dark & !knight:*"))[:2] == [4, 5]


def test_no_film_is_found_when_none_is_asked_for(catalogue: Database) -> None:
    assert search(catalogue, "alien", 0) == []


def test_filters_apply_to_each_function(catalogue: Database) -> None:
    assert ids(search(catalogue, "dune", year_from=2000)) == [7]
    assert ids(search(catalogue, "dnue", year_to=2000)) == [6]
    assert ids(search(catalogue, "david fincher dune", year_to=1990)) == [6]
    assert ids(find(catalogue, "dune", year_to=2000)) == [6]
    assert ids(complete(catalogue, "dun", year_to=2000)) == [6]
    assert ids(search(catalogue, "alien", genres=["100 % Opera"])) == []


def test_an_unknown_filter_is_an_error_that_names_it(catalogue: Database) -> None:
    for function in (search, find, complete):
        with pytest.raises(sa.exc.DBAPIError, match="there is no filter colour"):
            function(catalogue, "alien", colour="blue")


def test_the_exact_title_and_year_are_certain(catalogue: Database) -> None:
    (found,) = find(catalogue, "Alien", 1979)
    assert (found.tmdb_id, found.confidence, found.matched_by) == (1, 1.0, "exact title")


@pytest.mark.parametrize(
    ("title", "film", "matched_by"),
    [("aliens", 2, "normalised title"), ("Amelie", 8, "normalised title"), ("dark knight", 4, "loose title"),
     ("The Alien", 1, "loose title"), ("WALL-E", 10, "normalised title"), ("Walle", 10, "loose title"),
     ("tom and jerry", 11, "normalised title"), ("Oceans Eleven", 12, "normalised title"),
     ("Le fabuleux destin d'Amelie Poulain", 8, "normalised original title"),
     ("千と千尋の神隠し", 9, "exact original title"),
     ("der dunkle Ritter", 4, "normalised translated title"), ("Brother", 22, "exact translated title"),
     ("The Magnificent Seven Samurai", 17, "exact alternative title"), ("$", 16, "exact title"),
     ("Dark Knight, The (2008)", 4, "exact title"), ("Alien (1979)", 1, "exact title"), ("It", 15, "exact title"),
     ("Alein", 1, "mistyped title"), ("Thed ark knight", 4, "mistyped title"), ("Hte Dark Knight", 4, "mistyped title"),
     ("Darkknihgt", 4, "mistyped title"), ("Sevn Samuray", 17, "similar title")],
)  # fmt: skip
def test_a_film_is_named_by_any_of_its_titles(catalogue: Database, title: str, film: int, matched_by: str) -> None:
    found = find(catalogue, title)[0]
    assert (found.tmdb_id, found.matched_by) == (film, matched_by)


def test_the_less_alike_a_title_is_the_less_sure_is_the_film(catalogue: Database) -> None:
    titles = ["The Dark Knight", "the dark knight", "dark knight", "the dark kinght", "the dark knight here"]
    sure = [find(catalogue, title)[0].confidence for title in titles]
    assert sure == sorted(sure, reverse=True)
    assert sure[2] >= 0.85 > sure[3] > sure[4]


def test_films_of_one_title_share_the_confidence_without_a_year(catalogue: Database) -> None:
    found = find(catalogue, "Dune")
    assert ids(found) == [7, 6]
    assert [film.confidence for film in found] == pytest.approx([0.475, 0.475])


def test_the_year_tells_films_of_one_title_apart(catalogue: Database) -> None:
    assert [(f.tmdb_id, f.confidence) for f in find(catalogue, "Dune", 1984)] == [(6, 1.0)]
    assert [(f.tmdb_id, f.confidence) for f in find(catalogue, "Dune", 2021)] == [(7, 1.0)]


@pytest.mark.parametrize("year", [1978, 1980])
def test_a_year_off_by_one_lowers_the_confidence(catalogue: Database, year: int) -> None:
    (found,) = find(catalogue, "Alien", year)
    assert (found.tmdb_id, found.confidence) == (1, pytest.approx(0.88))


@pytest.mark.parametrize("year", [1977, 1981])
def test_a_year_off_by_two_is_another_film(catalogue: Database, year: int) -> None:
    assert 1 not in ids(find(catalogue, "Alien", year))


def test_a_sequel_of_the_year_asked_for_is_no_certain_answer(catalogue: Database) -> None:
    (found,) = find(catalogue, "Alien", 1986)
    assert (found.tmdb_id, found.matched_by) == (2, "mistyped title")
    assert found.confidence < 0.8


def test_a_film_without_a_year_is_found_with_less_confidence(catalogue: Database) -> None:
    assert find(catalogue, "Nameless Year", 1999)[0].confidence == pytest.approx(0.8)


def test_nothing_like_the_title_is_no_candidate(catalogue: Database) -> None:
    assert find(catalogue, "Metropolis") == []
    assert find(catalogue, "A Room with a View and a Samurai in it") == []


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [("dark kn", [4, 5]), ("the dark kn", [4, 5]), ("DARKKN", [4, 5]), ("al", [1, 2, 3]), ("amel", [8]), ("wall", [10]),
     ("fabuleux", [8]), ("knight ri", [5]), ("千と", [9]), ("der dun", [4, 7, 6]), ("samur", [17]), ("brat", [22])],
)  # fmt: skip
def test_what_was_typed_is_completed(catalogue: Database, prefix: str, expected: list[int]) -> None:
    assert ids(complete(catalogue, prefix)) == expected


def test_the_title_that_was_completed_is_told(catalogue: Database) -> None:
    assert complete(catalogue, "der dun")[0].name == "Der dunkle Ritter"


def test_a_typed_article_is_preferred(database: Database) -> None:
    put(database, (Made(1, "Castle", 2000, 900), Made(2, "The Castle", 2000, 10)))
    update_documents(database)
    assert ids(complete(database, "the cas")) == [2, 1]
    assert ids(complete(database, "cas")) == [1, 2]


@pytest.mark.parametrize(
    ("text", "normalised"),
    [("  The  DARK-Knight! ", "the dark knight"), ("Œuvre Straße Øre", "oeuvre strasse ore"), ("8½", "8 1 2"),
     ("S.W.A.T.", "swat"), ("L'Été", "l ete"), ("Don’t", "dont"), ("ＦＵＬＬ", "full"), ("İstanbul", "istanbul"),  # noqa: RUF001
     ("ΑΛΦΆ", "αλφα"), ("Ёж", "еж"), ("기생충", "기생충"), ("Rocky II", "rocky ii"), ("🎬", "")],
)  # fmt: skip
def test_normalising_folds_case_accents_and_punctuation(database: Database, text: str, normalised: str) -> None:
    assert rows(database, "select catalog.normalised(:t)", t=text)[0][0] == normalised


def test_trigrams_are_those_of_each_word(database: Database) -> None:
    assert rows(database, "select catalog.trigrams('Cat')")[0][0] == ["  c", " ca", "at ", "cat"]
