"""What is stored a second time: every column is that of the newer answer, as if the older one had never been.

Each test stores a row, stores it again with another value in every column, and compares all columns with a catalogue
that saw the newer values only, or with the values themselves.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from movie_assets_tests.embeddings.test_movie_embeddings import rewrite, with_films
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]
ROWS = (
    "catalog.movies", "catalog.movie_stats", "catalog.people", "catalog.movie_cast", "catalog.movie_crew",
    "catalog.genres", "catalog.movie_genres", "catalog.keywords", "catalog.movie_keywords", "catalog.companies",
    "catalog.movie_companies", "catalog.collections", "catalog.movie_collections", "catalog.movie_countries",
    "catalog.movie_languages", "catalog.movie_certifications", "catalog.movie_external_ids", "catalog.movie_videos",
    "catalog.movie_translations", "catalog.movie_alternative_titles", "catalog.watch_providers",
    "catalog.movie_watch_providers", "catalog.release_dates", "pipeline.raw_details",
)  # fmt: skip
SHARED = ("people", "genres", "keywords", "companies", "collections", "watch_providers")  # rows of several films


def version(n: int) -> dict[str, Any]:
    """A film with everything around it: ids stay, every other value has the number of the version in it."""
    return film(
        64, title=f"Title {n}", original_title=f"Original {n}", original_language=("en", "fr")[n - 1],
        overview=f"Story {n}", tagline=f"Tagline {n}", imdb_id=f"tt000000{n}", runtime=100 + n, budget=1000 + n,
        revenue=2000 + n, status=("Released", "Post Production")[n - 1], release_date=f"2020-05-0{n}",
        poster_path=f"/p{n}.jpg", backdrop_path=f"/b{n}.jpg", popularity=5.0 + n, vote_count=500 + n,
        vote_average=7.0 + n / 10,
        genres=[{"id": 18, "name": f"Genre {n}"}], keywords=[{"id": 1, "name": f"keyword {n}"}],
        belongs_to_collection={"id": 9, "name": f"Collection {n}", "poster_path": f"/c{n}.jpg"},
        production_companies=[{"id": 7, "name": f"Company {n}", "origin_country": f"C{n}", "logo_path": f"/l{n}.png"}],
        production_countries=[{"iso_3166_1": "FR", "name": f"Country {n}"}],
        spoken_languages=[{"iso_639_1": "fr", "english_name": f"Language {n}"}],
        credits={
            "cast": [{"id": 5, "name": f"Actor {n}", "character": f"Role {n}", "order": n, "gender": n,
                      "profile_path": f"/a{n}.jpg"}],
            "crew": [{"id": 6, "name": f"Director {n}", "job": "Director", "department": f"Department {n}", "gender": n,
                      "profile_path": f"/d{n}.jpg"}],
        },
        release_dates={"results": [{"iso_3166_1": "US", "release_dates": [
            {"certification": f"R{n}", "type": n, "release_date": f"2020-05-0{n}T00:00:00.000Z"}]}]},
        external_ids={"imdb_id": f"tt000000{n}", "wikidata_id": f"Q{n}"},
        videos={"results": [{"site": "Vimeo", "key": "k", "name": f"Video {n}", "type": f"Kind {n}",
                             "iso_639_1": f"l{n}", "official": n == 1, "published_at": f"2020-05-0{n}"}]},
        translations={"translations": [{"iso_639_1": "de", "iso_3166_1": "DE", "data": {
            "title": f"Titel {n}", "overview": f"Inhalt {n}", "tagline": f"Spruch {n}"}}]},
        alternative_titles={"titles": [{"iso_3166_1": "US", "title": f"Also {n}", "type": f"kind {n}"}]},
        **{"watch/providers": {"results": {"US": {"link": f"https://example.org/{n}", "buy": [
            {"provider_id": 2, "provider_name": f"Provider {n}"}]}}}},
    )  # fmt: skip


def snapshot(pipeline: SmallPipeline) -> dict[str, list[Any]]:
    """All rows about films, without the moments at which they were written."""
    moments = "array['changed_at', 'fetched_at', 'seen_at']"
    return {
        table: pipeline.column(f"select to_jsonb(t) - {moments} from {table} t order by to_jsonb(t)::text")
        for table in ROWS
    }


def begin_again(pipeline: SmallPipeline) -> None:
    """Forget every film, so that the next run stores it as if it were new."""
    pipeline.do("delete from catalog.movies")
    for table in SHARED:
        pipeline.do(f"delete from catalog.{table}")
    pipeline.do("delete from pipeline.raw_details")
    pipeline.do("update pipeline.movie_ids set fetched_at = null, judged_by = null")


def test_a_film_that_is_stored_again_is_the_newer_one_in_every_column_of_every_table(small: Make) -> None:
    pipeline = small(version(1))
    pipeline.run_all("read_the_day", "fetch_details")
    older = snapshot(pipeline)
    assert all(older.values()), "each table has a row, or it is not tested"
    pipeline.turn_day()
    pipeline.world.put(version(2))
    pipeline.world.changed[pipeline.day] = [64]
    pipeline.run_all("read_the_day", "fetch_details")
    newer = snapshot(pipeline)
    written_at = [f"select {column} = '{pipeline.day} 12:00+00' from {table}" for table, column in (
        ("catalog.movies", "changed_at"), ("catalog.movie_stats", "seen_at"), ("pipeline.raw_details", "fetched_at"),
        ("pipeline.movie_ids", "fetched_at"),
    )]  # fmt: skip
    assert [pipeline.one(sql) for sql in written_at] == [True] * 4
    begin_again(pipeline)
    pipeline.run_all("fetch_details")
    assert newer == snapshot(pipeline)
    links = {"catalog.movie_genres", "catalog.movie_keywords", "catalog.movie_companies", "catalog.movie_collections"}
    assert {table for table in ROWS if older[table] == newer[table]} == links  # ids only, and these stay


def test_facts_that_did_not_change_are_not_written_for_a_film_that_did(small: Make) -> None:
    pipeline = small(version(1))
    pipeline.run_all("read_the_day", "fetch_details")
    before = pipeline.column("select ctid::text || xmin::text from catalog.title_videos")
    pipeline.turn_day()
    pipeline.world.put(version(1) | {"overview": "Another story"})
    pipeline.world.changed[pipeline.day] = [64]
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.one("select overview from catalog.movies") == "Another story"
    assert pipeline.column("select ctid::text || xmin::text from catalog.title_videos") == before


def test_a_film_that_failed_and_then_came_has_no_trace_of_the_failure(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.world.responses[64] = b"[]"
    pipeline.run_all("read_the_day")
    pipeline.run("fetch_details")
    trace = "select (attempts, next_attempt_at is null, last_error is null)::text from pipeline.movie_ids"
    assert pipeline.one(trace) == "(1,f,f)"
    pipeline.world.responses.clear()
    pipeline.turn_day()
    pipeline.run_all("fetch_details")
    assert pipeline.one(trace) == "(0,t,t)"


def test_a_listed_film_is_as_the_newest_list_has_it(small: Make) -> None:
    pipeline = small(film(64), film(65), film(66))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day()
    pipeline.world.put(
        film(64, vote_count=700, vote_average=8.5, release_date="2021-06-07", original_language="fr"),
        film(66, vote_count=3),
    )
    pipeline.run_all("read_the_day")
    listed = pipeline.column(
        "select (tmdb_id, vote_count, vote_average, release_date, original_language)::text "
        "from pipeline.discovered order by tmdb_id"
    )
    assert listed == ["(64,700,8.5,2021-06-07,fr)", "(65,500,7,2020-05-05,en)"]
    assert pipeline.one(
        f"select (vote_count, vote_average, seen_at = '{pipeline.day} 12:00+00')::text "
        "from catalog.movie_stats where tmdb_id = 64"
    ) == "(700,8.5,t)"  # fmt: skip


def test_numbers_that_were_seen_later_are_not_replaced_by_older_ones(small: Make) -> None:
    """A film's details that are stored late keep the votes that were listed in the meantime."""
    pipeline = small(film(64))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.do("update catalog.movie_stats set vote_count = 999, seen_at = seen_at + interval '2 days'")
    pipeline.turn_day()
    pipeline.world.put(film(64, overview="Another story"))
    pipeline.do(f"update pipeline.movie_ids set changed_at = '{pipeline.day}'")
    pipeline.run_all("fetch_details")
    assert pipeline.one("select overview from catalog.movies") == "Another story"
    assert pipeline.one("select vote_count from catalog.movie_stats") == 999


