"""Loads of IMDb's file of ratings: they are matched, refused, or skipped when the file did not change.

The parsers of the lines are tested in test_rating_files.
"""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from movie_assets_tests.ratings.loads import HEADER, IMDB, failure_of, imdb_file, metadata_of, stored, take
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]


def test_a_disabled_source_reports_its_setting_and_stores_nothing(rated: SmallPipeline) -> None:
    result = take(rated)
    assert result.success
    assert [metadata_of(result, f"{source}_ratings")["state"] for source in ("imdb", "movielens", "csv")] == [
        "off: set MOVIE_ASSETS_IMDB_RATINGS to switch it on",
        "off: set MOVIE_ASSETS_MOVIELENS_RATINGS to switch it on",
        "off: set MOVIE_ASSETS_RATINGS_CSV to switch it on",
    ]
    assert stored(rated) == []


def test_imdb_ratings_are_matched_by_imdb_id(rated: SmallPipeline, tmp_path: Path) -> None:
    result = take(rated, imdb_ratings=str(imdb_file(tmp_path / "r.tsv.gz", 130)))
    figures = metadata_of(result, "imdb_ratings")
    assert (figures["rows_in"], figures["rows_out"], figures["rows_without_a_film"]) == (130, 120, 11)
    rows = stored(rated)
    assert rows[6] == (7, "imdb", 5.7, 52.222, 107)
    assert [row[4] for row in rows[-2:]] == [219, 219]  # two films with one IMDb id


def test_reading_twice_leaves_the_same_rows(rated: SmallPipeline, tmp_path: Path) -> None:
    path = imdb_file(tmp_path / "r.tsv.gz")
    take(rated, imdb_ratings=str(path))
    digest = "select md5(string_agg(t::text || t.xmin, ',' order by title_id)) from catalog.title_ratings t"
    before = rated.one(digest)
    again = metadata_of(take(rated, imdb_ratings=f"file://{path}"), "imdb_ratings")  # another address
    assert (again["is_new"], again["rows_changed"], again["rows_removed"]) == (True, 0, 0)
    assert rated.one(digest) == before


def test_a_file_that_did_not_change_is_not_read_again(rated: SmallPipeline, tmp_path: Path) -> None:
    path = str(imdb_file(tmp_path / "r.tsv.gz"))
    take(rated, imdb_ratings=path)
    assert metadata_of(take(rated, imdb_ratings=path), "imdb_ratings")["is_new"] is False
    assert rated.one("select count(*) from pipeline.rating_loads") == 1


def test_each_file_is_compared_with_its_own_last_load(rated: SmallPipeline, tmp_path: Path) -> None:
    """A second version of one file, and another file that was read later, do not have either read again."""
    own = tmp_path / "own.csv"
    own.write_text(HEADER + "7,,stars,1,5,4,10,\n")
    settings = {"imdb_ratings": str(imdb_file(tmp_path / "r.gz")), "ratings_csv": str(own)}
    take(rated, **settings)
    imdb_file(tmp_path / "r.gz", t1="tt0000001\t5.2\t101")
    assert metadata_of(take(rated, **settings), "imdb_ratings")["rows_changed"] == 1
    own.write_text(HEADER + "7,,stars,1,5,3,10,\n")
    assert metadata_of(take(rated, **settings), "csv_ratings")["rows_changed"] == 1
    again = take(rated, **settings)
    assert [metadata_of(again, name)["is_new"] for name in ("imdb_ratings", "csv_ratings")] == [False, False]


def test_a_new_film_has_an_unchanged_file_read_again(rated: SmallPipeline, tmp_path: Path) -> None:
    path = str(imdb_file(tmp_path / "r.tsv.gz", 130))
    take(rated, imdb_ratings=path)
    put_films(rated.database, 125, 125)
    rated.do("insert into catalog.movie_external_ids values (125, 'imdb', 'tt125')")
    assert metadata_of(take(rated, imdb_ratings=path), "imdb_ratings")["rows_changed"] == 1
    assert (125, "imdb", 5.5, 50.0, 225) in stored(rated)


def test_films_that_the_file_no_longer_has_lose_their_rating(rated: SmallPipeline, tmp_path: Path) -> None:
    take(rated, imdb_ratings=str(imdb_file(tmp_path / "a.gz")))
    figures = metadata_of(take(rated, imdb_ratings=str(imdb_file(tmp_path / "b.gz", 110))), "imdb_ratings")
    assert (figures["rows_removed"], len(stored(rated))) == (10, 110)


