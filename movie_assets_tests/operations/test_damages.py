"""Every column of every table that the recount owns is damaged: the recount names it, and what follows puts it right.

The columns are read from the database, so that a new table or column without a place here fails.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from movie_assets.operations.derived_comparison import SHARED_FEATURES
from movie_assets_tests.catalog.test_facts import whole
from movie_assets_tests.conftest import database_of_ones_own, failed_checks, figures_of
from movie_assets_tests.support.small_pipelines import SmallPipeline, small_pipelines

FILMS = [64 * n for n in range(1, 14)]
VECTORS = "title_vectors_1"
SHARED = ["people", "genres", "keywords", "companies", "collections", "watch_providers"]
CHILDREN = [
    "title_cast", "title_crew", "title_genres", "title_keywords", "title_companies", "title_collections",
    "title_countries", "title_languages", "title_certifications", "title_external_ids", "title_videos",
    "title_translations", "title_alternative_titles", "title_watch_providers", "release_dates",
]  # fmt: skip
DERIVED = [
    "title_documents",
    "title_names",
    "vocabulary",
    "postings",
    "similar_titles",
    "rating_aggregates",
    "rating_methods",
    VECTORS,
]
OWNED = ["titles", "title_stats", *CHILDREN, *SHARED, *DERIVED]
# docs/architecture.md says why, under "What the recount compares".
# Tables of series, which this catalogue has none of: catalog/test_series_rows.py damages them.
OF_SERIES = {"broadcasts", "seasons", "episodes", "networks", "series_networks", "series_creators"}
NOT_COMPARED = {
    "title_stats_history", "title_trends", "watched_titles", "watched_episodes", "title_ratings", "recommended_titles",
    "cancelled_releases", "moved_episodes", "offer_intervals", "certification_ages",
    "list_days", "list_snapshots", "events", "event_bounds", "omdb_ratings", "title_images", "image_sizes",
}  # fmt: skip
NOT_COMPARED_COLUMNS = {
    ("titles", "changed_at"), ("rating_aggregates", "computed_at"), ("rating_methods", "computed_at"),
    ("postings", "part"),  # says when films were listed, not where
    ("release_dates", "entry"), ("release_dates", "sequence"),  # what calendars know of a date's past
    ("rating_methods", "fingerprint"), ("rating_methods", "method_version"),
    ("rating_methods", "media_type"),  # without its method no score is left
    # Foreign keys do not let the keys of shared rows change.
    ("people", "person_id"), ("genres", "genre_id"), ("keywords", "keyword_id"), ("companies", "company_id"),
    ("collections", "collection_id"), ("watch_providers", "provider_id"),
}  # fmt: skip
STRANGERS = {  # rows that a damaged reference points at
    "person_id": "people (person_id, name)", "genre_id": "genres (genre_id, name)",
    "keyword_id": "keywords (keyword_id, name)", "company_id": "companies (company_id, name)",
    "collection_id": "collections (collection_id, name)", "provider_id": "watch_providers (provider_id, name)",
}  # fmt: skip
SPECIAL = {
    ("title_names", "kind"): "'translated'",
    ("rating_aggregates", "score"): "score_low",
    ("rating_aggregates", "score_low"): "score_low - 0.5",
    ("rating_aggregates", "score_high"): "least(100, score_high + 0.5)",
    ("rating_aggregates", "scope"): "'person'",
    ("rating_aggregates", "key"): "key || '9'",
    ("rating_methods", "is_current"): "false",
    ("similar_titles", "place"): "10",
    ("title_stats", "seen_at"): "seen_at - interval '1 day'",
    ("postings", "films"): "films[2:]",
    (VECTORS, "embedding"): f"(select v.embedding from catalog.{VECTORS} v order by v.title_id desc limit 1)",
}  # fmt: skip
OTHER_VALUES = {
    "text": "coalesce({c}, '') || ' damaged'", "bigint": "coalesce({c}, 0) + 1", "integer": "coalesce({c}, 0) + 1",
    "smallint": "coalesce({c}, 0) + 1", "double precision": "coalesce({c}, 0) + 0.5", "real": "{c} - 0.1",
    "boolean": "not {c}", "date": "coalesce({c}, date '2000-01-01') + 1", "ARRAY": "{c} || array['damaged']",
    "jsonb": """'{{"people": ["nobody"]}}'""", "tsvector": "'damaged'::tsvector",
}  # fmt: skip


@pytest.fixture(scope="module")
def lived(server: str, template: str) -> Iterator[SmallPipeline]:
    with database_of_ones_own(server, template) as database, small_pipelines(database) as small:
        pipeline = small(*(whole(title_id, title=f"The Matrix number {title_id}", imdb_id=None) for title_id in FILMS))
        pipeline.run_all()
        assert pipeline.movies == FILMS
        yield pipeline


def all_columns(pipeline: SmallPipeline) -> list[tuple[str, str, str]]:
    """Table, column and type of what the tables of the catalogue store; generated columns follow from others."""
    with pipeline.database.transaction() as connection:
        rows = connection.exec_driver_sql(
            "select c.table_name, c.column_name, c.data_type from information_schema.columns c "
            "join information_schema.tables t using (table_schema, table_name) "
            "where table_schema = 'catalog' and t.table_type = 'BASE TABLE' and c.is_generated = 'NEVER' order by 1, 2"
        ).all()
    return [(row[0], row[1], row[2]) for row in rows]


def test_every_table_of_the_catalogue_is_compared_or_said_not_to_be(lived: SmallPipeline) -> None:
    tables = {table for table, _, _ in all_columns(lived)}
    assert tables == {*OWNED} | NOT_COMPARED | OF_SERIES
    for table in OWNED:
        assert lived.one(f"select count(*) from catalog.{table}") > 0, table


def snapshot(pipeline: SmallPipeline) -> dict[str, list[Any]]:
    """All rows of the owned tables, without columns that nothing compares."""
    without = {
        table: [c for t, c in NOT_COMPARED_COLUMNS if t == table and c.endswith(("_at", "print", "entry", "sequence"))]
        for table in OWNED
    }
    return {
        table: pipeline.column(
            f"select (to_jsonb(t) - '{{{','.join(without[table])}}}'::text[])::text from catalog.{table} t order by 1"
        )
        for table in OWNED
    }


def damage(pipeline: SmallPipeline, tables: list[str]) -> set[tuple[str, str]]:
    """Damage every column of the tables, each in a row of its own as far as there are rows."""
    damaged = set[tuple[str, str]]()
    names = {(table, column) for table, column, _ in all_columns(pipeline)}
    compared = [each for each in all_columns(pipeline) if each[0] not in NOT_COMPARED]
    for place, (table, column, kind) in enumerate(compared):
        if table not in tables or (table, column) in NOT_COMPARED_COLUMNS:
            continue
        key = "title_id" if (table, "title_id") in names else "ctid"
        row = (
            f"(select ctid from catalog.{table} order by {key} offset {place % 13 if key == 'title_id' else 0} limit 1)"
        )
        if table == "similar_titles":  # in a list of its own, wherever other tables move this column
            row = f"(select ctid from catalog.{table} where title_id = {64 * (4 + place % 9)} order by place limit 1)"
        if column == "place":
            pipeline.do("delete from catalog.similar_titles where place = 10 and title_id = 64")
            row = "(select ctid from catalog.similar_titles where title_id = 64 and place = 9)"
        if table == "rating_aggregates" and column == "scope":
            row = "(select ctid from catalog.rating_aggregates where scope = 'film' limit 1)"
        if column == "title_id" or (table, column) == ("rating_methods", "method_version"):
            pipeline.do(f"delete from catalog.{table} where ctid = {row}")
        else:
            value = SPECIAL.get((table, column)) or OTHER_VALUES[kind].format(c=column)
            if column in STRANGERS and table in (*CHILDREN, "titles"):
                pipeline.do(f"insert into catalog.{STRANGERS[column]} values (999999, 'nobody') on conflict do nothing")
                value = "999999"
            if column == "similar_id":
                value = (
                    "(select min(m.title_id) from catalog.titles m where m.title_id <> t.title_id and not exists ("
                    "select from catalog.similar_titles o where o.title_id = t.title_id and o.similar_id = m.title_id))"
                )
            pipeline.do(f"update catalog.{table} t set {column} = {value} where ctid = {row}")
        damaged.add((table, column))
    return damaged


def forget_strangers(pipeline: SmallPipeline) -> None:
    for columns in STRANGERS.values():
        table, _, rest = columns.partition(" (")
        pipeline.do(f"delete from catalog.{table} where {rest.partition(',')[0]} = 999999")


def named(result: Any) -> list[tuple[str, str, str]]:
    """Agreement, table and columns of each difference that a recount shows."""
    table = figures_of(result, "reconciliation")["differences"]
    return [(row["agreement"], row["table"], row["differs in"]) for row in table]


WORDS_OF = {  # agreements that are counted in SQL name rows by their key alone
    "vocabulary": "each word of the vocabulary is counted right",
    "postings": "each film is listed under the words",
    VECTORS: "each vector that is searched",
}

LOST = {
    "title_documents": "each film is found by the words",
    "similar_titles": "each film that is searched has its list",
}


@pytest.mark.parametrize("tables", [["titles", "title_stats"], CHILDREN, SHARED, DERIVED], ids=" ".join)
def test_each_damaged_column_is_found_named_and_put_right(lived: SmallPipeline, tables: list[str]) -> None:
    before = snapshot(lived)
    damaged = damage(lived, tables)
    assert {table for table, _ in damaged} == {*tables}
    assert snapshot(lived) != before
    result = lived.run("reconcile")
    assert result.success, [
        e.step_failure_data.error for e in result.all_events if e.event_type_value == "STEP_FAILURE"
    ]
    assert failed_checks(result) == {"everything_agrees"}
    found = named(result)
    for table, column in damaged:
        if table in WORDS_OF:
            assert any(agreement.startswith(WORDS_OF[table]) for agreement, _, _ in found), (table, column)
        else:
            reported = [columns for _, name, columns in found if name == table]
            if column == "title_id" and table in LOST:  # a lost row is counted in SQL
                reported += ["row missing" for agreement, *_ in found if agreement.startswith(LOST[table])]
            assert any(column in columns or columns.startswith("row ") for columns in reported), (
                table,
                column,
                reported,
            )
    assert figures_of(result, "reconciliation")["rows_repaired"] > 0
    asked = lived.world.asked.copy()
    lived.run_all("publish")
    assert lived.world.asked == asked  # without a call to TMDB
    forget_strangers(lived)
    after = snapshot(lived)
    for table in OWNED:
        assert after[table] == before[table], table
    result = lived.run("reconcile")
    assert failed_checks(result) == set(), named(result)


@pytest.mark.parametrize("table", ["titles", "title_stats", *CHILDREN, *DERIVED])
def test_a_table_that_lost_all_its_rows_is_filled_again(lived: SmallPipeline, table: str) -> None:
    before = snapshot(lived)
    lived.do(f"delete from catalog.{table}")
    result = lived.run("reconcile")
    assert result.success
    assert named(result) or table.startswith("rating")
    lived.run_all("publish")
    assert snapshot(lived) == before


def test_a_wrong_title_that_spread_into_the_search_is_found_and_searches_see_the_right_one(
    lived: SmallPipeline,
) -> None:
    found: Callable[[str], list[int]] = lambda words: lived.column(  # noqa: E731
        f"select tmdb_id from catalog.find_movie('{words}') where confidence > 0.9"
    )
    lived.do("update catalog.titles set title = 'Quite another film' where title_id = 64")
    lived.do("delete from pipeline.title_document_sources where title_id = 64")
    lived.run_all("publish")
    assert found("Quite another film") == [64]
    result = lived.run("reconcile")
    assert {table for _, table, _ in named(result)} >= {"titles", "title_documents", "title_names"}
    lived.run_all("publish")
    assert found("Quite another film") == []
    assert found("The Matrix number 64") == [64]


def test_bookkeeping_that_decides_what_is_due_is_compared(lived: SmallPipeline) -> None:
    lived.do("update pipeline.title_ids set fetched_at = fetched_at + interval '90 days' where title_id = 64")
    lived.do("update catalog.titles set text_hash = 'x', facts_hash = 'y' where title_id = 128")
    lived.do("delete from pipeline.similar_title_lists where title_id = 192")
    lived.do("delete from pipeline.title_document_sources where title_id = 256")
    result = lived.run("reconcile")
    assert failed_checks(result) == {"everything_agrees"}
    assert len({agreement for agreement, _, _ in named(result)}) >= 4
    lived.run_all("publish")
    result = lived.run("reconcile")
    assert failed_checks(result) == set(), named(result)


def test_what_two_films_share_is_made_anew_without_an_alarm(lived: SmallPipeline) -> None:
    lived.do("update catalog.similar_titles set shared_features = '{}' where title_id = 64 and place = 1")
    result = lived.run("reconcile")
    assert failed_checks(result) == set()
    assert [agreement for agreement, _, _ in named(result)] == [SHARED_FEATURES]
    lived.run_all("publish")
    assert named(lived.run("reconcile")) == []
