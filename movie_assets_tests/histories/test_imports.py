"""Imports into a real catalogue: matches, names that wait for a person, and repeated imports, which change nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from movie_assets.database.database import Database
from movie_assets.histories.choices import ImportFailedError
from movie_assets.search.search_documents import update_documents
from movie_assets_tests.histories.history_imports import (
    EXPORT,
    IMDB,
    RATINGS,
    WATCHED,
    archive,
    file,
    histories,
    run,
    taken,
)
from movie_assets_tests.support.made_films import FILMS, Made, put

TABLES = (
    "catalog.watch_histories", "pipeline.named_films", "pipeline.match_reviews", "pipeline.watch_entries",
    "pipeline.requested_ids", "pipeline.movie_ids",
)  # fmt: skip


def whole_tables(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of the tables that imports write, by table."""
    return {table: run(database, f"select * from {table} t order by t::text") for table in TABLES}


def test_a_letterboxd_archive_is_matched_by_title_and_year(catalogue: Database, tmp_path: Path) -> None:
    report = taken(catalogue, archive(tmp_path, EXPORT))
    assert (report.source, report.person) == ("letterboxd", "me")
    assert (report.rows, report.films, report.by_title, report.ambiguous, report.unknown) == (11, 6, 3, 2, 1)
    assert report.unknown_names == ["Metropolis Reconsidered (1927)"]
    assert report.ambiguous_names == ["Der dunkle Ritter (2007)", "Dune"]
    assert (report.added, report.updated, report.removed, report.unchanged, report.rejected) == (3, 0, 0, 0, 0)
    assert histories(catalogue) == [
        (1, False, 90, "2024-02-28"), (2, False, 10, "2023-02-02"), (8, True, None, None),
    ]  # fmt: skip


def test_the_same_again_changes_nothing(catalogue: Database, tmp_path: Path) -> None:
    path = archive(tmp_path, EXPORT)
    taken(catalogue, path)
    before = whole_tables(catalogue)
    report = taken(catalogue, path)
    assert (report.changed, report.unchanged) == (0, 3)
    assert whole_tables(catalogue) == before
    (first, second) = run(catalogue, "select digest, person, files, counts from pipeline.imports order by import_id")
    assert first[:3] == second[:3]
    assert (first[3]["added"], second[3]["added"]) == (3, 0)


def test_an_edited_rating_updates_and_a_film_that_left_leaves(catalogue: Database, tmp_path: Path) -> None:
    taken(catalogue, archive(tmp_path, EXPORT))
    newer = dict(EXPORT, **{"ratings.csv": RATINGS + "2023-01-01,Alien,1979,u1,5\n"})
    newer["watched.csv"] = EXPORT["watched.csv"].replace("2023-01-02,Aliens,1986,u2\n", "")
    report = taken(catalogue, archive(tmp_path, newer))
    assert (report.added, report.updated, report.removed, report.unchanged) == (0, 1, 1, 1)
    assert histories(catalogue, "tmdb_id, rating") == [(1, 100), (8, None)]


def test_a_single_file_replaces_its_kind_only(catalogue: Database, tmp_path: Path) -> None:
    taken(catalogue, archive(tmp_path, EXPORT))
    report = taken(catalogue, file(tmp_path, "watchlist-me.csv", WATCHED + "2024-01-01,WALL-E,2008,u7\n"))
    assert (report.added, report.removed, report.unchanged) == (1, 1, 2)
    assert [row[0] for row in histories(catalogue)] == [1, 2, 10]


@pytest.mark.parametrize("spoil", ['2023-02-02,"Aliens, 198', "2023-02-02,Aliens,1986,u2,12/10\n"])
def test_a_file_that_was_not_read_as_a_whole_takes_nothing_out(catalogue: Database, tmp_path: Path, spoil: str) -> None:
    taken(catalogue, file(tmp_path, "ratings.csv", EXPORT["ratings.csv"]))
    path = file(tmp_path, "ratings.csv", RATINGS + "2023-01-01,Alien,1979,u1,5\n" + spoil)
    report = taken(catalogue, path)
    assert (report.rejected, report.kept, report.updated, report.removed) == (1, 1, 1, 0)
    assert "were kept" in report.notes[0]
    assert (report.rejects[0].file, report.rejects[0].line) == ("ratings.csv", 3)
    assert taken(catalogue, path, replace=True).removed == 1


