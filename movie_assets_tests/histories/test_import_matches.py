"""How an import matches names and ids with films."""

from pathlib import Path

from movie_assets.database.database import Database
from movie_assets.histories.imports import match_waiting
from movie_assets.search.search_documents import update_documents
from movie_assets_tests.histories.history_imports import EXPORT, IMDB, WATCHED, archive, file, histories, run, taken
from movie_assets_tests.support.made_films import Made, put


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


def test_an_uncertain_match_waits_and_is_never_applied_by_itself(catalogue: Database, tmp_path: Path) -> None:
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
