"""A catalogue of movies and series with the same TMDB ids: no function about one media type answers with the other."""

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from movie_assets.database.database import Database
from movie_assets.search.search_documents import update_documents
from movie_assets_tests.conftest import database_of_ones_own
from movie_assets_tests.support.made_films import Made, put, put_set, rows

SERIES = 1_000_000_000
AXES = 64
WORDS = [
    "castle",
    "dragon",
    "harbour",
    "winter",
    "silver",
    "garden",
    "engine",
    "lantern",
    "river",
    "mirror",
    "desert",
    "violin",
    "captain",
    "orchard",
    "shadow",
    "planet",
    "letter",
    "stranger",
    "wolf",
    "island",
]
BOTH = {"media_types": ["movie", "series"]}
ONLY_SERIES = {"media_types": ["series"]}
GIVEN = "cast(:filters as jsonb)"
# What applications call for movies; :v is a vector, :id a TMDB id that a movie and a series have.
MOVIES_ONLY = {
    "search_movies": "select tmdb_id, title, score, found_by from catalog.search_movies(:text, 30)",
    "search_movies by meaning": "select tmdb_id, score from catalog.search_movies(:text, 30, '{}', cast(:v as vector))",
    "movies like": "select tmdb_id, score from catalog.search_movies('movies like ' || :title, 30)",
    "match_movies": "select tmdb_id, similarity from catalog.match_movies(cast(:v as vector), -1, 30)",
    "nearest_movies": "select tmdb_id, similarity from catalog.nearest_movies(cast(:v as vector), 30)",
    "similar_movies": "select tmdb_id, similarity, shared_features from catalog.similar_movies(:id, 30)",
    "find_movie": "select tmdb_id, confidence, matched_by from catalog.find_movie(:title, null, 30)",
    "find_movie with a slip": "select tmdb_id from catalog.find_movie(overlay(:title placing '' from 3 for 1))",
    "complete_title": "select tmdb_id, name from catalog.complete_title(left(:title, 4), 30)",
    "complete_title by a word": "select tmdb_id, name from catalog.complete_title(split_part(:title, ' ', 2), 30)",
    "question_vector": "select catalog.question_vector(:text)::text",
    "why_found": "select catalog.why_found(:text, :id)",
    "recommend_movies": "select tmdb_id, score, reasons from catalog.recommend_movies(array[:id])",
    "recommend_movies by ratings": "select tmdb_id, score, reasons from catalog.recommend_movies("
    "rated => array[:id, :id + 1], ratings => array[90, 30])",
    "recommend_movies to nobody": "select tmdb_id, score from catalog.recommend_movies()",
    "similar lists": "select tmdb_id, place, similar_id, similarity from catalog.similar_movies order by 1, 2",
    "scored_films": "select tmdb_id, title, vote_count from catalog.scored_films order by 1",
    "trending": "select rank, tmdb_id, velocity from catalog.trending order by 1",
    "by_genre": "select genre, rank, tmdb_id from catalog.by_genre order by 1, 2",
    "new_releases": "select rank, tmdb_id from catalog.new_releases order by 1",
    "hidden_gems": "select rank, tmdb_id from catalog.hidden_gems order by 1",
    "standings": "select tmdb_id, standing from catalog.standings order by 1",
    "rating_sources": "select tmdb_id, source, votes from catalog.rating_sources order by 1",
    "movies": "select tmdb_id, title from catalog.movies order by 1",
    "movie_vectors": "select tmdb_id, embedding::text from catalog.movie_vectors order by 1",
    "movie_names": "select tmdb_id, name from catalog.movie_names order by 1, 2",
}  # fmt: skip


def made(number: int, seed: int, *, first: int = 0) -> Made:
    """A title whose words are drawn by its seed."""
    chance = random.Random(seed)  # noqa: S311
    title = " ".join(chance.sample(WORDS, 2)).title()
    return Made(
        first + number, title, 1960 + number, chance.randrange(20, 5000), overview=" ".join(chance.choices(WORDS, k=9)),
        people=(f"Person {chance.randrange(8)}",), keywords=(chance.choice(WORDS),),
        genres=(chance.choice(("Drama", "Crime")),),
    )  # fmt: skip


def vectors_of(database: Database, titles: Sequence[Made]) -> dict[int, str]:
    return {
        title.tmdb_id: rows(
            database, "select catalog.hashed_vector(:text, :axes)::text",
            text=f"{title.title} {title.overview}", axes=AXES,
        )[0][0]
        for title in titles
    }  # fmt: skip


