"""Imports into a real catalogue: matches, names that wait for a person, and repeated imports, which change nothing."""

import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest

from movie_assets.database.database import Database
from movie_assets.histories.choices import Choices, ImportFailedError
from movie_assets.histories.import_report import ImportReport
from movie_assets.histories.imports import import_path, match_waiting
from movie_assets.search.search_documents import update_documents
from movie_assets_tests.conftest import database_of_ones_own
from movie_assets_tests.search.test_text_search import FILMS, Made, put

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
WATCHED = "Date,Name,Year,Letterboxd URI\n"
RATINGS = "Date,Name,Year,Letterboxd URI,Rating\n"
DIARY = "Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date\n"
IMDB = "Const,Your Rating,Date Rated,Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,Genres\n"
TABLES = (
    "catalog.watch_histories", "pipeline.named_films", "pipeline.match_reviews", "pipeline.watch_entries",
    "pipeline.requested_ids", "pipeline.movie_ids",
)  # fmt: skip
EXPORT = {
    "watched.csv": WATCHED + "2023-01-01,Alien,1979,u1\n2023-01-02,Aliens,1986,u2\n2023-01-03,Dune,,u3\n"
    "2023-01-04,Metropolis Reconsidered,1927,u4\n2023-01-05,Der dunkle Ritter,2007,u5\n",
    "ratings.csv": RATINGS + "2023-01-01,Alien,1979,u1,4.5\n2023-02-02,Aliens,1986,u2,0.5\n",
    "diary.csv": DIARY + "2023-03-01,Alien,1979,d1,3,,,2023-02-28\n2024-03-01,Alien,1979,d2,4,Yes,,2024-02-28\n",
    "watchlist.csv": WATCHED + "2024-01-01,Amelie,2001,u6\n2024-01-01,Alien,1979,u1\n",
    "deleted/diary.csv": DIARY + "2023-03-01,Rocky II,1979,d9,5,,,2023-02-28\n",
    "profile.csv": "Date Joined,Username\n2020-01-01,me\n",
}


@pytest.fixture
def catalogue(server: str, template: str) -> Iterator[Database]:
    with database_of_ones_own(server, template) as opened:
        put(opened, FILMS)
        update_documents(opened)
        run(opened, "insert into catalog.movie_external_ids values (1, 'imdb', 'tt0000079'), (7, 'imdb', 'tt0000021')")
        yield opened


def run(database: Database, statement: str) -> list[tuple[Any, ...]]:
    """Execute a statement; return its rows, none if it returns none."""
    with database.transaction() as connection:
        result = connection.exec_driver_sql(statement)
        return [tuple(row) for row in result] if result.returns_rows else []


def taken(
    database: Database, path: Path, person: str = "me", unrated: Literal["seen", "wanted"] | None = None,
    *, replace: bool = False, request: bool = False,
) -> ImportReport:  # fmt: skip
    """Import a file with one source, and return the report."""
    (report,) = import_path(database, path, Choices(person, unrated, replace, request), NOW)
    return report


