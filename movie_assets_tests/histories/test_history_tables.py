"""Letterboxd's, IMDb's and MovieLens' files: what is read, what is passed over, what is rejected and why."""

from datetime import UTC, datetime

import pytest

from movie_assets.histories.cells import date_in, imdb_id_in, rating_in, title_in
from movie_assets.histories.file_formats import UnknownFormatError, is_read, recognise
from movie_assets.histories.imdb import read_imdb
from movie_assets.histories.letterboxd import read_letterboxd
from movie_assets.histories.movie_names import name_keys
from movie_assets.histories.movielens import read_movielens, read_movies, title_and_year
from movie_assets.histories.rows import Entry, MovieName, RowError, Tally, TooLargeError, decoded

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DIARY = "Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date\n"
RATINGS = "Date,Name,Year,Letterboxd URI,Rating\n"
IMDB_OLD = "Const,Your Rating,Date Rated,Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,Genres\n"
IMDB_NEW = "Const,Your Rating,Date Rated,Title,Original Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,Genres\n"
LETTERBOXD_LIST = (
    'Letterboxd list export v7\nDate,Name,Tags,URL,Description\n2024-01-02,Noir,,https://b/l,"long,\nlonger"\n\n'
    "Position,Name,Year,URL,Description\n1,One,2000,https://b/1,\n"
)
TRAKT_RATING = '[{"rated_at": "2024-03-05T11:00:00.000Z", "rating": 9, "movie": {"title": "One", "ids": {"tmdb": 12}}}]'
IMDB_LIST = "Position,Const,Created,Modified,Description,Title,Original Title,URL,Title Type,Year,Your Rating\n"


def letterboxd(text: str, *, is_wanted: bool = False) -> tuple[list[Entry], Tally]:
    tally = Tally("a.csv")
    return list(read_letterboxd(text.splitlines(keepends=True), tally, NOW, is_wanted=is_wanted)), tally


def imdb(text: str, *, unrated_is_wanted: bool = False) -> tuple[list[Entry], Tally]:
    tally = Tally("a.csv")
    read = read_imdb(text.splitlines(keepends=True), tally, NOW, unrated_is_wanted=unrated_is_wanted)
    return [entry for entry in read if isinstance(entry, Entry)], tally


def movielens(ratings: str, links: str, movies: str = "") -> tuple[list[Entry], Tally]:
    tally = Tally("ratings.csv")
    films = read_movies(links.splitlines(keepends=True), Tally("l"), movies.splitlines(keepends=True), Tally("m"))
    return list(read_movielens(ratings.splitlines(keepends=True), films, tally, NOW)), tally


def reasons(tally: Tally) -> list[tuple[int, str]]:
    return [(reject.line, reject.reason) for reject in tally.rejects]


def test_a_diary_names_a_film_as_often_as_it_was_seen() -> None:
    entries, tally = letterboxd(
        DIARY + '2024-01-03,"Hello, Lighthouse",1999,https://b/x1,4.5,,"sea, storm",2024-01-02\n'
        '2025-02-03,"Hello, Lighthouse",1999,https://b/x2,3,Yes,,2025-02-01\n'
    )
    film = MovieName("Hello, Lighthouse", 1999)
    assert entries == [
        Entry(film, 2, False, 90, datetime(2024, 1, 2, tzinfo=UTC)),
        Entry(film, 3, False, 60, datetime(2025, 2, 1, tzinfo=UTC)),
    ]
    assert (tally.rows, tally.rejected, tally.is_whole) == (2, 0, True)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [("12/10", "has “12/10” for a rating"), ("abc", "has “abc” for a rating"),
     ("0.4", "has a rating of 0.4, and ratings go from 0.5 to 5"),
     ("5.5", "has a rating of 5.5, and ratings go from 0.5 to 5"),
     ("nan", "has a rating of nan, and ratings go from 0.5 to 5"),
     ("-1", "has a rating of -1, and ratings go from 0.5 to 5"),
     ("1e999", "has a rating of 1e999, and ratings go from 0.5 to 5")],
)  # fmt: skip
def test_an_absurd_rating_rejects_its_row_and_no_other(cell: str, reason: str) -> None:
    entries, tally = letterboxd(RATINGS + f"2024-01-01,One,2000,u1,{cell}\n2024-01-01,Two,2001,u2,5\n")
    assert [entry.movie.title for entry in entries] == ["Two"]
    assert reasons(tally) == [(2, reason)]
    assert not tally.is_whole


def test_missing_years_and_dates_that_cannot_be_right_are_unknown() -> None:
    entries, tally = letterboxd(
        RATINGS + "2024-01-01,One,,u1,5\n2030-01-01,Two,20x1,u2,5\nyesterday,Three,9999,u3,5\n,Four,1850,u4,5\n"
    )
    assert [(entry.movie.year, entry.seen_at) for entry in entries] == [
        (None, datetime(2024, 1, 1, tzinfo=UTC)), (None, None), (None, None), (None, None),
    ]  # fmt: skip
    assert tally.dates_unread == 2