def publish(database: Database, titles: Sequence[Made]) -> None:
    """Bring the words, the vectors, the similar lists and the scores in line with the catalogue."""
    update_documents(database)
    with database.transaction() as connection:
        connection.exec_driver_sql(
            "insert into catalog.title_stats_history (title_id, day, popularity, vote_average, vote_count) "
            "select s.title_id, d::date, 1 + s.title_id %% 7 * (d::date - date '2024-01-01'), 7, s.vote_count "
            "from catalog.title_stats s cross join generate_series(date '2024-01-01', date '2024-01-05', '1 day') d "
            "on conflict do nothing"
        )
        connection.exec_driver_sql("select pipeline.refresh_trends()")
        for first in (0, SERIES):
            films = [title.tmdb_id for title in titles if title.tmdb_id // SERIES == first // SERIES]
            connection.execute(sa.text("select pipeline.make_similar_lists(:films, false)"), {"films": films})


@pytest.fixture(scope="module", params=range(3))
def answers(server: str, template: str, request: pytest.FixtureRequest) -> Iterator[tuple[Database, dict[str, Any]]]:
    """The answers without series, and the database with as many series of the same TMDB ids."""
    seed = 1000 * request.param
    movies = [made(number, seed + number) for number in range(1, 61)]
    with database_of_ones_own(server, template) as opened:
        put(opened, tuple(movies))
        put_set(opened, "hashing-v2", vectors_of(opened, movies), AXES)
        publish(opened, movies)
        before = asked(opened, movies)
        # Some series have the very titles and words of movies.
        series = [made(n, seed + n + (0 if n % 3 else 500), first=SERIES) for n in range(1, 61)] + [
            Made(SERIES + 70, "Zanzibar Castle", 2001, 9000, overview="zanzibar zanzibar castle")
        ]
        put(opened, tuple(series))
        add_vectors(opened, vectors_of(opened, series))
        publish(opened, [*movies, *series])
        yield opened, before


def add_vectors(database: Database, vectors: dict[int, str]) -> None:
    with database.transaction() as connection:
        for title_id, embedding in vectors.items():
            connection.exec_driver_sql(
                "insert into pipeline.title_embeddings (set_id, title_id, text_hash, embedding, embedded_at) "
                "values (1, %(id)s, %(id)s::text, %(vector)s, now())", {"id": title_id, "vector": embedding},
            )  # fmt: skip
        connection.exec_driver_sql("select pipeline.refresh_vectors(1)")


def asked(database: Database, movies: Sequence[Made]) -> dict[str, Any]:
    """What each function and view answers about each of ten movies."""
    answered: dict[str, Any] = {}
    for film in movies[::6]:
        text = f"{film.title} {film.overview.split()[0]} zanzibar"
        embedding = rows(database, "select catalog.hashed_vector(:text, 64)::text", text=film.overview)[0][0]
        for name, statement in MOVIES_ONLY.items():
            values = {"text": text, "title": film.title, "v": embedding, "id": film.tmdb_id}
            named = {key: value for key, value in values.items() if f":{key}" in statement}
            answered[f"{name} {film.tmdb_id}"] = [tuple(row) for row in rows(database, statement, **named)]
    return answered


def test_answers_about_movies_are_those_of_a_catalogue_without_series(answers: tuple[Database, dict[str, Any]]) -> None:
    database, before = answers
    seed_films = [made_of(database, n) for n in range(1, 61)]
    after = asked(database, seed_films)
    assert {name: found for name, found in after.items() if found != before[name]} == {}
    assert sum(bool(found) for found in before.values()) > 0.8 * len(before)


def made_of(database: Database, number: int) -> Made:
    ((title, overview),) = rows(database, "select title, overview from catalog.titles where title_id = :id", id=number)
    return Made(number, title, None, 0, overview=overview)


def titles(database: Database, call: str, **parameters: Any) -> list[Any]:
    return rows(database, f"select * from catalog.{call}", **parameters)


@pytest.mark.parametrize("filters", [ONLY_SERIES, BOTH, {}])
def test_titles_are_of_the_media_types_that_are_asked_for(
    answers: tuple[Database, dict[str, Any]], filters: dict[str, list[str]]
) -> None:
    database, _ = answers
    wanted = set(filters.get("media_types", ["movie"]))
    vector = rows(database, "select embedding::text from catalog.movie_vectors where tmdb_id = 5")[0][0]
    film = made_of(database, 5)
    given = json.dumps(filters)
    calls = {
        f"search_titles(:text, 60, {GIVEN})": {"text": film.title},
        f"search_titles(:text, 60, {GIVEN}, cast(:v as vector))": {"text": film.overview, "v": vector},
        f"match_titles(cast(:v as vector), -1, 60, {GIVEN})": {"v": vector},
        f"find_title(:text, null, 60, {GIVEN})": {"text": film.title},
        f"complete_any_title(:text, 60, {GIVEN})": {"text": film.title[:3]},
        f"recommend_titles(array[5, {SERIES} + 6], match_count => 100, filters => {GIVEN})": {},
        f"recommend_titles(disliked => array[5, {SERIES} + 6], match_count => 100, filters => {GIVEN})": {},
        f"recommend_titles(match_count => 100, filters => {GIVEN})": {},
    }
    for call, parameters in calls.items():
        found = titles(database, call, filters=given, **parameters)
        assert {title.media_type for title in found} == wanted, call
        for title in found:
            assert title.title_id == title.tmdb_id + (SERIES if title.media_type == "series" else 0)


def test_titles_are_recommended_by_those_of_another_media_type(answers: tuple[Database, dict[str, Any]]) -> None:
    database, _ = answers
    liked = rows(database, "select embedding::text from catalog.movie_vectors where tmdb_id = 5")[0][0]
    nearest = titles(
        database, f"match_titles(cast(:v as vector), -1, 5, {GIVEN})", v=liked, filters=json.dumps(ONLY_SERIES)
    )
    plain = json.dumps({"popularity": 0, "diversity": 0})
    call = f"recommend_titles(array[5], filters => {GIVEN}, match_count => 5, options => cast(:options as jsonb))"
    found = titles(database, call, filters=json.dumps(ONLY_SERIES), options=plain)
    assert [title.title_id for title in found] == [title.title_id for title in nearest]
    assert {(title.because, title.reasons[0]["media_type"], title.reasons[0]["title_id"]) for title in found} == {
        (5, "movie", 5)
    }
    both = titles(database, call, filters=json.dumps(BOTH), options=plain)
    assert [title.score for title in both] == sorted((title.score for title in both), reverse=True)
    movies = titles(database, call.replace("titles", "movies"), filters="{}", options=plain)
    assert {title.title_id for title in both} <= {film.tmdb_id for film in movies} | {each.title_id for each in found}


def test_titles_like_one_are_of_its_media_type_unless_others_are_asked_for(
    answers: tuple[Database, dict[str, Any]],
) -> None:
    database, _ = answers
    for film, other in ((5, SERIES + 5), (SERIES + 5, 5)):
        own = titles(database, "similar_titles(:id, 60)", id=film)
        assert {title.title_id // SERIES for title in own} == {film // SERIES}
        assert film not in {title.title_id for title in own}
        both = titles(database, f"similar_titles(:id, 200, {GIVEN})", id=film, filters=json.dumps(BOTH))
        assert other in {title.title_id for title in both}
        assert film not in {title.title_id for title in both}
        assert len(both) == 120
    mixed = "select count(*) from catalog.similar_titles where title_id / 1000000000 <> similar_id / 1000000000"
    assert rows(database, mixed)[0][0] == 0
    assert rows(database, "select count(*) from catalog.similar_titles where title_id > 1000000000")[0][0] == 610
    assert rows(database, "select count(*) from pipeline.similar_due()")[0][0] == 0
    assert rows(database, "select count(*) from pipeline.compare_similar_lists()")[0][0] == 0


def test_words_of_both_are_counted_apart_and_rightly(answers: tuple[Database, dict[str, Any]]) -> None:
    database, _ = answers
    assert rows(
        database,
        "select count(*) from catalog.vocabulary v full join pipeline.words_of_documents() w using (word, media_type) "
        "where v.films is distinct from w.films",
    )[0][0] == 0  # fmt: skip
    assert rows(database, "select media_type from catalog.vocabulary where word = 'zanzibar'") == [("series",)]
    assert rows(database, "select key from pipeline.compare_postings() where differs") == []


@pytest.mark.parametrize("call", [
    "search_movies('x', 10, :filters)", "find_movie('x', null, 5, :filters)", "complete_title('xxx', 10, :filters)",
    "similar_movies(5, 10, :filters)", "recommend_movies(filters => :filters)", "recommendations_for('x', :filters)",
    "match_movies(array_fill(1, array[64])::vector, -1, 10, :filters)",
])  # fmt: skip
def test_a_function_of_movies_refuses_to_find_series(answers: tuple[Database, dict[str, Any]], call: str) -> None:
    database, _ = answers
    with pytest.raises(sa.exc.DBAPIError, match="this function finds movies"):
        titles(database, call.replace(":filters", GIVEN), filters=json.dumps(BOTH))


@pytest.mark.parametrize("named", ["series", ["film"], [1], {"movie": True}])
def test_unknown_media_types_are_refused(answers: tuple[Database, dict[str, Any]], named: object) -> None:
    database, _ = answers
    with pytest.raises(sa.exc.DBAPIError, match="the filter media_types takes a list of movie and series"):
        titles(database, f"search_titles('castle', 10, {GIVEN})", filters=json.dumps({"media_types": named}))
