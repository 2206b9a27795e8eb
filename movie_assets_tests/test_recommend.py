"""catalog.recommend_movies as applications call it, on films whose vectors have meanings."""

from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from movie_assets.resources.postgres import Database

# Directions: crime, space, romance; a film is a mixture, with a genre and votes.
FILMS = {
    1: ("Knives", (1.0, 0.0, 0.1), "Crime", 900),
    2: ("Glass", (1.0, 0.1, 0.0), "Crime", 800),
    3: ("Onion", (0.9, 0.0, 0.2), "Crime", 700),
    4: ("Comet", (0.0, 1.0, 0.1), "Science Fiction", 950),
    5: ("Star", (0.1, 1.0, 0.0), "Science Fiction", 600),
    6: ("Orbit", (0.0, 1.0, 0.2), "Science Fiction", 500),
    7: ("Kiss", (0.0, 0.1, 1.0), "Romance", 990),
    8: ("Heart", (0.1, 0.0, 1.0), "Romance", 400),
    9: ("Crime in Space", (0.7, 0.7, 0.0), "Crime", 300),
    10: ("Love in Space", (0.0, 0.7, 0.7), "Romance", 200),
}
PLAIN = {"diversity": 0, "popularity": 0}


@pytest.fixture
def films(database: Database) -> Database:
    """Ten films with vectors of 8 dimensions."""
    with database.transaction() as connection:
        connection.exec_driver_sql(
            "insert into pipeline.embedding_sets (provider, model, dimensions, template) "
            "values ('test', 'by hand', 8, 'none')"
        )
        for tmdb_id, (title, direction, genre, votes) in FILMS.items():
            vector = np.zeros(8)
            vector[:3] = direction
            values = {
                "id": tmdb_id, "title": title, "genre": genre, "votes": votes,
                "vector": str((vector / np.linalg.norm(vector)).tolist()),
            }  # fmt: skip
            connection.exec_driver_sql(
                "insert into catalog.movies (tmdb_id, title, original_title, release_date, genres, keywords, "
                "directors, leading_cast, countries, embedding_text, text_hash, changed_at) values (%(id)s, %(title)s, "
                "'', '2001-01-01', array[%(genre)s], '{}', '{}', '{}', '{}', '', %(title)s, now())",
                values,
            )
            connection.exec_driver_sql(
                "insert into catalog.movie_stats values (%(id)s, %(votes)s, 7, %(votes)s, now())", values
            )
            connection.exec_driver_sql(
                "insert into pipeline.embeddings (set_id, tmdb_id, text_hash, embedding, embedded_at) "
                "values (1, %(id)s, %(title)s, %(vector)s, now())",
                values,
            )
        connection.exec_driver_sql("select pipeline.refresh_vectors(1), pipeline.build_vector_index(1)")
        connection.exec_driver_sql("select pipeline.activate_set(1)")
    return database


def recommended(database: Database, **said: Any) -> list[Any]:
    """Call the function with named arguments."""
    options = sa.text(
        "select * from catalog.recommend_movies(loved => cast(:loved as bigint[]), liked => cast(:liked as bigint[]), "
        "disliked => cast(:disliked as bigint[]), filters => cast(:filters as jsonb), match_count => :count, "
        "options => cast(:options as jsonb))"
    ).bindparams(sa.bindparam("filters", type_=sa.JSON), sa.bindparam("options", type_=sa.JSON))
    given = {"loved": [], "liked": [], "disliked": [], "filters": {}, "count": 3, "options": PLAIN} | said
    with database.transaction() as connection:
        return list(connection.execute(options, given))


def ids(rows: list[Any]) -> list[int]:
    return [row.tmdb_id for row in rows]


def test_films_like_the_loved_ones_come_first_and_seen_ones_not_at_all(films: Database) -> None:
    assert ids(recommended(films, loved=[1])) == [3, 2, 9]


def test_a_disliked_film_pushes_its_neighbours_away(films: Database) -> None:
    assert 9 in ids(recommended(films, loved=[1, 5], count=1))
    assert 9 not in ids(recommended(films, loved=[1], disliked=[5], count=3))


def test_a_liked_film_weighs_less_than_a_loved_one(films: Database) -> None:
    nearest_first = recommended(films, loved=[1], liked=[4], count=7)
    assert ids(nearest_first).index(2) < ids(nearest_first).index(5)
    assert ids(recommended(films, loved=[4], liked=[1], count=7)).index(5) < 3


def test_weights_are_options(films: Database) -> None:
    reversed_ = recommended(films, loved=[1], liked=[4], count=2, options=PLAIN | {"loved": 0.1, "liked": 1.0})
    assert set(ids(reversed_)) == {5, 6}


def test_only_dislikes_lead_to_films_that_share_no_genre_with_them(films: Database) -> None:
    found = recommended(films, disliked=[7, 8], count=3)
    assert {FILMS[n][2] for n in ids(found)} == {"Crime", "Science Fiction"}


def test_nothing_at_all_leads_to_the_most_popular_films(films: Database) -> None:
    assert ids(recommended(films)) == [7, 4, 1]


def test_a_genre_alone_leads_to_the_middle_of_the_genre(films: Database) -> None:
    found = recommended(films, filters={"genres": ["Science Fiction"]})
    assert set(ids(found)) == {4, 5, 6}
    assert found[0].similarity is not None


