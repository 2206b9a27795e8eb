"""Files of ratings taken in: matched, refused, skipped when they did not change.

What their lines mean is in test_rating_files.
"""

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]
REAL = Path(__file__).parents[3] / "shared" / "data" / "ml-latest-small"
IMDB = "tconst\taverageRating\tnumVotes\n"
LINKS = "movieId,imdbId,tmdbId\n1,0000001,11\n2,0000002,12\n3,0000003,\n4,0000004,12\n5,0000005,13\n"
RATINGS = """userId,movieId,rating,timestamp
1,1,4.0,964982703
1,2,3.0,964982703
2,2,5.0,964982703
2,3,0.5,964982703
3,4,1.0,964982703
3,5,5.0,964982703
"""
HEADER = "tmdb_id,imdb_id,source,scale_min,scale_max,value,votes,seen_at\n"


@pytest.fixture
def rated(small: Make) -> SmallPipeline:
    """A pipeline with films 1 to 120; each has the IMDb id tt0000000 and its number, film 120 that of film 119."""
    pipeline = small()
    put_films(pipeline.database, 1, 120)
    pipeline.do(
        "insert into catalog.movie_external_ids "
        "select tmdb_id, 'imdb', 'tt' || lpad(least(tmdb_id, 119)::text, 7, '0') from catalog.movies"
    )
    return pipeline


def imdb_file(path: Path, films: int = 120, **changes: str) -> Path:
    """IMDb's file with so many titles; `changes` replaces lines by their number, `t7="…"`."""
    lines = [changes.get(f"t{n}", f"tt{n:07}\t{5 + n % 40 / 10}\t{100 + n}") for n in range(1, films + 1)]
    path.write_bytes(gzip.compress((IMDB + "\n".join(lines) + "\n").encode()))
    return path


def take(pipeline: SmallPipeline, **settings: Any) -> Any:
    pipeline.with_settings(**settings)
    return pipeline.run("read_ratings")


def told(result: Any, asset: str) -> dict[str, Any]:
    """Metadata of an asset's materialization, which must be there."""
    (event,) = [e for e in result.get_asset_materialization_events() if e.asset_key.path == [asset]]
    return {name: value.value for name, value in event.step_materialization_data.materialization.metadata.items()}


def why_failed(result: Any) -> str:
    (event,) = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    return str(event.step_failure_data.user_failure_data.description)


def stored(pipeline: SmallPipeline) -> list[tuple[Any, ...]]:
    with pipeline.database.transaction() as connection:
        found = connection.exec_driver_sql(
            "select tmdb_id, source, round(raw_value::numeric, 4)::float, round(value::numeric, 3)::float, votes "
            "from catalog.external_ratings order by 1, 2"
        )
        return [tuple(row) for row in found]


def test_a_source_that_is_off_says_so_and_stores_nothing(rated: SmallPipeline) -> None:
    result = take(rated)
    assert result.success
    assert [told(result, f"{source}_ratings")["state"] for source in ("imdb", "movielens", "csv")] == [
        "off: set MOVIE_ASSETS_IMDB_RATINGS to switch it on",
        "off: set MOVIE_ASSETS_MOVIELENS_RATINGS to switch it on",
        "off: set MOVIE_ASSETS_RATINGS_CSV to switch it on",
    ]
    assert stored(rated) == []


def test_imdb_ratings_are_matched_by_imdb_id(rated: SmallPipeline, tmp_path: Path) -> None:
    result = take(rated, imdb_ratings=str(imdb_file(tmp_path / "r.tsv.gz", 130)))
    figures = told(result, "imdb_ratings")
    assert (figures["rows_in"], figures["rows_out"], figures["rows_without_a_film"]) == (130, 120, 11)
    rows = stored(rated)
    assert rows[6] == (7, "imdb", 5.7, 52.222, 107)
    assert [row[4] for row in rows[-2:]] == [219, 219]  # two films with one IMDb id


def test_reading_twice_leaves_the_same_rows(rated: SmallPipeline, tmp_path: Path) -> None:
    path = imdb_file(tmp_path / "r.tsv.gz")
    take(rated, imdb_ratings=str(path))
    digest = "select md5(string_agg(t::text || t.xmin, ',' order by tmdb_id)) from catalog.external_ratings t"
    before = rated.one(digest)
    again = told(take(rated, imdb_ratings=f"file://{path}"), "imdb_ratings")  # another address: it is read once more
    assert (again["is_new"], again["rows_changed"], again["rows_removed"]) == (True, 0, 0)
    assert rated.one(digest) == before


def test_a_file_that_did_not_change_is_not_read_again(rated: SmallPipeline, tmp_path: Path) -> None:
    path = str(imdb_file(tmp_path / "r.tsv.gz"))
    take(rated, imdb_ratings=path)
    assert told(take(rated, imdb_ratings=path), "imdb_ratings")["is_new"] is False
    assert rated.one("select count(*) from pipeline.rating_loads") == 1


