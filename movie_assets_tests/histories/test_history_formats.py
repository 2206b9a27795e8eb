"""The format of a file is recognised by its content; its encoding, titles and ids are read."""

from datetime import UTC, datetime

import pytest

from movie_assets.histories.cells import imdb_id_in, rating_in, title_in
from movie_assets.histories.file_formats import UnknownFormatError, is_read, recognise
from movie_assets.histories.movie_names import name_keys
from movie_assets.histories.movielens import read_movielens, read_movies, title_and_year
from movie_assets.histories.rows import Entry, MovieName, RowError, Tally, decoded
from movie_assets_tests.histories.history_files import DIARY, IMDB_LIST, IMDB_NEW, IMDB_OLD, NOW, RATINGS, reasons

LETTERBOXD_LIST = (
    'Letterboxd list export v7\nDate,Name,Tags,URL,Description\n2024-01-02,Noir,,https://b/l,"long,\nlonger"\n\n'
    "Position,Name,Year,URL,Description\n1,One,2000,https://b/1,\n"
)
TRAKT_RATING = '[{"rated_at": "2024-03-05T11:00:00.000Z", "rating": 9, "movie": {"title": "One", "ids": {"tmdb": 12}}}]'


def movielens(ratings: str, links: str, movies: str = "") -> tuple[list[Entry], Tally]:
    tally = Tally("ratings.csv")
    films = read_movies(links.splitlines(keepends=True), Tally("l"), movies.splitlines(keepends=True), Tally("m"))
    return list(read_movielens(ratings.splitlines(keepends=True), films, tally, NOW)), tally


def test_movielens_users_rate_films_by_the_ids_of_links() -> None:
    entries, tally = movielens(
        "userId,movieId,rating,timestamp\n1,10,3.5,1000000000\n2,10,5,bad\n2,77,5,1\nx,10,5,1\n2,10,,1\n",
        "movieId,imdbId,tmdbId\n10,0000012,\n",
        'movieId,title,genres\n10,"One, The (Uno) (1999)",Drama\n',
    )
    film = MovieName("The One", 1999, "tt0000012", None, "10")
    assert entries == [
        Entry(film, 2, False, 70, datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC), "movielens:1"),
        Entry(film, 3, False, 100, None, "movielens:2"),
    ]
    assert reasons(tally) == [
        (4, "rates the film 77, which links.csv and movies.csv do not have"), (5, "has “x” for a user"),
        (6, "has no rating"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Matrix, The (1999)", ("The Matrix", 1999)), ("Toys (1990–1993)", ("Toys", 1990)), ("Toys", ("Toys", None)),  # noqa: RUF001
     ("Avventura, L' (Adventure, The) (1960)", ("L'Avventura", 1960)), ("2012 (2009)", ("2012", 2009)),
     ("(500) Days (2009)", ("(500) Days", 2009))],
)  # fmt: skip
def test_movielens_titles_have_their_year_behind_and_the_article_last(text: str, expected: tuple[str, int]) -> None:
    assert title_and_year(text) == expected


@pytest.mark.parametrize(
    "body",
    ["Amélie\n".encode(encoding) for encoding in ("cp1252", "utf-8-sig", "utf-16", "utf-8")],
)
def test_each_encoding_of_exports_is_read(body: bytes) -> None:
    assert decoded(body) == "Amélie\n"


def test_a_file_that_is_cut_within_a_letter_keeps_its_other_letters() -> None:
    assert decoded("Amélie, Léon, 7½".encode()[:-1]) == "Amélie, Léon, 7\ufffd"


