"""The daily export's lines, good and bad, and when a whole export is refused."""

import json
import tracemalloc
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from movie_assets.tmdb.export_lines import (
    ExportCounts,
    ExportLine,
    LoadBefore,
    read_lines,
    reasons_to_refuse,
)
from movie_assets.tmdb.media import MOVIES

LINE = {"adult": False, "id": 3924, "original_title": "Blondie", "popularity": 1.8133, "video": False}
BLONDIE = ExportLine(3924, "Blondie", 1.8133, adult=False, video=False, softcore=False)


def written(**changes: Any) -> bytes:
    return json.dumps(LINE | changes).encode()


def read(*lines: bytes) -> tuple[list[ExportLine], ExportCounts]:
    counts = ExportCounts()
    return list(read_lines(lines, counts)), counts


def test_the_file_name_has_the_month_first() -> None:
    assert MOVIES.export_file(date(2026, 8, 5)) == "movie_ids_08_05_2026.json.gz"


def test_a_line_is_read() -> None:
    found, counts = read(written() + b"\n")
    assert (found, counts.lines, counts.rejected) == ([BLONDIE], 1, 0)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + written(),
        written() + b"\r\n",
        b"  " + written() + b" \n",
        written(unknown={"a": 1}),
    ],
    ids=["byte order mark", "carriage return", "outer blanks", "unknown key"],
)
def test_a_line_that_is_only_dressed_differently_is_read(content: bytes) -> None:
    assert read(content)[0] == [BLONDIE]


def test_blank_lines_are_skipped_and_not_counted() -> None:
    found, counts = read(b"\n", b"  \r\n", written(), b"", b"\xef\xbb\xbf\n")
    assert (len(found), counts.lines, counts.rejected) == (1, 1, 0)


def test_a_last_line_that_is_cut_is_rejected() -> None:
    found, counts = read(written(), written(id=2)[:40])
    assert (len(found), counts.rejected, counts.samples[0][0]) == (1, 1, "not_json")


def test_an_id_that_is_there_twice_passes_twice() -> None:
    found, counts = read(written(), written(original_title="Other"))
    assert ([line.tmdb_id for line in found], counts.lines) == ([3924, 3924], 2)


@pytest.mark.parametrize("bad", [0, -1, "550", None, 550.0, True, 10**9, 10**30, [1], {}])
def test_a_bad_id_is_rejected(bad: Any) -> None:
    found, counts = read(written(id=bad))
    assert (found, counts.samples[0][0]) == ([], "bad_id")


def test_a_line_without_an_id_is_rejected() -> None:
    assert read(b'{"adult":false,"video":false,"popularity":1}')[1].samples[0][0] == "bad_id"


@pytest.mark.parametrize("good", [1, 10**9 - 1])
def test_the_smallest_and_the_largest_id_are_read(good: int) -> None:
    assert read(written(id=good))[0][0].tmdb_id == good


@pytest.mark.parametrize("flag", ["adult", "video", "softcore"])
@pytest.mark.parametrize("bad", ["False", "yes", 0, 2, None, [], "", ["true"]])
def test_a_flag_of_another_type_is_rejected(flag: str, bad: Any) -> None:
    found, counts = read(written(**{flag: bad}))
    assert (found, counts.samples[0][0]) == ([], "bad_flag")


@pytest.mark.parametrize("flag", ["adult", "video", "softcore"])
def test_a_flag_is_what_the_line_says(flag: str) -> None:
    assert getattr(read(written(**{flag: True}))[0][0], flag) is True


def test_softcore_is_false_where_the_line_does_not_know_it() -> None:
    assert read(written())[0][0].softcore is False


@pytest.mark.parametrize(
    "literal",
    ["NaN", "Infinity", "-Infinity", "-1", '"5"', "null", "true", "[]", "1e999", "1" + "0" * 400],
    ids=lambda literal: literal[:10],
)
def test_an_odd_popularity_is_zero(literal: str) -> None:
    line = b'{"adult":false,"id":1,"original_title":"","popularity":%b,"video":false}' % literal.encode()
    (found,), counts = read(line)
    assert (found.popularity, counts.repaired) == (0.0, 1)


def test_a_missing_popularity_is_zero() -> None:
    (found,), counts = read(b'{"adult":false,"id":1,"original_title":"","video":false}')
    assert (found.popularity, counts.repaired) == (0.0, 1)