def test_each_file_is_compared_with_its_own_last_load(rated: SmallPipeline, tmp_path: Path) -> None:
    """A second version of one file, and another file that was read later, do not have either read again."""
    own = tmp_path / "own.csv"
    own.write_text(HEADER + "7,,stars,1,5,4,10,\n")
    settings = {"imdb_ratings": str(imdb_file(tmp_path / "r.gz")), "ratings_csv": str(own)}
    take(rated, **settings)
    imdb_file(tmp_path / "r.gz", t1="tt0000001\t5.2\t101")
    assert told(take(rated, **settings), "imdb_ratings")["rows_changed"] == 1
    own.write_text(HEADER + "7,,stars,1,5,3,10,\n")
    assert told(take(rated, **settings), "csv_ratings")["rows_changed"] == 1
    again = take(rated, **settings)
    assert [told(again, name)["is_new"] for name in ("imdb_ratings", "csv_ratings")] == [False, False]


def test_a_new_film_has_an_unchanged_file_read_again(rated: SmallPipeline, tmp_path: Path) -> None:
    path = str(imdb_file(tmp_path / "r.tsv.gz", 130))
    take(rated, imdb_ratings=path)
    put_films(rated.database, 125, 125)
    rated.do("insert into catalog.movie_external_ids values (125, 'imdb', 'tt125')")
    assert told(take(rated, imdb_ratings=path), "imdb_ratings")["rows_changed"] == 1
    assert (125, "imdb", 5.5, 50.0, 225) in stored(rated)


def test_films_that_the_file_no_longer_has_lose_their_rating(rated: SmallPipeline, tmp_path: Path) -> None:
    take(rated, imdb_ratings=str(imdb_file(tmp_path / "a.gz")))
    figures = told(take(rated, imdb_ratings=str(imdb_file(tmp_path / "b.gz", 110))), "imdb_ratings")
    assert (figures["rows_removed"], len(stored(rated))) == (10, 110)


REFUSED: list[tuple[Callable[[Path], Any], str]] = [
    (lambda p: imdb_file(p, 100), "it has 100 lines where the load before had 120; to take it in nevertheless"),
    (lambda p: imdb_file(p, t1="x", t2="y"), "2 of its 120 lines could not be read"),
    (lambda p: p.write_bytes(gzip.compress(IMDB.encode())), "it has no line that could be read"),
    (lambda p: p.write_bytes(b""), "its first line is ''"),
    (lambda p: p.write_bytes(b"<html>"), "it is no title.ratings.tsv: its first line is '<html>'"),
    (lambda p: p.write_bytes(imdb_file(p).read_bytes()[:-20]), "it is damaged (EOFError"),
    (lambda p: p.write_bytes(b"\x1f\x8b junk that is no gzip"), "it is damaged (BadGzipFile"),
]


@pytest.mark.parametrize(("make", "why"), REFUSED)
def test_a_file_that_cannot_be_right_is_refused_with_nothing_changed(
    rated: SmallPipeline, tmp_path: Path, make: Callable[[Path], Any], why: str
) -> None:
    take(rated, imdb_ratings=str(imdb_file(tmp_path / "a.gz")))
    before = stored(rated)
    make(tmp_path / "b.gz")
    result = take(rated, imdb_ratings=str(tmp_path / "b.gz"))
    assert why in why_failed(result)
    assert "nothing was changed" in why_failed(result)
    assert stored(rated) == before
    assert rated.one("select count(*) from pipeline.rating_loads") == 1


def test_a_smaller_file_is_taken_in_when_told_to(rated: SmallPipeline, tmp_path: Path) -> None:
    take(rated, imdb_ratings=str(imdb_file(tmp_path / "a.gz")))
    rated.with_settings(imdb_ratings=str(imdb_file(tmp_path / "b.gz", 50)))
    config = {"ops": {"imdb_ratings": {"config": {"accept_unlike": True}}}}
    assert rated.run("read_ratings", config=config).success
    assert len(stored(rated)) == 50


@pytest.mark.parametrize("name", ["imdb_ratings", "movielens_ratings", "ratings_csv"])
def test_a_file_that_is_not_there_is_named(rated: SmallPipeline, tmp_path: Path, name: str) -> None:
    why = why_failed(take(rated, **{name: str(tmp_path / "nowhere")}))
    assert f"{tmp_path}/nowhere cannot be read: No such file or directory" in why
    assert "stay as they are" in why