@pytest.mark.parametrize(
    ("name", "beginning", "source", "part", "is_wanted"),
    [("x.csv", DIARY, "letterboxd", "diary", False), ("x.csv", "\ufeff" + RATINGS, "letterboxd", "ratings", False),
     ("a/watchlist-me-2026.csv", "Date,Name,Year,Letterboxd URI\n", "letterboxd", "watchlist", True),
     ("watched.csv", "Date,Name,Year,Letterboxd URI\n", "letterboxd", "watched", False),
     ("r.csv", "Date;Name;Year;Letterboxd URI;Rating\r\n", "letterboxd", "ratings", False),
     ("reviews.csv", DIARY.replace("Tags", "Review,Tags"), "letterboxd", None, False),
     ("x.csv", IMDB_OLD, "imdb", "ratings", False), ("x.csv", IMDB_NEW, "imdb", "ratings", False),
     ("WATCHLIST.csv", IMDB_LIST, "imdb", "watchlist", True), ("noir.csv", IMDB_LIST, "imdb", "list: noir", True),
     ("x.csv", "userId,movieId,rating,timestamp\n", "movielens", "ratings", False),
     ("x.csv", "movieId,imdbId,tmdbId\n", "movielens", "links", False),
     ("tags.csv", "userId,movieId,tag,timestamp\n", "movielens", None, False),
     ("r.csv", "sep=;\r\nDate;Name;Year;Letterboxd URI;Rating\r\n", "letterboxd", "ratings", False),
     ("noir.csv", LETTERBOXD_LIST, "letterboxd", "list: noir", True),
     ("x.csv", "Letterboxd URI;Name;Year;Watched Date\n", "letterboxd", "diary", False),
     ("movielens-ratings.csv", "movie_id,imdb_id,tmdb_id,rating,title\n", "movielens", "site ratings", False),
     ("ratings-movies.json", TRAKT_RATING, "trakt", "ratings", False),
     ("watched-movies.json", TRAKT_RATING.replace("rated_at", "last_watched_at"), "trakt", "watched", False),
     ("watched-history-1.json", TRAKT_RATING.replace("rated_at", "watched_at"), "trakt", "diary", False),
     ("lists-watchlist.json", TRAKT_RATING.replace("rated_at", "listed_at"), "trakt", "watchlist", True),
     ("lists-noir.json", TRAKT_RATING.replace("rated_at", "listed_at"), "trakt", "list: lists-noir", True),
     ("collection-movies.json", TRAKT_RATING.replace("rated_at", "collected_at"), "trakt", None, False),
     ("SimklBackup.json", '{"movies": [{"status": "completed", "movie": {}}]}', "simkl", "watched", False),
     ("SimklBackup.csv", "SIMKL_ID,Title,Type,Year,Watchlist\n", "simkl", "watched", False),
     ("mine.txt", "Akira\nCats (2019)\nDogs (2018)\n", "list", "list: mine", False),
     ("mine.txt", "Cats (2019)\nDogs (2018)\n", "list", "list: mine", False),
     ("mine.txt", "\n\nOne: 1999 | R | 1h 42m | 8.5 rating\nA story.\n", "list", "list: mine", False)],
)  # fmt: skip
def test_a_format_is_recognised_by_its_content(
    name: str, beginning: str, source: str, part: str | None, is_wanted: bool
) -> None:
    recognised = recognise(name, beginning)
    assert (recognised.source, recognised.part, recognised.is_wanted) == (source, part, is_wanted)


@pytest.mark.parametrize(
    ("name", "beginning", "message"),
    [("x.csv", "", "x.csv is empty"), ("x.csv", "\n \n", "x.csv is empty"),
     ("x.csv", "Name,Colour\nOne,blue\n", "begins with “Name,Colour”"),
     ("x.json", '{"a": 1}', "x.json is JSON, but neither Trakt's nor Simkl's"),
     ("x.csv", "Letterboxd list export v7\nDate,Name\n", "without its table of films"),
     ("notes.txt", "Dear diary\nthis is what I did today\n", "begins with “Dear diary”"),
     ("x.csv", "id,title\n1,Cats (2019)\n", "begins with “id,title”"),
     ("x.csv", "<!doctype html>\n", "begins with “<!doctype html>”"),
     ("films.csv", "Date,Name,Year,Letterboxd URI\n", "say --seen or --wanted")],
)  # fmt: skip
def test_an_unknown_or_ambiguous_format_is_refused(name: str, beginning: str, message: str) -> None:
    with pytest.raises(UnknownFormatError, match=message):
        recognise(name, beginning)


def test_a_person_can_say_what_a_file_without_ratings_is() -> None:
    header = "Date,Name,Year,Letterboxd URI\n"
    assert recognise("films.csv", header, "wanted").part == "watchlist"
    assert recognise("watchlist.csv", header, "seen").part == "watched"
    assert not recognise("noir.csv", IMDB_LIST, "seen").is_wanted


@pytest.mark.parametrize(
    ("member", "counts"),
    [("diary.csv", True), ("me/diary.csv", True), ("deleted/diary.csv", False), ("me/orphaned/diary.csv", False),
     ("likes/films.csv", False),
     ("me\\deleted\\diary.csv", False), ("me\\diary.csv", True), ("lists/noir.csv", False),
     ("__MACOSX/._diary.csv", False), ("._diary.csv", False)],
)  # fmt: skip
def test_deleted_and_orphaned_files_of_an_archive_are_no_history(member: str, counts: bool) -> None:
    assert is_read(member) is counts


def test_films_of_one_title_and_year_are_twins_where_the_source_tells_them_apart() -> None:
    films = [
        MovieName("A", 2000, ref="u1"),
        MovieName("A", 2000, ref="u2"),
        MovieName("A", 2000),
        MovieName("B", ref="u3"),
    ]
    assert name_keys(films) == [("A (2000) u1", 2), ("A (2000) u2", 2), ("A (2000)", 2), ("B", 1)]
    assert name_keys([MovieName("A", 2000, "tt0000001", 5), MovieName("A", 2000, "tt0000001")]) == [
        ("tmdb:5", 1), ("imdb:tt0000001", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("bad_id", ["tt12345678901", "tt1.5", "0"])
def test_ids_are_digits_that_are_not_zero(bad_id: str) -> None:
    with pytest.raises(RowError):
        imdb_id_in(bad_id)
    assert [imdb_id_in(cell) for cell in ("", "1", "tt0133093", " 12345678 ")] == [
        None, "tt0000001", "tt0133093", "tt12345678",
    ]  # fmt: skip


def test_titles_are_kept_as_they_are_but_for_blanks_and_control_characters() -> None:
    assert title_in("  Ame\u0301lie \t 2 \x07") == "Amélie 2"
    assert len(title_in("x" * 10_000)) == 500
    assert rating_in("", 1, 10) is None
