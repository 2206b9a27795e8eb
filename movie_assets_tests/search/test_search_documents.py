"""Films as words, kept in line with the catalogue: what is written, what is left alone, what leaves."""

from collections.abc import Callable
from typing import Any

import pytest

from movie_assets.search.search_documents import DocumentAgreement, DocumentCounts, update_documents
from movie_assets_tests.catalog.test_facts import whole
from movie_assets_tests.conftest import failed_checks
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]
EVERYTHING = """
select string_agg(x, ',' order by x) from (
    select 'd' || title_id || xmin from catalog.title_documents
    union all select 'n' || title_id || normalised || xmin from catalog.title_names
    union all select 'v' || word || xmin from catalog.vocabulary
    union all select 's' || title_id || xmin from pipeline.title_document_sources) r (x)
"""
COUNTED = """
select (select string_agg(word || films, ',' order by word) from catalog.vocabulary) = (
    select string_agg(word || films, ',' order by word) from (
        select w.word collate "C", count(*) as films
        from catalog.search_documents, unnest(tsvector_to_array(words)) w (word) group by 1) c)
"""


@pytest.fixture
def written(small: Make) -> SmallPipeline:
    """Twenty films with their documents."""
    pipeline = small()
    put_films(pipeline.database, 1, 20)
    update_documents(pipeline.database)
    return pipeline


def found(pipeline: SmallPipeline, text: str) -> list[int]:
    return pipeline.column(f"select tmdb_id from catalog.search_movies('{text}')")


def counts(documents: DocumentCounts) -> tuple[int, int, int]:
    return documents.films_due, documents.written, documents.removed


def metadata(result: Any, asset: str) -> dict[str, Any]:
    (event,) = [e for e in result.get_asset_materialization_events() if e.asset_key.to_user_string() == asset]
    return {name: value.value for name, value in event.materialization.metadata.items()}


def test_a_publication_makes_films_findable_by_titles_people_and_keywords(small: Make) -> None:
    pipeline = small(whole(64, title="The Lighthouse", original_title="Der Leuchtturm"), film(65))
    *_, published = pipeline.run_all()
    assert "documents_agree_with_the_catalogue" not in failed_checks(published)
    assert found(pipeline, "leuchtturm") == [64]
    assert metadata(published, "search_documents").items() >= {"rows_in": 2, "rows_out": 2, "rows_removed": 0}.items()


def test_doing_it_twice_touches_no_row(written: SmallPipeline) -> None:
    before = written.one(EVERYTHING)
    assert counts(update_documents(written.database)) == (0, 0, 0)
    assert written.one(EVERYTHING) == before


def test_only_films_that_changed_are_looked_at_and_only_documents_that_changed_are_written(
    written: SmallPipeline,
) -> None:
    written.do("update catalog.movies set facts_hash = 'another' where tmdb_id in (3, 4)")
    written.do("update catalog.movies set title = 'Zanzibar', text_hash = 'another' where tmdb_id = 5")
    assert counts(update_documents(written.database)) == (3, 1, 0)
    assert found(written, "zanzibar") == [5]


def test_an_alternative_title_that_is_added_or_taken_away_is_followed(written: SmallPipeline) -> None:
    written.do("insert into catalog.movie_alternative_titles values (7, 'US', 'Zanzibar')")
    written.do("update catalog.movies set facts_hash = 'one' where tmdb_id = 7")
    update_documents(written.database)
    assert found(written, "zanzibar") == [7]
    written.do("delete from catalog.movie_alternative_titles")
    written.do("update catalog.movies set facts_hash = 'two' where tmdb_id = 7")
    update_documents(written.database)
    assert found(written, "zanzibar") == []
    assert written.one(COUNTED)


def test_a_film_that_leaves_is_not_found_at_once_and_leaves_with_the_next_publication(written: SmallPipeline) -> None:
    written.do("delete from catalog.movies where tmdb_id = 3")
    assert 3 not in found(written, "film 3")
    assert counts(update_documents(written.database)) == (0, 0, 1)
    assert written.one("select count(*) from catalog.movie_names where tmdb_id = 3") == 0
    assert written.one(COUNTED)


def test_a_film_that_returns_is_found_again(written: SmallPipeline) -> None:
    written.do("create table kept as select * from catalog.movies where tmdb_id = 3")
    written.do("alter table kept drop column release_year")
    written.do("delete from catalog.movies where tmdb_id = 3")
    update_documents(written.database)
    columns = written.one(
        "select string_agg(column_name, ', ') from information_schema.columns where table_name = 'kept'"
    )
    written.do(f"insert into catalog.movies ({columns}) select {columns} from kept")
    update_documents(written.database)
    assert 3 in found(written, "film 3")
    assert written.one(COUNTED)


def test_a_higher_version_makes_every_document_anew(written: SmallPipeline) -> None:
    written.do(
        "create or replace function pipeline.document_version() returns integer language sql immutable return 999"
    )
    assert counts(update_documents(written.database)) == (20, 0, 0)


def test_work_that_was_cut_off_goes_on_where_it_stopped(small: Make) -> None:
    pipeline = small()
    put_films(pipeline.database, 1, 20)
    pipeline.do("select * from pipeline.write_documents(0, 8)")  # and then the process was killed
    assert counts(update_documents(pipeline.database)) == (12, 12, 0)
    assert pipeline.one(COUNTED)


def test_the_vocabulary_counts_the_films_of_each_word(written: SmallPipeline) -> None:
    assert written.one("select films from catalog.vocabulary where word = 'film'") == 20
    assert written.one(COUNTED)


@pytest.mark.parametrize(
    "harm",
    ["delete from catalog.search_documents where tmdb_id = 7", "delete from catalog.movie_names where tmdb_id = 7",
     "update catalog.movies set tagline = 'new' where tmdb_id = 7", "delete from catalog.movies where tmdb_id = 7",
     "drop index catalog.title_documents_titles", "insert into pipeline.word_changes values ('word', 1)"],
)  # fmt: skip
def test_what_does_not_agree_is_counted(written: SmallPipeline, harm: str) -> None:
    written.do(harm)
    found = written.database.fetch_one(DocumentAgreement, "document_agreement")
    assert sum(found[1:]) == 1


def test_a_catalogue_without_films_has_no_documents(small: Make) -> None:
    pipeline = small()
    assert counts(update_documents(pipeline.database)) == (0, 0, 0)
    assert found(pipeline, "anything") == []
