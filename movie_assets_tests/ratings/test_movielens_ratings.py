"""Loads of releases of MovieLens: averages per film, links, and releases that are refused."""

import zipfile
from pathlib import Path

import pytest

from movie_assets_tests.ratings.loads import failure_of, metadata_of, stored, take
from movie_assets_tests.support.small_pipelines import SmallPipeline

REAL = Path(__file__).parents[3] / "shared" / "data" / "ml-latest-small"
LINKS = "movieId,imdbId,tmdbId\n1,0000001,11\n2,0000002,12\n3,0000003,\n4,0000004,12\n5,0000005,13\n"
RATINGS = """userId,movieId,rating,timestamp
1,1,4.0,964982703
1,2,3.0,964982703
2,2,5.0,964982703
2,3,0.5,964982703
3,4,1.0,964982703
3,5,5.0,964982703
"""


def movielens(folder: Path, links: str = LINKS, ratings: str = RATINGS) -> Path:
    folder.mkdir()
    (folder / "links.csv").write_text(links)
    (folder / "ratings.csv").write_text(ratings)
    return folder


def test_movielens_is_averaged_and_its_links_are_listed(rated: SmallPipeline, tmp_path: Path) -> None:
    figures = metadata_of(take(rated, movielens_ratings=str(movielens(tmp_path / "ml"))), "movielens_ratings")
    assert stored(rated) == [
        (11, "movielens", 4.0, 77.778, 1),
        (12, "movielens", 3.0, 55.556, 3),  # movies 2 and 4: 3, 5 and 1
        (13, "movielens", 5.0, 100.0, 1),
    ]
    assert (figures["movies_without_tmdb_id"], figures["films_of_several_movies"]) == (1, 1)
    assert figures["links"] == {"movies_without_tmdb_id": [3], "movies_of_one_film": {"12": [2, 4]}}
    assert (figures["rows_in"], figures["rows_without_a_film"], figures["rows_rejected"]) == (6, 1, 0)


def test_movielens_is_read_from_a_zip_as_well(rated: SmallPipeline, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "ml.zip", "w") as archive:
        archive.writestr("ml-latest/links.csv", "\ufeff" + LINKS.replace("\n", "\r\n"))
        archive.writestr("ml-latest/ratings.csv", RATINGS.replace("\n", "\r\n"))
    assert metadata_of(take(rated, movielens_ratings=str(tmp_path / "ml.zip")), "movielens_ratings")["rows_out"] == 3
    assert metadata_of(take(rated, movielens_ratings=str(tmp_path / "ml.zip")), "movielens_ratings")["is_new"] is False


def test_ratings_that_are_none_cost_themselves_only(rated: SmallPipeline, tmp_path: Path) -> None:
    bad = "9,1,NaN,1\n9,77,4,1\n9,1,4,1,5,6\n"
    many = "".join(f"{user},5,5.0,1\n" for user in range(10, 400))
    path = movielens(tmp_path / "ml", ratings=f"{RATINGS}{bad}{many}".rstrip())
    figures = metadata_of(take(rated, movielens_ratings=str(path)), "movielens_ratings")
    assert (figures["rows_rejected"], figures["rows_in"]) == (3, 399)
    assert stored(rated)[0] == (11, "movielens", 4.0, 77.778, 1)
    reasons = rated.column("select stage || ' ' || reason from pipeline.rejects order by 1")
    assert reasons == [f"movielens_ratings {reason}" for reason in ("bad_line", "bad_value", "no_link")]


@pytest.mark.parametrize(
    ("links", "ratings", "reason"),
    [(LINKS, "userId;movieId;rating\n1;1;4\n", "its ratings.csv must name its columns in the first line"),
     ("", RATINGS, "it is no CSV"), (LINKS, "userId,movieId,rating,timestamp\n", "no line that could be read")],
)  # fmt: skip
def test_a_folder_that_is_no_movielens_is_refused(
    rated: SmallPipeline, tmp_path: Path, links: str, ratings: str, reason: str
) -> None:
    assert reason in failure_of(take(rated, movielens_ratings=str(movielens(tmp_path / "ml", links, ratings))))


@pytest.mark.skipif(not REAL.is_dir(), reason=f"there is no MovieLens at {REAL}")
def test_the_real_movielens_is_loaded(rated: SmallPipeline) -> None:
    figures = metadata_of(take(rated, movielens_ratings=str(REAL)), "movielens_ratings")
    assert (figures["rows_in"], figures["rows_rejected"]) == (100_836, 0)
    assert (figures["movies"], figures["movies_without_tmdb_id"], figures["films_of_several_movies"]) == (9742, 8, 1)
    assert len(figures["links"]["movies_without_tmdb_id"]) == 8
    votes = rated.one("select sum(votes) from catalog.external_ratings where source = 'movielens'")
    assert votes == 100_836 - figures["rows_without_a_film"]