def test_the_file_is_read_over_http_and_only_when_it_changed(small: Make) -> None:
    pipeline = small(*(film(n, imdb_id=f"tt{n:07}") for n in range(64, 68)))
    pipeline.run_all("read_the_day", "fetch_details")
    url = pipeline.serving.imdb_ratings_url
    assert told(take(pipeline, imdb_ratings=url), "imdb_ratings")["rows_out"] == 4
    assert told(take(pipeline, imdb_ratings=url), "imdb_ratings")["is_new"] is False
    assert pipeline.serving.requests["imdb_ratings"] == {200: 1, 304: 1}
    pipeline.turn_day()
    assert told(take(pipeline, imdb_ratings=url), "imdb_ratings")["is_new"] is True


def test_an_address_that_has_no_file_is_told_without_its_secrets(small: Make) -> None:
    pipeline = small()
    address = pipeline.serving.url.replace("http://", "http://me:canary@") + "/nothing.gz?key=canary"
    why = why_failed(take(pipeline, imdb_ratings=address))
    assert "/nothing.gz could not be fetched in 1 attempts (HTTP 404)" in why
    assert "canary" not in why


def movielens(folder: Path, links: str = LINKS, ratings: str = RATINGS) -> Path:
    folder.mkdir()
    (folder / "links.csv").write_text(links)
    (folder / "ratings.csv").write_text(ratings)
    return folder


def test_movielens_is_averaged_and_its_links_are_told(rated: SmallPipeline, tmp_path: Path) -> None:
    figures = told(take(rated, movielens_ratings=str(movielens(tmp_path / "ml"))), "movielens_ratings")
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
    assert told(take(rated, movielens_ratings=str(tmp_path / "ml.zip")), "movielens_ratings")["rows_out"] == 3
    assert told(take(rated, movielens_ratings=str(tmp_path / "ml.zip")), "movielens_ratings")["is_new"] is False


def test_ratings_that_are_none_cost_themselves_only(rated: SmallPipeline, tmp_path: Path) -> None:
    bad = "9,1,NaN,1\n9,77,4,1\n9,1,4,1,5,6\n"
    many = "".join(f"{user},5,5.0,1\n" for user in range(10, 400))
    path = movielens(tmp_path / "ml", ratings=f"{RATINGS}{bad}{many}".rstrip())
    figures = told(take(rated, movielens_ratings=str(path)), "movielens_ratings")
    assert (figures["rows_rejected"], figures["rows_in"]) == (3, 399)
    assert stored(rated)[0] == (11, "movielens", 4.0, 77.778, 1)
    reasons = rated.column("select stage || ' ' || reason from pipeline.rejects order by 1")
    assert reasons == [f"movielens_ratings {reason}" for reason in ("bad_line", "bad_value", "no_link")]


@pytest.mark.parametrize(
    ("links", "ratings", "why"),
    [(LINKS, "userId;movieId;rating\n1;1;4\n", "its ratings.csv must name its columns in the first line"),
     ("", RATINGS, "it is no CSV"), (LINKS, "userId,movieId,rating,timestamp\n", "no line that could be read")],
)  # fmt: skip
def test_a_folder_that_is_no_movielens_is_refused(
    rated: SmallPipeline, tmp_path: Path, links: str, ratings: str, why: str
) -> None:
    assert why in why_failed(take(rated, movielens_ratings=str(movielens(tmp_path / "ml", links, ratings))))


