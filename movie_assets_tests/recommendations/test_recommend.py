"""catalog.recommend_movies as applications call it, on films whose vectors have meanings."""

from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from movie_assets.database.database import Database
from movie_assets.recommendations.histories import among, histories_of
from movie_assets.recommendations.item_models import Popularity
from movie_assets.recommendations.quality import live
from movie_assets.recommendations.ranking_quality import NO_MOVIE

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


def recommended(database: Database, **arguments: object) -> list[Any]:
    """Call catalog.recommend_movies with named arguments; return its rows."""
    statement = sa.text(
        "select * from catalog.recommend_movies(loved => cast(:loved as bigint[]), liked => cast(:liked as bigint[]), "
        "disliked => cast(:disliked as bigint[]), filters => cast(:filters as jsonb), match_count => :count, "
        "options => cast(:options as jsonb), rated => cast(:rated as bigint[]), "
        "ratings => cast(:ratings as double precision[]))"
    ).bindparams(sa.bindparam("filters", type_=sa.JSON), sa.bindparam("options", type_=sa.JSON))
    parameters: dict[str, object] = {
        "loved": [], "liked": [], "disliked": [], "filters": {}, "count": 3, "options": PLAIN, "rated": [],
        "ratings": [],
    } | arguments  # fmt: skip
    with database.transaction() as connection:
        return list(connection.execute(statement, parameters))


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
    rows = recommended(films, disliked=[7, 8], count=3)
    assert {FILMS[n][2] for n in ids(rows)} == {"Crime", "Science Fiction"}


def test_nothing_at_all_leads_to_the_most_popular_films(films: Database) -> None:
    assert ids(recommended(films)) == [7, 4, 1]


def test_a_genre_alone_leads_to_the_middle_of_the_genre(films: Database) -> None:
    rows = recommended(films, filters={"genres": ["Science Fiction"]})
    assert set(ids(rows)) == {4, 5, 6}
    assert rows[0].similarity is not None


def test_filters_hold(films: Database) -> None:
    assert set(ids(recommended(films, loved=[1], filters={"genres": ["Romance"]}))) == {7, 8, 10}


def test_an_exclude_filter_adds_to_the_seen_films(films: Database) -> None:
    assert ids(recommended(films, loved=[1], filters={"exclude": [3]}, count=1)) == [2]


def test_diversity_brings_in_what_is_unlike_the_first(films: Database) -> None:
    similar = ids(recommended(films, loved=[1, 4], count=3))
    diversified = ids(recommended(films, loved=[1, 4], count=3, options=PLAIN | {"diversity": 0.9}))
    assert similar[0] == diversified[0]
    assert similar != diversified


def test_votes_lift_a_film_when_popularity_weighs(films: Database) -> None:
    assert ids(recommended(films, loved=[1], count=2, options=PLAIN | {"popularity": 1.0})) == [2, 3]


def test_the_reason_is_the_named_film_that_it_is_most_like(films: Database) -> None:
    rows = {row.tmdb_id: row for row in recommended(films, loved=[1], liked=[4], count=7)}
    assert rows[2].because == 1
    assert rows[5].because == 4
    assert rows[2].shared_features == {"genres": ["Crime"]}


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
    """Serve a model with these weights from a film to others."""
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
    rows = recommended(films, loved=[1], count=3, options=PLAIN | {"histories": 0.9})
    assert ids(rows) == [3, 7, 2]  # 3 is similar and liked by the same people, 7 liked by them, 2 similar
    assert ids(recommended(films, loved=[1], count=3, options=PLAIN | {"histories": 0})) == [3, 2, 9]
    assert ids(recommended(films, loved=[1], count=1, options=PLAIN | {"histories": 2})) == [7]


def test_the_film_with_the_largest_weight_is_the_reason(films: Database) -> None:
    with_histories(films, {1: {7: 0.1}, 4: {7: 0.4}})
    rows = {row.tmdb_id: row for row in recommended(films, loved=[1], liked=[4], count=7)}
    assert rows[7].because == 4
    assert [(r["tmdb_id"], r["title"], r["how"]) for r in rows[7].reasons] == [
        (4, "Comet", "liked"), (1, "Knives", "loved")
    ]  # fmt: skip
    assert rows[7].reasons[0]["weight"] == pytest.approx(0.6 * 0.4)
    assert rows[2].because == 1
    assert rows[2].reasons[0]["shared"] == {"genres": ["Crime"]}


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