def test_a_popularity_of_zero_is_no_repair() -> None:
    (found,), counts = read(written(popularity=0))
    assert (found.popularity, counts.repaired) == (0.0, 0)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("a\0b", "ab"), ("half \ud83d", "half ?"), (None, ""), (5, ""), ("x" * 600, "x" * 500), ("फ़िल्म 🎬", "फ़िल्म 🎬")],
    ids=["nul", "lone surrogate", "null", "number", "long", "other scripts"],
)
def test_a_title_that_cannot_be_stored_is_mended(given: Any, kept: str) -> None:
    assert read(written(original_title=given))[0][0].original_title == kept


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html>", "not_json"),
        (b"\x1f\x8b\x08\x00", "not_json"),
        (b'{"id": ' + b"1" * 5000 + b"}", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"[]", "not_an_object"),
        (b"null", "not_an_object"),
        (b"550", "not_an_object"),
    ],
    ids=lambda value: str(value[:12]),
)
def test_a_line_that_is_no_object_is_rejected(content: bytes, reason: str) -> None:
    found, counts = read(content)
    assert (found, counts.samples[0][0]) == ([], reason)


def test_a_sample_is_short_and_without_nul() -> None:
    (_, sample) = read(b"\x00" + b"x" * 10_000)[1].samples[0]
    assert len(sample) <= 500
    assert "\0" not in sample


def test_only_the_first_bad_lines_are_kept_as_samples() -> None:
    counts = read(*[b"x"] * 1000)[1]
    assert (counts.rejected, len(counts.samples)) == (1000, 100)


def test_a_bad_line_among_good_ones_costs_only_itself() -> None:
    found, counts = read(written(id=1), b"{", written(id=2))
    assert ([line.tmdb_id for line in found], counts.lines, counts.rejected) == ([1, 2], 2, 1)


def test_lines_are_read_in_constant_memory() -> None:
    def many() -> Iterator[bytes]:
        for number in range(5_000):
            yield written(id=number + 1)

    tracemalloc.start()
    try:
        assert sum(1 for _ in read_lines(many(), ExportCounts())) == 5_000
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def load(lines: int, kept: int | None = None, median: float | None = 2.0) -> LoadBefore:
    return LoadBefore(lines, kept, median)


@pytest.mark.parametrize(
    ("lines", "rejected", "median", "before"),
    [
        (1000, 0, 2.0, None),
        (1000, 0, 2.0, load(0, 0, None)),
        (900, 0, 2.0, load(1000, 900)),
        (990, 10, 2.0, None),
        (2000, 0, 2.0, load(1000, 1000)),
        (1000, 0, 2.0, load(1000)),
        (1000, 0, 0.3, load(1000, 1000)),
        (1000, 0, 0.0, load(1000, 1000, 0.0)),
    ],
    ids=["first", "after an empty one", "a tenth fewer", "one in a hundred bad", "grown", "nothing left to compare",
         "a new scale", "no popularity before either"],
)  # fmt: skip
def test_an_export_that_can_be_right_is_believed(
    lines: int, rejected: int, median: float, before: LoadBefore | None
) -> None:
    assert reasons_to_refuse(lines, rejected, median, before) == []


@pytest.mark.parametrize(
    ("lines", "rejected", "median", "before", "words"),
    [
        (0, 0, None, load(1000, 0), "no line"),
        (0, 5, None, None, "no line"),
        (989, 11, 2.0, None, "11 of its 1,000 lines could not be read"),
        (899, 0, 2.0, load(1000, 899), "899 lines where the load before had 1,000"),
        (1000, 0, 2.0, load(1000, 899), "lists 899 of the 1,000 ids of the load before"),
        (1000, 0, 21.0, load(1000, 1000), "median popularity is 21 where the load before had 2"),
        (1000, 0, 0.1, load(1000, 1000), "median popularity is 0.1 where"),
        (1000, 0, 0.0, load(1000, 1000), "median popularity is 0 where"),
    ],
)
def test_an_export_that_cannot_be_right_is_refused(
    lines: int, rejected: int, median: float | None, before: LoadBefore | None, words: str
) -> None:
    (reason,) = reasons_to_refuse(lines, rejected, median, before)
    assert words in reason


def test_every_reason_to_refuse_is_named() -> None:
    assert len(reasons_to_refuse(500, 100, 30.0, load(1000, 500))) == 3