def test_lines_are_counted_over_newlines_in_quotes() -> None:
    entries, tally = letterboxd(
        DIARY + '2024-01-03,One,1999,u,4.5,,"sea\nstorm",\r\n\r\n2024-01-03,Two,1999,u,x,,,\r\n'
    )
    assert [entry.line for entry in entries] == [2]
    assert entries[0].seen_at == datetime(2024, 1, 3, tzinfo=UTC)
    assert reasons(tally) == [(5, "has “x” for a rating")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [("2024-01-01,,2000,u,5", "has no title"), ("2024-01-01,A\x00b,2000,u,5", "has NUL characters"),
     ("2024-01-01,One, Two,2000,u,5", "has 6 cells, the header has 5"),
     ('2024-01-01,"One"x, y,2000,u,5', "cannot be read: ',' expected after '\"'")],
)  # fmt: skip
def test_a_bad_row_is_rejected_with_its_line(row: str, reason: str) -> None:
    entries, tally = letterboxd(RATINGS + row + "\n2024-01-01,Two,2001,u2,5\n")
    assert [entry.movie.title for entry in entries] == ["Two"]
    assert reasons(tally) == [(2, reason)]
    assert not tally.is_cut


@pytest.mark.parametrize("end", ["2024-01-01,Two", '2024-01-01,"Two, or', "2024-01-01,Two,2001,u"])
def test_a_cut_file_is_known_to_be_cut(end: str) -> None:
    entries, tally = letterboxd(RATINGS + "2024-01-01,One,2000,u1,5\n" + end)
    assert len(entries) == 1
    assert (tally.is_cut, tally.rejected) == (True, 1)


def test_a_header_alone_is_a_whole_file_without_films() -> None:
    entries, tally = letterboxd(RATINGS)
    assert (entries, tally.rows, tally.is_whole) == ([], 0, True)


def test_only_the_first_hundred_rejects_are_listed() -> None:
    _, tally = letterboxd(RATINGS + "2024-01-01,One,2000,u1,x\n" * 250)
    assert (tally.rejected, len(tally.rejects)) == (250, 100)


@pytest.mark.parametrize(
    ("header", "films"), [(IMDB_OLD, "{id},{rating},{day},{title},u,{kind},7.1,100,{year},Drama\n"),
                          (IMDB_NEW, "{id},{rating},{day},{title},Otro,u,{kind},7.1,100,{year},Drama\n")]
)  # fmt: skip
def test_both_forms_of_imdbs_ratings_are_read(header: str, films: str) -> None:
    row = {"rating": 9, "day": "2024-05-06", "year": 2001}
    text = header + films.format(id="tt0000012", title="One", kind="Movie", **row)
    text += films.format(id="tt0000013", title="Two", kind="tvMovie", **row)
    for kind in ("TV Series", "tvEpisode", "tvMiniSeries", "Video Game", "Podcast Episode", ""):
        text += films.format(id="tt0000014", title="No film", kind=kind, **row)
    entries, tally = imdb(text)
    assert entries[0] == Entry(MovieName("One", 2001, "tt0000012"), 2, False, 90, datetime(2024, 5, 6, tzinfo=UTC))
    assert [entry.movie.title for entry in entries] == ["One", "Two", "No film"]
    assert dict(tally.passed_over) == {"Video Game": 1, "Podcast Episode": 1}
    assert dict(tally.assumed) == {"no title type": 1}
    assert [(remark.line, remark.reason) for remark in tally.remarks] == [
        (7, "passed over: Video Game"), (8, "passed over: Podcast Episode"), (9, "no title type"),
    ]  # fmt: skip
    assert tally.is_whole


TITLE_TYPES = {
    "movie": "Movie; movie; tvMovie; TV Movie; TV Special; tvShort; Short; Video; Film; TV-Film; Fernsehfilm; "
    "Kurzfilm; Court métrage; Téléfilm; Película; Cortometraje; Película de TV; Film TV; Cortometraggio; Filme; "
    "Curta-metragem; ?",
    "series": "TV Series; tvMiniSeries; TV-Serie; Miniserie; Série télévisée; Serie de TV; Serie TV; Série",
    "episode": "TV Episode; tvEpisode; TV-Folge; TV-Episode; Épisode de série; Episodio de TV; Episódio de TV",
    "other": "Video Game; videoGame; Videospiel; Jeu vidéo; Videojuego; Videogioco; Music Video; Musikvideo; "
    "Podcast Series; Podcast-Folge",
}


@pytest.mark.parametrize(("kind", "titles"), TITLE_TYPES.items())
def test_a_title_type_is_understood_in_other_languages_and_an_unknown_one_is_a_film(kind: str, titles: str) -> None:
    for number, title_type in enumerate(titles.split("; "), start=1):
        tally = Tally("a.csv")
        text = IMDB_OLD + f"tt000{number:04},7,2024-01-01,One,u,{title_type},7.1,100,2001,Drama\n"
        read = list(read_imdb(text.splitlines(keepends=True), tally, NOW, unrated_is_wanted=False))
        kinds = ["movie" if isinstance(entry, Entry) else entry.kind for entry in read] or ["other"]
        assert (title_type, kinds) == (title_type, [kind])
        assert tally.rejected == 0