def as_core_would(persons: dict[str, dict[int, float | None]]) -> list[list[tuple[int, float]]]:
    """Lists of `live` in the core, with TMDB's votes as the popularity, each film with its score before diversity."""
    known = histories_of(
        list(persons),
        [np.array(list(rated)) for rated in persons.values()],
        [np.array([np.nan if rating is None else rating for rating in rated.values()]) for rated in persons.values()],
        [np.ones(len(rated), dtype=np.bool_) for rated in persons.values()],
    )
    known = among(known, np.array(sorted(FILMS)))
    every = known.films
    vectors = np.array([FILMS[film][1] if film in FILMS else (0, 0, 0) for film in every.tolist()], dtype=np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    logs = np.log1p([FILMS[film][3] if film in FILMS else 0 for film in every.tolist()])
    entry = live(known, vectors, Popularity((logs / logs.max()).astype(np.float32)))
    scores = entry.model.scores(entry.given)
    scores[known.person, known.film] = -np.inf
    scores[:, ~np.isin(every, list(FILMS))] = -np.inf
    assert entry.choose
    return [
        [(int(every[place]), float(row[place])) for place in places if place != NO_MOVIE]
        for row, places in zip(scores, entry.choose(scores), strict=True)
    ]


RATED: dict[str, dict[int, float | None]] = {
    "one film": {1: 90},
    "all high": {1: 100, 4: 90, 7: 80},
    "all equal": {7: 80, 8: 80},
    "high and low": {5: 90, 6: 100, 1: 20, 2: 30},
    "some unrated": {1: None, 9: 60, 10: 100},
    "one not in the catalogue": {4: 70, 999: 10, 2: 100},
}


def test_a_person_with_ratings_gets_what_is_evaluated(films: Database) -> None:
    expected = as_core_would(RATED)
    for (name, ratings), by_core in zip(RATED.items(), expected, strict=True):
        rows = recommended(films, rated=list(ratings), ratings=list(ratings.values()), count=10, options={})
        unlowered = {row.tmdb_id: row.similarity for row in rows}
        assert ids(rows) == [film for film, _ in by_core], name
        assert rows[0].score == pytest.approx(by_core[0][1], abs=2e-3)
        standing = {film: np.log1p(FILMS[film][3]) / np.log1p(990) for film in FILMS}
        assert all(unlowered[film] + standing[film] == pytest.approx(score, abs=2e-3) for film, score in by_core), name


def test_ratings_count_by_how_far_they_are_from_the_persons_mean(films: Database) -> None:
    above = recommended(films, rated=[1, 4], ratings=[60, 100], count=2)
    assert set(ids(above)) == {5, 6}  # 60 is praise by no measure, and far below this person's mean
    assert ids(recommended(films, rated=[1, 4], ratings=[100, 60], count=1)) == [3]


def test_all_that_was_rated_is_left_out_and_loved_liked_and_unrated_films_are_reasons(films: Database) -> None:
    rows = recommended(films, rated=[1, 2, 5, 7], ratings=[100, None, 60, 20], count=10)
    assert not {1, 2, 5, 7} & set(ids(rows))
    assert {row.because for row in rows} == {1, 2}


def test_by_default_a_film_that_nobody_knows_is_not_before_one_as_near_that_all_know(films: Database) -> None:
    with films.transaction() as connection:
        connection.exec_driver_sql("update catalog.movie_stats set vote_count = 2 where tmdb_id = 3")
    assert ids(recommended(films, loved=[1], count=1)) == [3]
    assert ids(recommended(films, loved=[1], count=1, options={})) == [2]


def test_how_many_with_histories_like_a_film_counts_in_the_place_of_votes(films: Database) -> None:
    with_histories(films, {film: {999: 0.1} for film in FILMS})
    with films.transaction() as connection:
        connection.exec_driver_sql(
            "update pipeline.film_weights set popularity = case when tmdb_id = 9 then 1 else 0 end"
        )
    assert ids(recommended(films, loved=[1], count=1, options={})) == [9]


def test_lists_are_centred_without_turning_praise_into_its_opposite(films: Database) -> None:
    with films.transaction() as connection:
        rows = connection.exec_driver_sql(
            "select weight from catalog.centred_weights(array(select generate_series(1, 50)::bigint), '{51}', '{52}', "
            "catalog.options_of_recommend_movies('{}'), '{}', '{}') order by tmdb_id"
        )
        weights = [row.weight for row in rows]
    mean = (50 * 1.0 + 0.6 - 0.8) / 62
    assert weights[0] == pytest.approx(1 - mean)
    assert weights[50:] == [0, pytest.approx(-0.8 - mean)]


def test_filters_that_nothing_passes_are_no_error(films: Database) -> None:
    nothing = {"genres": ["Western"]}
    assert recommended(films, loved=[1], filters=nothing) == []
    with films.transaction() as connection:
        connection.exec_driver_sql("update pipeline.embedding_sets set is_active = false")
    assert recommended(films, loved=[1], filters=nothing) == []


def test_an_empty_catalogue_has_nothing_to_recommend(database: Database) -> None:
    assert recommended(database, loved=[1]) == []
    assert recommended(database) == []


def test_a_null_among_the_named_films_is_passed_over(films: Database) -> None:
    assert ids(recommended(films, loved=[1, None], liked=[None], rated=[None], ratings=[50])) == [3, 2, 9]
    assert ids(recommended(films, loved=None, disliked=None)) == [7, 4, 1]


def test_an_option_that_is_no_number_is_named(films: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError, match='the option histories takes a number, not "x"'):
        recommended(films, options={"histories": "x"})
    with pytest.raises(sa.exc.DBAPIError, match="options are a JSON object"):
        recommended(films, options=[1])


def test_only_the_hundred_best_are_compared_with_each_other(films: Database) -> None:
    with films.transaction() as connection:
        connection.exec_driver_sql(
            "insert into catalog.movies (tmdb_id, title, original_title, release_date, genres, keywords, directors, "
            "leading_cast, countries, embedding_text, text_hash, changed_at) select n, n::text, '', '2001-01-01', "
            "array['Crime'], '{}', '{}', '{}', '{}', '', n::text, now() from generate_series(101, 400) n; "
            "insert into pipeline.embeddings (set_id, tmdb_id, text_hash, embedding, embedded_at) "
            "select 1, n, n::text, array[1 + mod(n, 7), mod(n, 11), mod(n, 13), 0, 0, 0, 0, 0]::vector, now() "
            "from generate_series(101, 400) n; "
            "select pipeline.refresh_vectors(1)"
        )
        seen = connection.exec_driver_sql("select pg_catalog.count(*) from catalog.movie_vectors").scalar_one()
    rows = recommended(films, loved=[1], count=400, options={})
    assert len(set(ids(rows))) == len(rows) == seen - 1
    scores = [row.score for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert all(row.score == pytest.approx(row.similarity - 0.2) for row in rows[100:])  # they have no votes
