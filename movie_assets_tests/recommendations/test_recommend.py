"""catalog.recommend_movies as applications call it, on films whose vectors have meanings."""

import pytest
import sqlalchemy as sa

from movie_assets.database.database import Database
from movie_assets_tests.recommendations.recommended_films import FILMS, PLAIN, ids, recommended


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