def file(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder / name


def archive(folder: Path, files: dict[str, str], name: str = "letterboxd-me.zip") -> Path:
    with zipfile.ZipFile(folder / name, "w") as opened:
        for member, text in files.items():
            opened.writestr(member, text)
    return folder / name


def whole_tables(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of the tables that imports write, by table."""
    return {table: run(database, f"select * from {table} t order by t::text") for table in TABLES}


def histories(
    database: Database, what: str = "tmdb_id, is_wanted, rating, seen_at::date::text"
) -> list[tuple[Any, ...]]:
    return run(database, f"select {what} from catalog.watch_histories order by person, tmdb_id, source")


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


def test_names_are_matched_as_find_movie_does(catalogue: Database, tmp_path: Path) -> None:
    titles = run(
        catalogue, "select n.name, m.release_year from catalog.movie_names n join catalog.movies m using (tmdb_id)"
    )
    spoken = [
        (spelt, year + off)
        for title, year in titles
        if year is not None
        for spelt in {title, title.upper(), f"The {title}", title.removeprefix("The "), title + "s"}
        for off in (-1, 0, 1)
    ]
    lines = "".join(f'2023-01-01,"{title}",{year},u\n' for title, year in dict.fromkeys(spoken))
    report = taken(catalogue, file(tmp_path, "watched.csv", WATCHED + lines))
    assert report.by_title > 60
    assert report.by_title + report.ambiguous + report.unknown == report.films == len(set(spoken))
    near = run(catalogue, "select count(*) from pipeline.named_films where film_id is not null and confidence < 0.9")
    assert near[0][0] > 20
    otherwise = run(
        catalogue, "select n.name, n.film_id, n.matched_by, n.confidence, c.* from pipeline.named_films n "
        "left join lateral (select f.*, count(*) over () as films from catalog.find_movie(n.title, n.year) f "
        "    order by f.confidence desc limit 1) c on c.confidence >= 0.9 or c.films = 1 "
        "    and abs(c.release_year - n.year) = 1 and c.matched_by ~ '^(exact|normalised) (original )?title$' "
        "where (n.film_id, n.matched_by, n.confidence) is distinct from (c.tmdb_id, c.matched_by, c.confidence::real)"
    )  # fmt: skip
    assert otherwise == []


NEAR = (
    Made(60, "Bare Trees", 1961, 5), Made(61, "Cold Rain", 1961, 5), Made(62, "Cold Rain", 1963, 5),
    Made(63, "The Kiln", 1961, 5), Made(64, "Kiln", 1963, 5), Made(65, "Ember", None, 5), Made(66, "Ember", 1963, 5),
    Made(67, "Soot", 1961, 5, original="Nokea"), Made(68, "Ashes", 1961, 5, translated={"de": "Asche"}),
    Made(69, "Twins", 1961, 5), Made(70, "Plain", 1961, 5), Made(71, "Plain", 1962, 5),
)  # fmt: skip


def test_the_only_film_of_a_title_applies_though_its_year_is_one_off(catalogue: Database, tmp_path: Path) -> None:
    put(catalogue, NEAR)
    update_documents(catalogue)
    named = [
        ("Bare Trees", 1962), ("bare trees", 1960), ("Bare Trees", 1963), ("Cold Rain", 1962), ("Kiln", 1962),
        ("Ember", 1962), ("Nokea", 1962), ("Asche", 1962), ("Bare Tres", 1962), ("Plain", 1962), ("Plain", 1960),
    ]  # fmt: skip
    lines = "".join(f"2023-01-01,{title},{year},u\n" for title, year in named)
    twins = "2023-01-01,Twins,1962,v1\n2023-01-01,Twins,1962,v2\n"
    report = taken(catalogue, file(tmp_path, "watched.csv", WATCHED + lines + twins))
    applied = run(
        catalogue, "select name, film_id, matched_by, round(confidence::numeric, 4)::float from pipeline.named_films "
        'where film_id is not null order by name collate "C"',
    )  # fmt: skip
    assert applied == [
        ("Bare Trees (1962)", 60, "exact title", 0.88),
        ("Nokea (1962)", 67, "exact original title", 0.88), ("Plain (1960)", 70, "exact title", 0.88),
        ("Plain (1962)", 71, "exact title", 1), ("bare trees (1960)", 60, "normalised title", 0.8536),
    ]  # fmt: skip
    assert (report.by_title, report.year_off) == (5, 4)
    reviews = run(catalogue, "select name from pipeline.match_reviews order by name")
    assert [name for (name,) in reviews] == [
        "Asche (1962)", "Bare Tres (1962)", "Cold Rain (1962)", "Ember (1962)", "Kiln (1962)", "Twins (1962) v1",
        "Twins (1962) v2",
    ]  # fmt: skip


def test_a_film_of_the_very_year_takes_the_place_of_one_of_the_year_before(catalogue: Database, tmp_path: Path) -> None:
    put(catalogue, NEAR[:1])
    update_documents(catalogue)
    path = file(tmp_path, "watched.csv", WATCHED + "2023-01-01,Bare Trees,1962,u\n")
    taken(catalogue, path)
    assert histories(catalogue, "tmdb_id") == [(60,)]
    assert (match_waiting(catalogue).added, taken(catalogue, path).changed) == (0, 0)
    put(catalogue, (Made(80, "Bare Trees", 1962, 5),))
    update_documents(catalogue)
    assert match_waiting(catalogue).added == 1
    assert histories(catalogue, "tmdb_id") == [(80,)]
    assert run(catalogue, "select film_id, confidence from pipeline.named_films") == [(80, 1)]
    assert taken(catalogue, path).changed == 0


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


def test_what_is_less_than_certain_waits_and_is_never_applied_by_itself(catalogue: Database, tmp_path: Path) -> None:
    taken(catalogue, file(tmp_path, "watched.csv", WATCHED + "2023-01-01,Dune,,u\n2023-01-01,Alein,1979,v\n"))
    assert histories(catalogue) == []
    reviews = run(catalogue, "select name, candidates, status from pipeline.match_reviews order by name")
    assert [(name, status, [c["tmdb_id"] for c in candidates]) for name, candidates, status in reviews] == [
        ("Alein (1979)", "open", [1]), ("Dune", "open", [7, 6]),
    ]  # fmt: skip
    assert reviews[1][1][0]["confidence"] == 0.475


def test_a_decision_applies_at_once_and_to_all_later_imports(catalogue: Database, tmp_path: Path) -> None:
    path = file(tmp_path, "watched.csv", WATCHED + "2023-01-01,Dune,,u\n")
    taken(catalogue, path, person="me")
    taken(catalogue, path, person="you")
    run(catalogue, "update pipeline.match_reviews set decision = 6 where name = 'Dune'")
    assert histories(catalogue, "person, tmdb_id") == [("me", 6), ("you", 6)]
    report = taken(catalogue, path, person="them")
    assert (report.by_decision, report.added) == (1, 1)
    run(catalogue, "update pipeline.match_reviews set decision = 7 where name = 'Dune'")
    assert histories(catalogue, "person, tmdb_id") == [("me", 7), ("them", 7), ("you", 7)]
    assert taken(catalogue, path, person="you").changed == 0


def test_none_of_the_candidates_is_a_decision_that_is_kept_and_can_be_taken_back(
    catalogue: Database, tmp_path: Path
) -> None:
    path = file(tmp_path, "watched.csv", WATCHED + "2023-01-01,Dune,,u\n")
    taken(catalogue, path)
    run(catalogue, "update pipeline.match_reviews set status = 'decided'")
    report = taken(catalogue, path)
    assert (report.decided_none, report.ambiguous, report.changed) == (1, 0, 0)
    run(catalogue, "update pipeline.match_reviews set status = 'open'")
    assert taken(catalogue, path).ambiguous == 1


def test_imdb_ids_are_exact_and_unknown_ones_wait_for_the_catalogue(catalogue: Database, tmp_path: Path) -> None:
    text = IMDB + (
        "tt0000079,9,2024-05-06,Another name,u,movie,7,100,1979,Horror\n"
        "tt0000999,8,2024-05-06,Late,u,Movie,7,1,2001,X\n"
        "tt0000555,8,2024-05-06,Some Series,u,TV Series,7,1,2001,X\n"
    )
    report = taken(catalogue, file(tmp_path, "ratings.csv", text))
    assert (report.by_id, report.unknown, report.series, dict(report.passed_over)) == (1, 1, 1, {})
    assert run(catalogue, "select kind, title, imdb_id, rating from pipeline.series_entries") == [
        ("series", "Some Series", "tt0000555", 80)
    ]
    assert histories(catalogue) == [(1, False, 90, "2024-05-06")]
    put(catalogue, (Made(99, "Late, at last", 2001, 5),))
    run(catalogue, "insert into catalog.movie_external_ids values (99, 'imdb', 'tt0000999')")
    assert match_waiting(catalogue).added == 1
    assert histories(catalogue, "tmdb_id, rating") == [(1, 90), (99, 80)]
    assert match_waiting(catalogue).added == 0


def test_a_film_with_another_imdb_id_is_not_the_one_of_that_title(catalogue: Database, tmp_path: Path) -> None:
    text = IMDB + ("tt0000998,8,,Alien,u,movie,7,1,1979,X\ntt0000997,8,,Aliens,u,movie,7,1,1986,X\n")
    report = taken(catalogue, file(tmp_path, "ratings.csv", text))
    assert (report.by_id, report.by_title, report.unknown) == (0, 1, 1)
    assert histories(catalogue, "tmdb_id") == [(2,)]


def test_a_title_that_comes_into_the_catalogue_is_found_later(catalogue: Database, tmp_path: Path) -> None:
    taken(catalogue, archive(tmp_path, EXPORT))
    put(catalogue, (Made(98, "Metropolis Reconsidered", 1927, 5),))
    update_documents(catalogue)
    assert match_waiting(catalogue).added == 1
    assert (98, False, None, "2023-01-04") in histories(catalogue)


def test_twins_of_one_title_and_year_wait_for_a_person(catalogue: Database, tmp_path: Path) -> None:
    report = taken(
        catalogue, file(tmp_path, "watched.csv", WATCHED + "2023-01-01,Alien,1979,u1\n2023-01-01,Alien,1979,u2\n")
    )
    assert (report.films, report.ambiguous, report.added) == (2, 2, 0)


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


def test_an_id_that_tmdb_merged_is_the_film_that_it_went_into(catalogue: Database, tmp_path: Path) -> None:
    run(
        catalogue, "insert into pipeline.movie_ids (tmdb_id, original_title, first_seen, gone_since, successor_id) "
        "values (4242, '', '2026-01-01', now(), 1)",
    )  # fmt: skip
    file(tmp_path, "links.csv", "movieId,imdbId,tmdbId\n12,,4242\n")
    taken(catalogue, file(tmp_path, "ratings.csv", "userId,movieId,rating,timestamp\n1,12,4,1\n"))
    assert histories(catalogue, "tmdb_id") == [(1,)]


def test_unknown_ids_are_requested_once_and_films_that_cannot_come_are_reported(
    catalogue: Database, tmp_path: Path
) -> None:
    run(
        catalogue, "insert into pipeline.movie_ids (tmdb_id, original_title, first_seen, export_reason) "
        "values (4243, '', '2026-01-01', 'adult')",
    )  # fmt: skip
    file(tmp_path, "links.csv", "movieId,imdbId,tmdbId\n10,,1\n12,,4242\n13,,4243\n")
    path = file(tmp_path, "ratings.csv", "userId,movieId,rating,timestamp\n1,10,4,1\n1,12,4,1\n1,13,4,1\n")
    report = taken(catalogue, path, request=True)
    assert (report.requested, dict(report.requests)) == (2, {"rejected: adult": 1, "waiting": 1})
    assert taken(catalogue, path, request=True).requested == 0


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
