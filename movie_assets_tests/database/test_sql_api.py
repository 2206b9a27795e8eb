"""What applications call in schema `catalog` is there as it was promised, also while a release replaces it."""

import copy

import pytest

from movie_assets.config.paths import CHECKOUT
from movie_assets.database.database import Database
from movie_assets_tests.database.sql_api import Api, api_of, as_json, breaks, promised_api

CONTRIBUTING = (CHECKOUT / "docs" / "contributing.md").read_text(encoding="utf-8")


def test_nothing_that_applications_call_is_removed_or_changed(database: Database) -> None:
    assert breaks(promised_api(), api_of(database)) == []


def test_the_record_of_what_applications_call_is_complete(database: Database) -> None:
    assert as_json(promised_api()) == as_json(api_of(database)), "run `make docs`, which records what is new"


def test_a_function_has_one_signature(database: Database) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql(
            "create function catalog.similar_movies(film bigint) returns int language sql as 'select 1'"
        )
    with pytest.raises(ValueError, match="similar_movies has two signatures"):
        api_of(database)


SHAPE: Api = {
    "f()": {"parameters": ["query text", "most integer default"], "returns": ["tmdb_id bigint", "title text"]},
    "v": {"columns": ["tmdb_id bigint", "score real"]},
}


@pytest.mark.parametrize(
    ("name", "part", "now"),
    [
        ("f()", "parameters", ["query text", "most integer default", "filters jsonb default"]),
        ("f()", "parameters", ["query text default", "most integer default"]),
        ("v", "columns", ["tmdb_id bigint", "score real", "votes integer"]),
    ],
)
def test_an_addition_at_the_end_is_compatible(name: str, part: str, now: list[str]) -> None:
    present = copy.deepcopy(SHAPE)
    present[name][part] = now
    assert breaks(SHAPE, present) == []


@pytest.mark.parametrize(
    ("name", "part", "now"),
    [
        ("f()", "parameters", ["query text"]),
        ("f()", "parameters", ["query text", "most integer"]),
        ("f()", "parameters", ["words text", "most integer default"]),
        ("f()", "parameters", ["query text", "most bigint default"]),
        ("f()", "parameters", ["query text", "filters jsonb default", "most integer default"]),
        ("f()", "parameters", ["query text", "most integer default", "filters jsonb"]),
        ("f()", "returns", ["tmdb_id bigint"]),
        ("f()", "returns", ["tmdb_id bigint", "title text", "score real"]),
        ("v", "columns", ["tmdb_id bigint"]),
        ("v", "columns", ["tmdb_id bigint", "score double precision"]),
        ("v", "columns", ["score real", "tmdb_id bigint"]),
    ],
)
def test_another_change_says_what_it_breaks_and_what_to_do(name: str, part: str, now: list[str]) -> None:
    present = copy.deepcopy(SHAPE)
    present[name][part] = now
    (sentence,) = breaks(SHAPE, present)
    assert f"catalog.{name} " in sentence
    assert "docs/contributing.md, Rolling upgrades" in sentence


def test_a_removed_object_is_reported() -> None:
    assert [sentence.split(":")[0] for sentence in breaks(SHAPE, {})] == [
        "catalog.f() is missing",
        "catalog.v is missing",
    ]
    assert "\n## Rolling upgrades\n" in CONTRIBUTING