def test_filters_hold(films: Database) -> None:
    assert set(ids(recommended(films, loved=[1], filters={"genres": ["Romance"]}))) == {7, 8, 10}


def test_an_exclude_filter_adds_to_the_seen_films(films: Database) -> None:
    assert ids(recommended(films, loved=[1], filters={"exclude": [3]}, count=1)) == [2]


def test_diversity_brings_in_what_is_unlike_the_first(films: Database) -> None:
    alike = ids(recommended(films, loved=[1, 4], count=3))
    mixed = ids(recommended(films, loved=[1, 4], count=3, options=PLAIN | {"diversity": 0.9}))
    assert alike[0] == mixed[0]
    assert alike != mixed


def test_votes_lift_a_film_when_popularity_weighs(films: Database) -> None:
    assert ids(recommended(films, loved=[1], count=2, options=PLAIN | {"popularity": 1.0})) == [2, 3]


def test_the_reason_is_the_named_film_that_it_is_most_like(films: Database) -> None:
    found = {row.tmdb_id: row for row in recommended(films, loved=[1], liked=[4], count=7)}
    assert found[2].because == 1
    assert found[5].because == 4
    assert found[2].shared_features == {"genres": ["Crime"]}


def test_unknown_films_are_passed_over(films: Database) -> None:
    assert ids(recommended(films, loved=[1, 999], count=1)) == [3]
    assert ids(recommended(films, loved=[999])) == [7, 4, 1]


def test_without_any_vectors_popularity_is_left(database: Database, films: Database) -> None:
    with films.transaction() as connection:
        connection.exec_driver_sql("update pipeline.embedding_sets set is_active = false")
    assert ids(recommended(database, loved=[1])) == [7, 4, 2]


def test_an_unknown_option_is_an_error_that_names_it(films: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError, match="there is no option lovd"):
        recommended(films, options={"lovd": 1})


@pytest.mark.parametrize("count", [0, 10, 500])
def test_no_more_films_than_there_are(films: Database, count: int) -> None:
    assert len(recommended(films, loved=[1], count=count)) == min(count, 9)


def with_histories(films: Database, weights: dict[int, dict[int, float]]) -> None:
    """A served model in which liking a film says so much for others."""
    with films.transaction() as connection:
        connection.exec_driver_sql(
            "insert into pipeline.recommendation_models (kind, method_version, inputs, parameters, persons, films, "
            "likes, entries, newest_entry, seconds, fitted_at, is_served) "
            "values ('ease', 'test', '', '{}', 1, 1, 1, 1, now(), 1, now(), true)"
        )
        for film, others in weights.items():
            connection.exec_driver_sql(
                "insert into pipeline.film_weights values (1, %(film)s, 1, %(others)s, %(weights)s, '{1}')",
                {"film": film, "others": list(others), "weights": list(others.values())},
            )


def test_what_others_liked_besides_competes_with_what_is_near(films: Database) -> None:
    assert ids(recommended(films, loved=[1], count=2)) == [3, 2]
    with_histories(films, {1: {7: 0.4, 3: 0.1, 999: 5.0}})
    found = recommended(films, loved=[1], count=3, options=PLAIN | {"histories": 0.9})
    assert ids(found) == [3, 7, 2]  # 3 is near and liked by the same people, 7 liked by them, 2 near
    assert ids(recommended(films, loved=[1], count=3, options=PLAIN | {"histories": 0})) == [3, 2, 9]
    assert ids(recommended(films, loved=[1], count=1, options=PLAIN | {"histories": 2})) == [7]


def test_the_film_that_says_most_for_another_is_the_reason(films: Database) -> None:
    with_histories(films, {1: {7: 0.1}, 4: {7: 0.4}})
    found = {row.tmdb_id: row for row in recommended(films, loved=[1], liked=[4], count=7)}
    assert found[7].because == 4
    assert [(r["tmdb_id"], r["title"], r["how"]) for r in found[7].reasons] == [
        (4, "Comet", "liked"), (1, "Knives", "loved")
    ]  # fmt: skip
    assert found[7].reasons[0]["weight"] == pytest.approx(0.6 * 0.4)
    assert found[2].because == 1
    assert found[2].reasons[0]["shared"] == {"genres": ["Crime"]}


def test_a_disliked_film_pulls_down_what_its_friends_like(films: Database) -> None:
    with_histories(films, {8: {3: 0.5}, 1: {9: 0.01}})
    assert ids(recommended(films, loved=[1], count=1)) == [3]
    assert ids(recommended(films, loved=[1], disliked=[8], count=1, options=PLAIN | {"histories": 1.0})) == [2]


def test_histories_obey_filters_and_need_no_vectors(films: Database) -> None:
    with_histories(films, {1: {7: 0.4, 4: 0.3}, 999: {5: 0.9}})
    assert 7 not in ids(recommended(films, loved=[1], filters={"without_genres": ["Romance"]}, count=9))
    with films.transaction() as connection:
        connection.exec_driver_sql("update pipeline.embedding_sets set is_active = false")
    assert ids(recommended(films, loved=[999], count=1, options=PLAIN | {"histories": 2})) == [5]
