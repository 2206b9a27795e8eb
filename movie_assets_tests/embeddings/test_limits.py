"""What one call of an application may cost: counts, lists, filters and vectors have limits, each with a clear error."""

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from movie_assets.database.database import Database
from movie_assets.search.search_documents import update_documents
from movie_assets_tests.conftest import database_of_ones_own
from movie_assets_tests.support.made_films import FILMS, put

COUNTED = (
    "select * from catalog.match_movies(array_fill(0.1, '{{8}}')::vector, match_count => {})",
    "select * from catalog.search_movies('alien', match_count => {})",
    "select * from catalog.find_movie('alien', match_count => {})",
    "select * from catalog.complete_title('ali', match_count => {})",
    "select * from catalog.similar_movies(1, match_count => {})",
    "select * from catalog.recommend_movies(liked => '{{1}}', match_count => {})",
    "select * from catalog.recommendations_for('ann', match_count => {})",
)
LISTS = ("loved => {}", "liked => {}", "disliked => {}", "rated => {}", "ratings => {}::double precision[]")
MILLION = "array(select generate_series(1, 1000000)::bigint)"


@pytest.fixture(scope="module")
def catalogue(server: str, template: str) -> Iterator[Database]:
    with database_of_ones_own(server, template) as opened:
        put(opened, FILMS)
        update_documents(opened)
        yield opened


def ask(database: Database, statement: str) -> Any:
    with database.transaction() as connection:
        return connection.exec_driver_sql(statement).all()


@pytest.mark.parametrize("count", ["-1", "10001", "1000000000", "2147483647"])
@pytest.mark.parametrize("statement", COUNTED)
def test_a_count_out_of_bounds_is_the_same_error_everywhere(catalogue: Database, statement: str, count: str) -> None:
    with pytest.raises(sa.exc.DBAPIError, match=rf"match_count is {count}; it can be 0 to 10000") as refused:
        ask(catalogue, statement.format(count))
    assert isinstance(refused.value.orig, psycopg.errors.InvalidParameterValue)


@pytest.mark.parametrize("statement", COUNTED)
def test_counts_within_bounds_are_served(catalogue: Database, statement: str) -> None:
    assert ask(catalogue, statement.format(0)) == []
    for count in ("null", "10000"):
        ask(catalogue, statement.format(count))


@pytest.mark.parametrize("named", LISTS)
def test_a_list_of_a_million_ids_is_refused_at_once(catalogue: Database, named: str) -> None:
    began = time.monotonic()
    with pytest.raises(sa.exc.DBAPIError, match="it can have 20,000"):
        ask(catalogue, f"select * from catalog.recommend_movies({named.format(MILLION)})")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("statement", COUNTED)
def test_filters_of_a_million_ids_are_refused_at_once(catalogue: Database, statement: str) -> None:
    filters = f"jsonb_build_object('exclude', to_jsonb({MILLION}))"
    call = statement.format(3).removesuffix(")") + f", filters => {filters})"
    with pytest.raises(sa.exc.DBAPIError, match=r"the filters have .* characters; they can have 200,000"):
        ask(catalogue, call)


@pytest.mark.parametrize("call", ["match_movies({}, match_count => 3)", "search_movies('', query_embedding => {})"])
def test_a_vector_of_zeros_is_refused(catalogue: Database, call: str) -> None:
    zeros = "array_fill(0.0, '{8}')::vector"
    with pytest.raises(sa.exc.DBAPIError, match="the vector has only zeros"):
        ask(catalogue, f"select * from catalog.{call.format(zeros)}")