def test_a_csv_brings_sources_of_ones_own(rated: SmallPipeline, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(
        HEADER + "7,,Critics,0,100,80,12,2026-10-01\n,tt0000008,critics,0,100,55,3,\n"
        "7,,stars,1,5,4,1,\n99999,,stars,1,5,3,2,2026-10-01T12:00+02:00\n,tt9999999,stars,1,5,3,2,\n8,,stars,1,5,3,0,\n"
    )
    figures = told(take(rated, ratings_csv=str(path)), "csv_ratings")
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
    figures = told(take(rated, ratings_csv=str(path)), "csv_ratings")
    named = ["film 7 at stars (line 2 counts, not 3)", "film 8 at stars (line 5 counts, not 4)"]
    assert (figures["duplicates"], figures["duplicates_named"]) == (2, named)
    assert stored(rated)[:2] == [(7, "stars", 4.0, 75.0, 10), (8, "stars", 5.0, 100.0, 11)]
    assert f"the one seen last counts: {', '.join(named)}" in capfd.readouterr().err


def test_a_file_without_duplicates_names_none(rated: SmallPipeline, tmp_path: Path) -> None:
    assert "duplicates_named" not in told(take(rated, imdb_ratings=str(imdb_file(tmp_path / "r.gz"))), "imdb_ratings")


def rated_file(path: Path, value: float = 1.0, votes: float = 1.0, of: int = 120) -> Path:
    """IMDb's file with the values and votes of the first films multiplied."""

    def line(n: int) -> str:
        return f"tt{n:07}\t{(5 + n % 40 / 10) * value:.1f}\t{round((100 + n) * votes)}"

    return imdb_file(path, 120, **{f"t{n}": line(n) for n in range(1, of + 1)})


UNLIKE = [
    ({"value": 0.5}, "120 of 120 ratings of imdb moved by more than 10 points of 100 since the load before"),
    ({"votes": 0.5}, "120 of 120 ratings of imdb have less than 0.7 or more than 2 times the votes since"),
    ({"votes": 10}, "120 of 120 ratings of imdb have less than 0.7 or more than 2 times the votes since"),
    ({"votes": 0.5, "of": 30}, "30 of 120 ratings of imdb have less than 0.7"),
    ({"value": 0.5, "votes": 0.5}, "moved by more than 10 points of 100 since the load before and 120 of 120"),
]


@pytest.mark.parametrize(("changes", "why"), UNLIKE, ids=[str(changes) for changes, _ in UNLIKE])
def test_a_file_whose_ratings_are_unlike_those_before_is_refused(
    rated: SmallPipeline, tmp_path: Path, changes: dict[str, Any], why: str
) -> None:
    take(rated, imdb_ratings=str(imdb_file(tmp_path / "r.gz")))
    before = stored(rated)
    result = take(rated, imdb_ratings=str(rated_file(tmp_path / "r.gz", **changes)))
    assert not result.success
    assert why in why_failed(result)
    assert "launch it with accept_unlike" in why_failed(result)
    assert stored(rated) == before
    config = {"ops": {"imdb_ratings": {"config": {"accept_unlike": True}}}}
    assert rated.run("read_ratings", config=config).success
    assert stored(rated) != before


@pytest.mark.parametrize(
    "changes", [{"votes": 1.2}, {"value": 0.95}, {"votes": 0.5, "of": 12}, {"value": 0.5, "of": 11}]
)
def test_ratings_may_move_as_far_as_ratings_do(rated: SmallPipeline, tmp_path: Path, changes: dict[str, Any]) -> None:
    take(rated, imdb_ratings=str(imdb_file(tmp_path / "r.gz")))
    assert take(rated, imdb_ratings=str(rated_file(tmp_path / "r.gz", **changes))).success


@pytest.mark.parametrize(("votes", "is_taken"), [(49, True), (50, False)])
def test_ratings_of_few_votes_may_move_by_themselves(
    rated: SmallPipeline, tmp_path: Path, votes: int, is_taken: bool
) -> None:
    def file(value: float) -> str:
        return str(imdb_file(tmp_path / "r.gz", 120, **{f"t{n}": f"tt{n:07}\t{value}\t{votes}" for n in range(1, 121)}))

    take(rated, imdb_ratings=file(8.0))
    assert take(rated, imdb_ratings=file(4.0)).success is is_taken


def test_of_several_lines_the_one_that_counts_is_compared(rated: SmallPipeline, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    films = range(1, 121)
    path.write_text(HEADER + "".join(f"{n},,stars,0,10,8,100,2026-01-01\n" for n in films))
    assert take(rated, ratings_csv=str(path)).success
    older = "".join(f"{n},,stars,0,10,2,100,2026-01-01\n" for n in films)
    path.write_text(HEADER + older + "".join(f"{n},,stars,0,10,8,100,2026-02-01\n" for n in films))
    assert take(rated, ratings_csv=str(path)).success


def test_a_source_that_left_the_csv_leaves_the_catalogue_and_no_other(rated: SmallPipeline, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(HEADER + "7,,stars,1,5,4,10,\n7,,critics,1,5,4,10,\n")
    take(rated, ratings_csv=str(path), imdb_ratings=str(imdb_file(tmp_path / "r.gz", 5)))
    path.write_text(HEADER + "7,,stars,1,5,4,10,\n8,,stars,1,5,4,10,\n")
    take(rated, ratings_csv=str(path))
    assert rated.column("select distinct source from catalog.external_ratings order by 1") == ["imdb", "stars"]


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


@pytest.mark.skipif(not REAL.is_dir(), reason=f"there is no MovieLens at {REAL}")
def test_the_real_movielens_is_taken_in(rated: SmallPipeline) -> None:
    figures = told(take(rated, movielens_ratings=str(REAL)), "movielens_ratings")
    assert (figures["rows_in"], figures["rows_rejected"]) == (100_836, 0)
    assert (figures["movies"], figures["movies_without_tmdb_id"], figures["films_of_several_movies"]) == (9742, 8, 1)
    assert len(figures["links"]["movies_without_tmdb_id"]) == 8
    votes = rated.one("select sum(votes) from catalog.external_ratings where source = 'movielens'")
    assert votes == 100_836 - figures["rows_without_a_film"]
