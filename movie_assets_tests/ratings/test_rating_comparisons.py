"""Files of ratings are refused when their ratings differ too much from those of the previous load."""

from pathlib import Path
from typing import Any

import pytest

from movie_assets_tests.ratings.loads import HEADER, failure_of, imdb_file, stored, take
from movie_assets_tests.support.small_pipelines import SmallPipeline


def rated_file(path: Path, value: float = 1.0, votes: float = 1.0, of: int = 120) -> Path:
    """IMDb's file with the values and votes of the first films multiplied."""

    def line(n: int) -> str:
        return f"tt{n:07}\t{(5 + n % 40 / 10) * value:.1f}\t{round((100 + n) * votes)}"

    return imdb_file(path, 120, **{f"t{n}": line(n) for n in range(1, of + 1)})


UNLIKE = [
    ({"value": 0.5}, "120 of 120 ratings of imdb moved by more than 10 points of 100 since the previous load"),
    ({"votes": 0.5}, "120 of 120 ratings of imdb have less than 0.7 or more than 2 times the votes since"),
    ({"votes": 10}, "120 of 120 ratings of imdb have less than 0.7 or more than 2 times the votes since"),
    ({"votes": 0.5, "of": 30}, "30 of 120 ratings of imdb have less than 0.7"),
    ({"value": 0.5, "votes": 0.5}, "moved by more than 10 points of 100 since the previous load and 120 of 120"),
]


@pytest.mark.parametrize(("changes", "reason"), UNLIKE, ids=[str(changes) for changes, _ in UNLIKE])
def test_a_file_whose_ratings_are_unlike_those_before_is_refused(
    rated: SmallPipeline, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    take(rated, imdb_ratings=str(imdb_file(tmp_path / "r.gz")))
    before = stored(rated)
    result = take(rated, imdb_ratings=str(rated_file(tmp_path / "r.gz", **changes)))
    assert not result.success
    assert reason in failure_of(result)
    assert "launch it with accept_unlike" in failure_of(result)
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