def test_an_export_that_lost_most_of_the_films_is_refused_unless_it_is_meant(
    catalogue: Database, tmp_path: Path
) -> None:
    many = RATINGS + "".join(f"2023-01-01,{film.title},{film.year or ''},u{film.tmdb_id},4\n" for film in FILMS)
    taken(catalogue, file(tmp_path, "ratings.csv", many))
    before = whole_tables(catalogue)
    few = file(tmp_path, "ratings.csv", RATINGS + "2023-01-01,Alien,1979,u1,4\n")
    with pytest.raises(ImportFailedError, match=r"would delete 21 of the 22 stored entries; .* say --replace"):
        taken(catalogue, few)
    assert whole_tables(catalogue) == before
    assert taken(catalogue, few, replace=True).removed > 10


def test_movielens_users_are_people_and_ids_that_are_not_in_the_catalogue_are_stored(
    catalogue: Database, tmp_path: Path
) -> None:
    file(
        tmp_path,
        "links.csv",
        "movieId,imdbId,tmdbId\n10,0000079,1\n11,0000079,\n12,,4242\n13,,4242\n14,0000777,\n15,,\n",
    )
    file(tmp_path, "movies.csv", 'movieId,title,genres\n15,"Dark Knight, The (2008)",Action\n14,Nothing (1999),Drama\n')
    ratings = "userId,movieId,rating,timestamp\n" + "".join(
        f"{user},{movie},{rating},{stamp}\n"
        for user, movie, rating, stamp in (
            (1, 10, 4, 1000000000), (1, 11, 2, 1100000000), (1, 12, 5, 1000000000), (1, 13, 1, 1100000000),
            (2, 14, 3, 1000000000), (2, 15, 3, 1000000000), (2, 10, 0.5, 1000000000),
        )
    )  # fmt: skip
    path = file(tmp_path, "ratings.csv", ratings)
    report = taken(catalogue, path)
    assert (report.rows, report.films, report.by_id, report.by_title, report.unknown) == (7, 5, 3, 1, 1)
    assert (report.not_in_catalogue, report.same_film, report.added) == (1, 1, 4)
    assert report.notes == ["3 of 6 MovieLens films have no TMDB id; 1 have the one of another"]
    assert histories(catalogue, "person, tmdb_id, rating") == [
        ("movielens:1", 1, 40), ("movielens:1", 4242, 20), ("movielens:2", 1, 10), ("movielens:2", 4, 60),
    ]  # fmt: skip
    before = whole_tables(catalogue)
    assert taken(catalogue, path).changed == 0
    assert whole_tables(catalogue) == before
    packed = archive(
        tmp_path, {f"ml/{name}": (tmp_path / name).read_text() for name in ("ratings.csv", "links.csv", "movies.csv")}
    )
    assert (taken(catalogue, packed).changed, taken(catalogue, tmp_path / "ratings.csv").changed) == (0, 0)


def test_movielens_without_links_is_refused(catalogue: Database, tmp_path: Path) -> None:
    with pytest.raises(ImportFailedError, match=r"read with the links\.csv"):
        taken(catalogue, file(tmp_path, "ratings.csv", "userId,movieId,rating,timestamp\n1,1,4,1\n"))


def test_a_plain_list_is_read_with_its_rating(catalogue: Database, tmp_path: Path) -> None:
    text = "Alien: 1979 | R | 1h 57m | 8.5 rating\r\nA ship.\r\n\r\nDune: | PG-13 | 2h 35m\r\n\r\nNo film\r\n"
    path = file(tmp_path, "loved.txt", "\ufeff" + text)
    report = taken(catalogue, path)
    assert (report.by_title, report.ambiguous, report.rejected, report.added) == (1, 1, 1, 1)
    assert histories(catalogue, "tmdb_id, source, rating") == [(1, "list", 85)]
    assert taken(catalogue, path, unrated="wanted").updated == 1
    assert histories(catalogue) == [(1, True, None, None)]


def test_a_title_may_have_marks_that_other_programs_take_for_the_end_of_a_line(
    catalogue: Database, tmp_path: Path
) -> None:
    report = taken(catalogue, file(tmp_path, "ratings.csv", RATINGS + "2023-01-01,The\u2028Dark Knight,2008,u1,4\r\n"))
    assert (report.by_title, report.rejected) == (1, 0)


