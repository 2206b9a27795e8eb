"""The inbox: the imports in it with their persons, and the files that are read with others or not at all."""

import os
from pathlib import Path

import pytest

from movie_assets.histories.bundles import HistoryFileError, opened_bundle
from movie_assets.histories.inbox import Inbox

MOVIELENS = {
    "ratings.csv": "userId,movieId,rating,timestamp\n1,1,4,1\n",
    "links.csv": "movieId,imdbId,tmdbId\n1,0000001,11\n",
    "movies.csv": "movieId,title,genres\n1,One (1999),Drama\n",
    "tags.csv": "userId,movieId,tag,timestamp\n1,1,good,1\n",
}
LETTERBOXD = {
    "watched.csv": "Date,Name,Year,Letterboxd URI\n2023-01-01,Alien,1979,u1\n",
    "profile.csv": "Date Joined,Username\n2020-01-01,me\n",
    "deleted/diary.csv": "Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date\n",
    "likes/films.csv": "Date,Name,Year,Letterboxd URI\n2023-01-01,Alien,1979,u1\n",
}


def put(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def imports(folder: Path) -> list[tuple[str, str]]:
    return sorted((person, path.relative_to(folder).as_posix()) for person, path in Inbox(folder).files())


@pytest.mark.parametrize("person", ["me", "ann"])
def test_the_files_of_movielens_beside_its_ratings_are_no_imports_of_their_own(tmp_path: Path, person: str) -> None:
    folder = tmp_path if person == "me" else tmp_path / person
    put(folder, {**MOVIELENS, "letterboxd-ann.csv": LETTERBOXD["watched.csv"]})
    (folder / "ratings.csv").rename(folder / "ml-ratings.csv")
    prefix = "" if person == "me" else f"{person}/"
    assert imports(tmp_path) == [(person, f"{prefix}letterboxd-ann.csv"), (person, f"{prefix}ml-ratings.csv")]
    with opened_bundle(folder / "ml-ratings.csv") as bundle:
        assert {member.name for member in bundle.members} == {"ml-ratings.csv", "links.csv", "movies.csv"}


def test_without_the_ratings_beside_them_they_are_imports(tmp_path: Path) -> None:
    put(tmp_path, {"links.csv": MOVIELENS["links.csv"]})
    assert imports(tmp_path) == [("me", "links.csv")]


def test_an_unpacked_release_is_one_import(tmp_path: Path) -> None:
    put(tmp_path / "ml-latest-small", MOVIELENS)
    put(tmp_path / "ann" / "ml", MOVIELENS)
    assert imports(tmp_path) == [("ann", "ann/ml"), ("me", "ml-latest-small")]


def test_an_unpacked_export_of_a_person_is_one_import(tmp_path: Path) -> None:
    put(tmp_path / "alice" / "letterboxd-alice", LETTERBOXD)
    assert imports(tmp_path) == [("alice", "alice/letterboxd-alice")]
    with opened_bundle(tmp_path / "alice" / "letterboxd-alice") as bundle:
        assert {member.name for member in bundle.members} == {"watched.csv", "profile.csv"}


@pytest.mark.parametrize("person", ["me", "letterboxd-bob"])
def test_an_export_may_be_unpacked_among_a_persons_files(tmp_path: Path, person: str) -> None:
    put(tmp_path if person == "me" else tmp_path / person, LETTERBOXD)
    assert imports(tmp_path) == [(person, "watched.csv" if person == "me" else f"{person}/watched.csv")]


def test_an_empty_folder_and_hidden_files_are_nothing_and_a_folder_without_texts_is_an_import(tmp_path: Path) -> None:
    put(tmp_path / "ann", {"photos/cat.jpg": "a cat", ".cache/a.csv": "x", ".b.csv": "x"})
    (tmp_path / "ann" / "empty").mkdir()
    assert imports(tmp_path) == [("ann", "ann/photos")]
    with (
        pytest.raises(HistoryFileError, match="has no csv, txt, tsv or json files in it"),
        opened_bundle(tmp_path / "ann" / "photos"),
    ):
        pass


def test_a_folder_is_as_old_as_its_newest_file(tmp_path: Path) -> None:
    put(tmp_path / "ann", {"unpacked/watched.csv": LETTERBOXD["watched.csv"], "later.csv": LETTERBOXD["watched.csv"]})
    os.utime(tmp_path / "ann" / "unpacked" / "watched.csv", (1_000_000_000, 1_000_000_000))
    os.utime(tmp_path / "ann" / "later.csv", (1_100_000_000, 1_100_000_000))
    assert [path.name for _, path in Inbox(tmp_path).files()] == ["unpacked", "later.csv"]


def test_a_link_that_leads_nowhere_stops_no_other(tmp_path: Path) -> None:
    put(tmp_path, {"watched.csv": LETTERBOXD["watched.csv"]})
    (tmp_path / "broken.csv").symlink_to(tmp_path / "nowhere.csv")
    assert imports(tmp_path) == [("me", "watched.csv")]