def test_the_columns_of_imdbs_older_exports_are_read() -> None:
    entries, tally = imdb(
        '"position","const","created","Title","Title type","You rated","Year"\n'
        '"1","tt0000012","x","One","Feature Film","8","1999"\n'
    )
    assert [(entry.movie, entry.rating) for entry in entries] == [(MovieName("One", 1999, "tt0000012"), 80)]
    assert tally.rejects == []


@pytest.mark.parametrize("cell", ["4,5", "4.5", " 4,50 "])
def test_a_comma_in_a_rating_is_a_decimal_comma(cell: str) -> None:
    tally = Tally("a.csv")
    text = f"Date;Name;Year;Letterboxd URI;Rating\n03.02.2024;One;2000;u1;{cell}\n"
    entries = list(read_letterboxd(text.splitlines(keepends=True), tally, NOW, is_wanted=False, delimiter=";"))
    assert [(entry.rating, entry.seen_at) for entry in entries] == [(90, datetime(2024, 2, 3, tzinfo=UTC))]


@pytest.mark.parametrize("cell", ["0", "0.0", "0,0"])
def test_a_rating_of_nothing_at_letterboxd_is_a_film_that_was_seen_and_not_rated(cell: str) -> None:
    entries, tally = letterboxd(RATINGS + f'2024-01-01,One,2000,u1,"{cell}"\n')
    assert [(entry.rating, entry.is_wanted) for entry in entries] == [(None, False)]
    assert tally.rejected == 0


def test_empty_cells_at_the_end_of_a_row_may_be_missing_or_too_many() -> None:
    entries, tally = letterboxd(RATINGS + "2024-01-01,One,2000,u1,5,,,\n2024-01-01,Two,2001,u2\n2024-01-01,Three\n")
    assert [(entry.movie.title, entry.rating) for entry in entries] == [("One", 100), ("Two", None), ("Three", None)]
    assert (tally.rejected, tally.is_whole) == (0, True)
    entries, tally = letterboxd(RATINGS.replace("Rating", "Rating,,,") + "2024-01-01,One,2000,u1,5,,,\n")
    assert (len(entries), tally.rejected) == (1, 0)


def test_the_last_row_without_a_newline_is_whole_where_rows_before_it_are_as_short() -> None:
    entries, tally = letterboxd(RATINGS + "2024-01-01,One,2000,u1\n2024-01-01,Two,2001,u2")
    assert (len(entries), tally.is_whole) == (2, True)


def test_a_file_with_more_rows_or_columns_than_a_person_has_is_refused() -> None:
    tally = Tally("a.csv", max_rows=3)
    text = RATINGS + "2024-01-01,One,2000,u1,5\n" * 4
    with pytest.raises(TooLargeError, match=r"a\.csv has more than 3 rows"):
        list(read_letterboxd(text.splitlines(keepends=True), tally, NOW, is_wanted=False))
    with pytest.raises(TooLargeError, match="201 columns"):
        letterboxd(",".join("abc" for _ in range(201)) + "\n")


@pytest.mark.parametrize(
    ("cell", "day"),
    [("2024-05-06", (2024, 5, 6)), ("2024-05-06T10:00:00Z", (2024, 5, 6)), ("06.05.2024", (2024, 5, 6)),
     ("2024/05/06", (2024, 5, 6)), ("Mon May  6 00:00:00 2024", (2024, 5, 6)), ("06 May 2024", (2024, 5, 6)),
     ("05/06/2024", None), ("45418", None)],
)  # fmt: skip
def test_a_date_is_read_where_it_can_mean_one_day_only(cell: str, day: tuple[int, int, int] | None) -> None:
    tally = Tally("a.csv")
    assert date_in(cell, NOW, tally) == (datetime(*day, tzinfo=UTC) if day else None)
    assert tally.dates_unread == (day is None)


def test_a_film_on_imdbs_watchlist_that_is_rated_was_seen() -> None:
    entries, _ = imdb(
        IMDB_LIST + "1,tt0000012,2024-01-01,,,One,One,u,Movie,2001,\n2,tt0000013,2024-01-01,,,Two,Two,u,Movie,2001,8\n",
        unrated_is_wanted=True,
    )
    assert [(entry.is_wanted, entry.rating) for entry in entries] == [(True, None), (False, 80)]


def test_an_imdb_id_that_is_none_is_rejected() -> None:
    _, tally = imdb(IMDB_OLD + "nm0000012,5,,One,u,movie,7,100,2001,Drama\ntt0,5,,One,u,movie,7,100,2001,Drama\n")
    assert reasons(tally) == [(2, "has “nm0000012” for an IMDb id"), (3, "has “tt0” for an IMDb id")]


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