def test_one_source_does_not_change_the_histories_of_others(catalogue: Database, tmp_path: Path) -> None:
    taken(catalogue, file(tmp_path, "loved.txt", "Alien: 1979 | R | 1h 57m | 8.5 rating\n"))
    taken(catalogue, file(tmp_path, "ratings.csv", RATINGS + "2023-01-01,Alien,1979,u1,4.5\n"))
    assert histories(catalogue, "source, rating") == [("letterboxd", 90), ("list", 85)]


def test_a_list_rates_a_seen_film_only_where_nothing_else_does(catalogue: Database, tmp_path: Path) -> None:
    films = "Alien: 1979 | R | 1h 57m | {} rating\n\nAliens: 1986 | R | 2h 17m | {} rating\n"
    taken(catalogue, file(tmp_path, "loved.txt", films.format(8.5, 7)))
    of_films = "select tmdb_id, rating from catalog.seen_films order by 1"
    assert run(catalogue, of_films) == [(1, 85), (2, 70)]
    taken(catalogue, file(tmp_path, "ratings.csv", RATINGS + "2023-01-01,Alien,1979,u1,1\n"))
    assert run(catalogue, of_films) == [(1, 20), (2, 70)]
    taken(catalogue, file(tmp_path, "imdb.csv", IMDB + "tt0000079,4,2024-05-06,Alien,u,movie,7,100,1979,Horror\n"))
    assert run(catalogue, of_films) == [(1, 30), (2, 70)]


def test_histories_of_others_are_derived_again_only_where_they_changed(catalogue: Database, tmp_path: Path) -> None:
    by_id = file(tmp_path, "imdb.csv", IMDB + "tt0000079,4,2024-05-06,Alien,u,movie,7,100,1979,Horror\n")
    taken(catalogue, by_id, person="ann")
    path = file(tmp_path, "ratings.csv", RATINGS + "2023-01-01,Alien,1979,u1,4\n2023-01-01,Late Harvest,2001,u2,4\n")
    assert taken(catalogue, path, person="bob").notes == []
    put(catalogue, (Made(97, "Late Harvest", 2001, 5),))
    update_documents(catalogue)
    (note,) = taken(catalogue, path, person="them").notes
    assert note == "1 histories of others waited for films that were matched here"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [("a.csv", b"", "a.csv is empty"), ("a.csv", b"Name,Colour\n", "no format that is known"),
     ("a.zip", b"PK\x03\x04 cut", "damaged or protected archive"),
     ("a.csv", b"\x00\x01\x02\n", "no format that is known"),
     ("films.csv", WATCHED.encode(), "say --seen or --wanted")],
)  # fmt: skip
def test_a_file_that_is_no_history_is_refused_in_one_sentence(
    catalogue: Database, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ImportFailedError, match=message):
        taken(catalogue, tmp_path / name)
    assert run(catalogue, "select count(*) from pipeline.imports") == [(0,)]


def test_a_file_that_is_not_there_and_an_archive_without_histories_are_refused(
    catalogue: Database, tmp_path: Path
) -> None:
    with pytest.raises(ImportFailedError, match=r"none\.csv cannot be read: No such file"):
        taken(catalogue, tmp_path / "none.csv")
    with pytest.raises(ImportFailedError, match="has no file with watched films"):
        taken(catalogue, archive(tmp_path, {"profile.csv": EXPORT["profile.csv"], "empty.csv": ""}))
    with pytest.raises(ImportFailedError, match="give a person's name"):
        taken(catalogue, archive(tmp_path, EXPORT), person="movielens:1")


def test_two_imports_at_once_are_one_after_the_other(catalogue: Database, tmp_path: Path) -> None:
    with catalogue.transaction() as other:
        other.exec_driver_sql("select pg_advisory_xact_lock(1836022640)")
        with pytest.raises(ImportFailedError, match="another import is at work"):
            taken(catalogue, archive(tmp_path, EXPORT))


def test_rejects_are_kept_with_the_import(catalogue: Database, tmp_path: Path) -> None:
    taken(
        catalogue, file(tmp_path, "ratings.csv", RATINGS + "2023-01-01,Alien,1979,u1,99\n2023-01-01,Alien,1979,u1,4\n")
    )
    ((rejects, counts),) = run(catalogue, "select rejects, counts from pipeline.imports")
    assert rejects == [
        {"file": "ratings.csv", "line": 2, "reason": "has a rating of 99, and ratings go from 0.5 to 5",
         "sample": "2023-01-01,Alien,1979,u1,99"}
    ]  # fmt: skip
    assert json.loads(json.dumps(counts))["rejected"] == 1
