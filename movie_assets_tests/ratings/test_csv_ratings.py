"""Loads of a CSV with ratings of other sources."""

from pathlib import Path

import pytest

from movie_assets_tests.ratings.loads import HEADER, imdb_file, metadata_of, stored, take
from movie_assets_tests.support.small_pipelines import SmallPipeline


def test_a_csv_brings_sources_of_ones_own(rated: SmallPipeline, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(
        HEADER + "7,,Critics,0,100,80,12,2026-10-01\n,tt0000008,critics,0,100,55,3,\n"
        "7,,stars,1,5,4,1,\n99999,,stars,1,5,3,2,2026-10-01T12:00+02:00\n,tt9999999,stars,1,5,3,2,\n8,,stars,1,5,3,0,\n"
    )
    figures = metadata_of(take(rated, ratings_csv=str(path)), "csv_ratings")
    assert stored(rated) == [
        (7, "critics", 80.0, 80.0, 12), (7, "stars", 4.0, 75.0, 1), (8, "critics", 55.0, 55.0, 3),
        (99999, "stars", 3.0, 50.0, 2),
    ]  # fmt: skip
    assert (figures["rows_unrated"], figures["rows_without_a_film"], figures["rows_rejected"]) == (1, 1, 0)
    assert rated.one("select seen_at = '2026-10-01' from catalog.external_ratings where tmdb_id = 7 and votes = 12")


def test_of_several_lines_about_a_film_the_one_seen_last_counts_and_all_are_named(
    rated: SmallPipeline, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "own.csv"
    path.write_text(
        HEADER + "7,,stars,1,5,4,10,2026-10-02\n7,,stars,1,5,1,99,2026-10-01\n"
        "8,,stars,1,5,3,10,2026-10-01\n8,,stars,1,5,5,11,2026-10-01\n9,,stars,1,5,5,11,\n9,,critics,1,5,5,11,\n"
    )
    figures = metadata_of(take(rated, ratings_csv=str(path)), "csv_ratings")
    named = ["film 7 at stars (line 2 counts, not 3)", "film 8 at stars (line 5 counts, not 4)"]
    assert (figures["duplicates"], figures["duplicates_named"]) == (2, named)
    assert stored(rated)[:2] == [(7, "stars", 4.0, 75.0, 10), (8, "stars", 5.0, 100.0, 11)]
    assert f"the line seen last was stored: {', '.join(named)}" in capfd.readouterr().err


def test_a_file_without_duplicates_names_none(rated: SmallPipeline, tmp_path: Path) -> None:
    assert "duplicates_named" not in metadata_of(
        take(rated, imdb_ratings=str(imdb_file(tmp_path / "r.gz"))), "imdb_ratings"
    )


def test_a_source_that_left_the_csv_leaves_the_catalogue_and_no_other(rated: SmallPipeline, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(HEADER + "7,,stars,1,5,4,10,\n7,,critics,1,5,4,10,\n")
    take(rated, ratings_csv=str(path), imdb_ratings=str(imdb_file(tmp_path / "r.gz", 5)))
    path.write_text(HEADER + "7,,stars,1,5,4,10,\n8,,stars,1,5,4,10,\n")
    take(rated, ratings_csv=str(path))
    assert rated.column("select distinct source from catalog.external_ratings order by 1") == ["imdb", "stars"]
