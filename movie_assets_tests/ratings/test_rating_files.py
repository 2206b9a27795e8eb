"""The parsers of IMDb's file, of CSVs and of MovieLens, and their reasons to reject lines and files."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO

import pandas as pd
import pytest

from movie_assets.ratings.file_formats import (
    FileCounts,
    Rating,
    UnreadableFileError,
    imdb_number,
    read_csv,
    read_imdb,
    reasons_to_refuse,
)
from movie_assets.ratings.movielens import RatingSums, read_links

SEEN = datetime(2026, 10, 5, 2, tzinfo=UTC)
NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
FILMS = {7: [70], 8: [80, 81]}
IMDB = "tconst\taverageRating\tnumVotes"
HEADER = "tmdb_id,imdb_id,source,scale_min,scale_max,value,votes,seen_at"
LINKS = "movieId,imdbId,tmdbId\n1,0000001,11\n2,0000002,12\n3,0000003,\n4,0000004,12\n"


def imdb(*lines: str) -> tuple[list[Rating], FileCounts]:
    counts = FileCounts()
    return list(read_imdb([f"{line}\n".encode() for line in (IMDB, *lines)], FILMS, counts, SEEN)), counts


def own(*lines: str, header: str = HEADER) -> tuple[list[Rating], FileCounts]:
    counts = FileCounts()
    return list(read_csv([f"{line}\n".encode() for line in (header, *lines)], FILMS, counts, SEEN, NOW)), counts


def test_an_imdb_line_is_a_rating_of_each_film_with_its_id() -> None:
    ratings, counts = imdb("tt0000007\t7.1\t12", "tt0000008\t10\t5", "tt0000009\t3.5\t9")
    assert ratings == [
        Rating(2, 70, "imdb", (1.0, 10.0), 7.1, 12, SEEN),
        Rating(3, 80, "imdb", (1.0, 10.0), 10.0, 5, SEEN),
        Rating(3, 81, "imdb", (1.0, 10.0), 10.0, 5, SEEN),
    ]
    assert (counts.lines, counts.unmatched, counts.rejected) == (3, 1, 0)


@pytest.mark.parametrize(
    ("line", "reason"),
    [("tt0000007\tNaN\t5", "bad_value"), ("tt0000007\tinf\t5", "bad_value"), ("tt0000007\t-1\t5", "bad_value"),
     ("tt0000007\t11\t5", "bad_value"), ("tt0000007\t0.9\t5", "bad_value"), ("tt0000007\tgood\t5", "bad_value"),
     ("tt0000007\t7\t-5", "bad_votes"), ("tt0000007\t7\t1000000000000", "bad_votes"),
     ("tt0000007\t7\tmany", "bad_votes"), ("tt0000007\t7\t1_0", "bad_votes"), ("nm0000007\t7\t5", "bad_id"),
     ("tt0000007\t7", "bad_line"), ("\x00\ufffd", "bad_line"), ("x" * 70_000, "bad_line")],
)  # fmt: skip
def test_an_imdb_line_that_is_no_rating_is_counted_with_its_reason(line: str, reason: str) -> None:
    ratings, counts = imdb(line, "tt0000007\t7.1\t12")
    assert (len(ratings), counts.lines, counts.rejected) == (1, 1, 1)
    ((counted_as, sample),) = counts.samples
    assert counted_as == reason
    assert len(sample) <= 500
    assert "\x00" not in sample


@pytest.mark.parametrize("line", ["tt0000007\t7.0\t0", "tt0000007\t\\N\t\\N", "tt0000007\t0\t0"])
def test_a_rating_of_nobody_is_none(line: str) -> None:
    ratings, counts = imdb(line)
    assert (ratings, counts.unrated, counts.rejected) == ([], 1, 0)


def test_bom_carriage_returns_and_blank_lines_are_no_harm() -> None:
    lines = [b"\xef\xbb\xbf" + IMDB.encode() + b"\r\n", b"tt0000007\t7.0\t9\r\n", b"\r\n"]
    counts = FileCounts()
    assert [r.title_id for r in read_imdb(lines, FILMS, counts, SEEN)] == [70]
    assert counts.rejected == 0


@pytest.mark.parametrize("lines", [[], [b"<html>\n"], [b"tt0000007\t7.0\t9\n"]])
def test_another_file_than_imdbs_is_refused(lines: list[bytes]) -> None:
    with pytest.raises(UnreadableFileError, match=r"it is no title\.ratings\.tsv"):
        list(read_imdb(lines, FILMS, FileCounts(), SEEN))


@pytest.mark.parametrize(
    ("written", "number"), [("tt0000007", 7), ("7", 7), ("tt0012345678", 12345678), ("nm7", None), ("", None)]
)
def test_an_imdb_id_is_a_number_with_or_without_zeros(written: str, number: int | None) -> None:
    assert imdb_number(written) == number


def test_a_csv_line_names_the_film_by_either_id() -> None:
    ratings, counts = own(
        "7,,Critics,0,100,80,12,2026-10-01", ",tt0000008,stars,1,5,4,3,", ",tt9999999,stars,1,5,3,2,",
        "8,,stars,1,5,3,0,", "99999,,stars,1,5,3,2,2026-10-01T12:00+02:00",
    )  # fmt: skip
    assert ratings == [
        Rating(2, 7, "critics", (0.0, 100.0), 80.0, 12, datetime(2026, 10, 1, tzinfo=UTC)),
        Rating(3, 80, "stars", (1.0, 5.0), 4.0, 3, SEEN),
        Rating(3, 81, "stars", (1.0, 5.0), 4.0, 3, SEEN),
        Rating(6, 99999, "stars", (1.0, 5.0), 3.0, 2, datetime(2026, 10, 1, 10, tzinfo=UTC)),
    ]
    assert (counts.lines, counts.unmatched, counts.unrated, counts.rejected) == (5, 1, 1, 0)


@pytest.mark.parametrize(
    ("line", "reason"),
    [("7,,stars,1,5,nan,10,", "bad_value"), ("7,,stars,1,5,6,10,", "bad_value"), ("7,,stars,1,5,1_0,10,", "bad_value"),
     ("7,,stars,1,5,text,10,", "bad_value"), ("7,,stars,1,inf,3,10,", "bad_scale"), ("7,,stars,5,1,3,10,", "bad_scale"),
     ("7,,stars,5,5,5,10,", "bad_scale"), ("7,,stars,1,5,3,-1,", "bad_votes"), ("7,,stars,1,5,3,,", "bad_votes"),
     ("7,,stars,1,5,3,1000000000000,", "bad_votes"), ("7,,stars,1,5,3,1.5,", "bad_votes"),
     ("0,,stars,1,5,3,1,", "bad_id"),
     ("x,,stars,1,5,3,1,", "bad_id"), (",,stars,1,5,3,1,", "bad_id"), ("7,,IMDb,1,5,3,1,", "reserved_source"),
     ("7,,,1,5,3,1,", "bad_source"), ("7,,stars,1,5,3,1,2126-01-01", "bad_time"), ("7,,stars,1,5,3,1,soon", "bad_time"),
     ("7,stars", "bad_line"), (f"7,,{'x' * 140_000},1,5,3,1,", "bad_line")],
)  # fmt: skip
def test_a_csv_line_that_is_no_rating_is_counted_with_its_reason(line: str, reason: str) -> None:
    ratings, counts = own(line, "7,,stars,1,5,4,10,")
    assert [r.raw_value for r in ratings] == [4.0]
    assert [counted_as for counted_as, _ in counts.samples] == [reason]


@pytest.mark.parametrize("later", ["", '19000,"rt",0,100,55,10'])
def test_a_quote_that_is_never_closed_costs_all_lines_that_it_swallows(later: str) -> None:
    lines = [f"{film},rt,0,100,55,10" for film in range(1, 20_001)]
    lines[18_499] = '18500,"rt,0,100,55,10'
    lines[18_999] = later or lines[18_999]
    ratings, counts = own(*lines, header="tmdb_id,source,scale_min,scale_max,value,votes")
    assert counts.lines == len(ratings)
    assert counts.lines + counts.rejected == 20_000
    assert counts.rejected == (501 if later else 1501)
    assert counts.samples == [("bad_line", "")]
    assert len(reasons_to_refuse(counts, None)) == 1


def test_a_cell_of_another_column_may_have_several_lines() -> None:
    ratings, counts = own('7,stars,1,5,4,10,"one', 'two"', header="tmdb_id,source,scale_min,scale_max,value,votes,note")
    assert ([rating.title_id for rating in ratings], counts.lines, counts.rejected) == ([7], 1, 0)


def test_a_header_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match="must name the columns; it cannot be read"):
        own("7,stars,1,5,4,10", header='tmdb_id,"source,scale_min,scale_max,value,votes')


@pytest.mark.parametrize(
    ("header", "missing"),
    [("film,source,value,votes", "scale_min, scale_max, tmdb_id or imdb_id"), ("", "source, scale_min"),
     ("tmdb_id;source;scale_min;scale_max;value;votes", "source, scale_min, scale_max")],
)  # fmt: skip
def test_a_csv_without_its_columns_is_refused_with_their_names(header: str, missing: str) -> None:
    with pytest.raises(UnreadableFileError, match=missing):
        own(header=header)


def test_columns_come_in_any_order_and_case() -> None:
    ratings, _ = own("10,4,5,1,stars,7", header=" Votes,VALUE,scale_max,scale_min,source,tmdb_id")
    assert ratings == [Rating(2, 7, "stars", (1.0, 5.0), 4.0, 10, SEEN)]


def averages(lines: str, links: str = LINKS) -> tuple[list[tuple[int, float, int]], FileCounts]:
    counts = FileCounts()
    whole = RatingSums(read_links(pd.read_csv(StringIO(links)), counts))
    for chunk in pd.read_csv(StringIO("userId,movieId,rating\n" + lines), chunksize=3):
        whole.add(chunk, counts)
    return [(r.title_id, r.raw_value, r.votes) for r in whole.ratings(SEEN)], counts


def test_movies_of_one_film_are_merged_by_their_votes() -> None:
    ratings, counts = averages("1,1,4\n1,2,3\n2,2,5\n2,3,0.5\n3,4,1\n")
    assert ratings == [(11, 4.0, 1), (12, 3.0, 3)]
    assert (counts.lines, counts.unmatched, counts.rejected) == (5, 1, 0)


def test_links_without_a_film_or_to_one_film_are_listed() -> None:
    links = read_links(pd.read_csv(StringIO(LINKS)), FileCounts())
    assert (links.without_film, links.same_film) == ([3], {12: [2, 4]})


@pytest.mark.parametrize(
    ("line", "reason"),
    [("9,1,NaN", "bad_value"), ("9,1,inf", "bad_value"), ("9,1,5.5", "bad_value"), ("9,1,-1", "bad_value"),
     ("9,1,0", "bad_value"), ("9,1,good", "bad_value"), ("9,1", "bad_value"), ("9,1,True", "bad_value"),
     ("9,x,4", "bad_movie_id"), ("9,,4", "bad_movie_id"), ("9,1.5,4", "bad_movie_id"), ("9,1e300,4", "bad_movie_id"),
     ("9,77,4", "no_link")],
)  # fmt: skip
def test_a_single_rating_that_is_none_costs_itself_only(line: str, reason: str) -> None:
    ratings, counts = averages(f"1,1,4\n{line}\n1,2,3\n")
    assert ratings == [(11, 4.0, 1), (12, 3.0, 1)]
    assert [counted_as for counted_as, _ in counts.samples] == [reason]


@pytest.mark.parametrize(
    ("line", "reason"), [("x,1,13", "bad_movie_id"), ("9,1,x", "bad_id"), ("9,1,-4", "bad_id"), ("9,1,1.5", "bad_id")]
)
def test_a_link_that_is_none_costs_itself_only(line: str, reason: str) -> None:
    ratings, counts = averages("1,1,4\n1,2,3\n", f"{LINKS}{line}\n")
    assert ratings == [(11, 4.0, 1), (12, 3.0, 1)]
    assert [counted_as for counted_as, _ in counts.samples] == [reason]


@pytest.mark.parametrize(
    ("read", "reason"),
    [(lambda: averages("1,1,4\n", "a,b\n1,2\n"),
      "links.csv must name its columns in the first line; there is no movieId"),
     (lambda: averages("1,1,4\n", "movieId,tmdbId\n"), "its links.csv has no line that could be read"),
     (lambda: RatingSums(read_links(pd.read_csv(StringIO(LINKS)), FileCounts())).add(
         pd.DataFrame({"movieId": [1]}), FileCounts()), "ratings.csv must name its columns"),
    ],
)  # fmt: skip
def test_another_file_than_movielens_is_refused(read: Callable[[], object], reason: str) -> None:
    with pytest.raises(UnreadableFileError, match=reason):
        read()


def test_bad_ratings_are_counted_in_full_and_kept_in_part() -> None:
    _, counts = averages("".join(f"{user},1,9\n" for user in range(500)))
    assert (counts.rejected, len(counts.samples)) == (500, 100)


@pytest.mark.parametrize(
    ("lines", "rejected", "before", "reasons"),
    [(1000, 0, None, 0), (1000, 10, None, 0), (1000, 11, None, 1), (0, 5, 100, 1), (900, 0, 1000, 0), (899, 0, 1000, 1),
     (800, 9, 1000, 2)],
)  # fmt: skip
def test_a_file_with_too_few_or_too_many_bad_lines_is_refused(
    lines: int, rejected: int, before: int | None, reasons: int
) -> None:
    assert len(reasons_to_refuse(FileCounts(lines=lines, rejected=rejected), before)) == reasons