def test_a_second_walk_of_a_day_is_the_one_that_is_known(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day")
    pipeline.do("update pipeline.discoveries set films = 99, min_votes = 99")
    second = pipeline.run("read_the_day", as_of=f"{pipeline.day}T23:00:00+00:00")
    assert second.success
    assert pipeline.one(
        f"select (films, min_votes, walked_at = '{pipeline.day} 23:00+00', run_id = '{second.run_id}')::text "
        "from pipeline.discoveries"
    ) == "(2,100,t,t)"  # fmt: skip


def test_a_film_whose_average_is_just_enough_is_looked_at(small: Make) -> None:
    pipeline = small(film(64), film(65, vote_average=4.0))
    pipeline.with_profile(min_vote_average=6.0)
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.state_of(65) == ("rejected", "vote_average")
    pipeline.turn_day()
    pipeline.world.put(film(65, vote_average=6.0))
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.movies == [64, 65]


def test_a_text_that_moved_has_the_vector_of_the_new_one(small: Make) -> None:
    pipeline = with_films(small, 64, 65)
    pipeline.run_all("embed_texts")
    pipeline.turn_day()
    rewrite(pipeline, 65, "quite another story")
    pipeline.run_all("embed_texts")
    text = "select embedding_text from catalog.movies where tmdb_id = {}"
    for tmdb_id, day in ((64, 5), (65, 6)):
        (vector,) = pipeline.embedder.embed([pipeline.one(text.format(tmdb_id))]).vectors
        assert pipeline.one(
            f"select (e.embedding <-> '{vector.tolist()}' < 1e-6, e.text_hash = m.text_hash, "
            f"e.embedded_at = '2026-10-0{day} 12:00+00')::text "
            f"from pipeline.embeddings e join catalog.movies m using (tmdb_id) where tmdb_id = {tmdb_id}"
        ) == "(t,t,t)"  # fmt: skip


def test_a_rating_that_is_read_again_is_the_newer_one_in_every_column(small: Make, tmp_path: Path) -> None:
    pipeline = small()
    put_films(pipeline.database, 7, 8)
    path = tmp_path / "own.csv"
    pipeline.with_settings(ratings_csv=str(path))
    header = "tmdb_id,source,scale_min,scale_max,value,votes,seen_at\n"
    stored = (
        "select (tmdb_id, source, scale_min, scale_max, raw_value, value, votes, seen_at at time zone 'UTC')::text "
        "from catalog.external_ratings order by tmdb_id, source"
    )
    before = "7,stars,1,5,4,10,2026-10-01\n7,critics,0,10,5,9,2026-10-01\n8,stars,1,5,4,10,2026-10-01\n"
    path.write_text(header + before)
    pipeline.run_all("read_ratings")
    path.write_text(header + "7,stars,0,10,6,12,2026-10-03\n8,critics,1,5,4,9,\n8,stars,1,5,4,10,2026-10-02\n")
    pipeline.run_all("read_ratings")
    pipeline.do("delete from catalog.external_ratings where source = 'critics' and tmdb_id = 8")
    assert pipeline.column(stored) == [
        '(7,stars,0,10,6,60,12,"2026-10-03 00:00:00")', '(8,stars,1,5,4,75,10,"2026-10-02 00:00:00")',
    ]  # fmt: skip