REFUSED: list[tuple[Callable[[Path], Any], str]] = [
    (lambda p: imdb_file(p, 100), "it has 100 lines where the previous load had 120; to load it nevertheless"),
    (lambda p: imdb_file(p, t1="x", t2="y"), "2 of its 120 lines could not be read"),
    (lambda p: p.write_bytes(gzip.compress(IMDB.encode())), "it has no line that could be read"),
    (lambda p: p.write_bytes(b""), "its first line is ''"),
    (lambda p: p.write_bytes(b"<html>"), "it is no title.ratings.tsv: its first line is '<html>'"),
    (lambda p: p.write_bytes(imdb_file(p).read_bytes()[:-20]), "it is damaged (EOFError"),
    (lambda p: p.write_bytes(b"\x1f\x8b junk that is no gzip"), "it is damaged (BadGzipFile"),
]


@pytest.mark.parametrize(("make", "reason"), REFUSED)
def test_a_file_that_cannot_be_right_is_refused_with_nothing_changed(
    rated: SmallPipeline, tmp_path: Path, make: Callable[[Path], Any], reason: str
) -> None:
    take(rated, imdb_ratings=str(imdb_file(tmp_path / "a.gz")))
    before = stored(rated)
    make(tmp_path / "b.gz")
    result = take(rated, imdb_ratings=str(tmp_path / "b.gz"))
    assert reason in failure_of(result)
    assert "The stored ratings were not changed" in failure_of(result)
    assert stored(rated) == before
    assert rated.one("select count(*) from pipeline.rating_loads") == 1


def test_a_smaller_file_is_loaded_when_accept_unlike_is_set(rated: SmallPipeline, tmp_path: Path) -> None:
    take(rated, imdb_ratings=str(imdb_file(tmp_path / "a.gz")))
    rated.with_settings(imdb_ratings=str(imdb_file(tmp_path / "b.gz", 50)))
    config = {"ops": {"imdb_ratings": {"config": {"accept_unlike": True}}}}
    assert rated.run("read_ratings", config=config).success
    assert len(stored(rated)) == 50


@pytest.mark.parametrize("name", ["imdb_ratings", "movielens_ratings", "ratings_csv"])
def test_a_file_that_is_not_there_is_named(rated: SmallPipeline, tmp_path: Path, name: str) -> None:
    reason = failure_of(take(rated, **{name: str(tmp_path / "nowhere")}))
    assert f"{tmp_path}/nowhere cannot be read: No such file or directory" in reason
    assert "The stored ratings were not changed" in reason


def test_the_file_is_read_over_http_and_only_when_it_changed(small: Make) -> None:
    pipeline = small(*(film(n, imdb_id=f"tt{n:07}") for n in range(64, 68)))
    pipeline.run_all("read_the_day", "fetch_details")
    url = pipeline.serving.imdb_ratings_url
    assert metadata_of(take(pipeline, imdb_ratings=url), "imdb_ratings")["rows_out"] == 4
    assert metadata_of(take(pipeline, imdb_ratings=url), "imdb_ratings")["is_new"] is False
    assert pipeline.serving.requests["imdb_ratings"] == {200: 1, 304: 1}
    pipeline.turn_day()
    assert metadata_of(take(pipeline, imdb_ratings=url), "imdb_ratings")["is_new"] is True


def test_an_address_that_has_no_file_is_named_without_its_secrets(small: Make) -> None:
    pipeline = small()
    address = pipeline.serving.url.replace("http://", "http://me:canary@") + "/nothing.gz?key=canary"
    reason = failure_of(take(pipeline, imdb_ratings=address))
    assert "/nothing.gz could not be fetched in 1 attempts (HTTP 404)" in reason
    assert "canary" not in reason


def test_new_ratings_are_a_reason_to_publish(rated: SmallPipeline, tmp_path: Path) -> None:
    rated.run("publish")
    count = (
        "select coalesce(sum(changed), 0) from pipeline.rating_loads "
        "where loaded_at > (select max(computed_at) from catalog.rating_methods)"
    )
    assert rated.one(count) == 0
    rated.turn_day()
    take(rated, imdb_ratings=str(imdb_file(tmp_path / "r.gz")))
    assert rated.one(count) == 120
