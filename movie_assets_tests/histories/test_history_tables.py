"""Letterboxd's, IMDb's and MovieLens' files: what is read, what is passed over, what is rejected and why."""

from datetime import UTC, datetime

import pytest

from movie_assets.histories.cells import date_in
from movie_assets.histories.imdb import read_imdb
from movie_assets.histories.letterboxd import read_letterboxd
from movie_assets.histories.rows import Entry, MovieName, Tally, TooLargeError
from movie_assets_tests.histories.history_files import (
    DIARY,
    IMDB_LIST,
    IMDB_NEW,
    IMDB_OLD,
    NOW,
    RATINGS,
    imdb,
    letterboxd,
    reasons,
)


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
