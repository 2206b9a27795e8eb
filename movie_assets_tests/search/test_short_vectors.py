"""Vectors of hashed words, of which most components are 0: how they are stored, compared, indexed and upgraded."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from pgvector import HalfVector

from movie_assets.database.database import Database, copy_rows
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.embeddings.vectors import Matrix
from movie_assets.search.movie_vectors import ChangedForm
from movie_assets_tests.conftest import database_of_ones_own
from movie_assets_tests.support.indexes import ALWAYS_INDEXED

FILMS = 2000
WORDS = 60  # of a film
NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
MODELS = {1: ("hashing-v2", 4000), 2: ("hashing-v1", 1536)}  # by set
SHARES = {"Half": 2, "Fifth": 5, "Tenth": 10, "Twentieth": 20, "Hundredth": 100}  # of the films, by genre
OLD_FORM = """
drop view catalog.movie_vectors, catalog.movie_vectors_1;
create table kept as select * from catalog.title_vectors_1;
drop table catalog.title_vectors_1;
create table catalog.title_vectors_1 (
    title_id bigint primary key, text_hash text not null, embedding halfvec(4000) not null, release_year smallint,
    genres text[] not null, original_language text, runtime_minutes smallint, certification text
);
insert into catalog.title_vectors_1 select * from kept;
create index title_vectors_1_nearest on catalog.title_vectors_1 using hnsw (embedding halfvec_cosine_ops);
create index title_vectors_1_genres on catalog.title_vectors_1 using gin (genres);
create index title_vectors_1_year on catalog.title_vectors_1 (release_year);
select pipeline.activate_set(1)
"""
ROWS = "select title_id, text_hash, embedding::halfvec::text, genres from catalog.title_vectors_1 order by 1"
TYPE = "select format_type(atttypid, atttypmod) from pg_attribute where attname = 'embedding' and attrelid = "
SCANS = "select pg_stat_get_xact_numscans(to_regclass('catalog.title_vectors_1_nearest'))"


def texts(count: int, words: int, seed: int) -> list[str]:
    """Texts whose words are as frequent as those of a language: few of many texts, many of few."""
    chance = np.random.default_rng(seed)
    return [" ".join(f"w{n}" for n in chance.zipf(1.2, words).clip(max=30_000)) for _ in range(count)]


@pytest.fixture(scope="module")
def stored(server: str, template: str) -> Iterator[str]:
    """Name of a database with films, in a set of each hashing model."""
    with database_of_ones_own(server, template) as database:
        with database.transaction() as connection:
            shares = ", ".join(f"case when n %% {share} = 0 then '{genre}' end" for genre, share in SHARES.items())
            connection.exec_driver_sql(
                "insert into catalog.movies (tmdb_id, title, original_title, original_language, release_date, genres, "
                "keywords, directors, leading_cast, countries, overview, embedding_text, text_hash, changed_at) "
                "select n, 'Film ' || n, '', 'en', make_date(1920 + n::integer %% 100, 1, 1), "
                f"array_remove(array[{shares}], null), "
                "'{}', '{}', '{}', '{}', w.words, w.words, n::text, now() "
                "from unnest(%(words)s::text[]) with ordinality w (words, n)",
                {"words": texts(FILMS, WORDS, 1)},
            )
            for set_id, (model, width) in MODELS.items():
                connection.exec_driver_sql(
                    "insert into pipeline.embedding_sets (provider, model, dimensions, template) "
                    f"values ('local', '{model}', {width}, 'film-v1')"
                )
                copy_rows(
                    connection, "pipeline.title_embeddings",
                    {"set_id": "int2", "title_id": "int8", "text_hash": "text", "embedding": "halfvec",
                     "embedded_at": "timestamptz"},
                    ((set_id, n, str(n), HalfVector(vector), NOW) for n, vector in enumerate(vectors(set_id), start=1)),
                )  # fmt: skip
                connection.exec_driver_sql(f"select pipeline.refresh_vectors({set_id})")
                connection.exec_driver_sql(f"select pipeline.build_vector_index({set_id})")
            connection.exec_driver_sql("select pipeline.activate_set(1)")
        database.close()
        yield str(database.url.database)


@pytest.fixture
def catalogue(server: str, stored: str) -> Iterator[Database]:
    """A copy of it."""
    with database_of_ones_own(server, stored) as database:
        yield database


def vectors(set_id: int) -> Matrix:
    model, width = MODELS[set_id]
    return LocalEmbedder(model, width).embed(texts(FILMS, WORDS, 1)).vectors


def questions(set_id: int) -> Matrix:
    model, width = MODELS[set_id]
    return LocalEmbedder(model, width).embed(texts(10, 8, 2)).vectors


def set_to(database: Database, statement: str) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql(statement)


def value_of(database: Database, query: str) -> Any:
    with database.transaction() as connection:
        return connection.exec_driver_sql(query).scalar()


def recall(database: Database, set_id: int, needles: Matrix, share: int, genre: str | None) -> float:
    """The share of the ten nearest that searches find, of the films with a genre."""
    films = vectors(set_id)
    passing = np.arange(1, FILMS + 1)[np.arange(1, FILMS + 1) % share == 0]
    filters = f'{{"genres": ["{genre}"]}}' if genre else "{}"
    search = "select tmdb_id from catalog.nearest_movies(%(v)s::vector, 10, %(f)s::jsonb, %(s)s)"
    hits = 0
    for needle in needles:
        similarities = films[passing - 1] @ needle
        tenth = np.sort(similarities)[-10]
        with database.transaction() as connection:
            found = connection.exec_driver_sql(
                search, {"v": str(needle.tolist()), "f": filters, "s": set_id}
            ).scalars().all()  # fmt: skip
        assert len(found) == 10
        hits += sum(films[n - 1] @ needle >= tenth - 1e-3 for n in found if n % share == 0)
    return hits / (10 * len(needles))


@pytest.mark.parametrize(("set_id", "is_indexed"), [(1, False), (1, True), (2, False)])
def test_searches_find_the_nearest_with_each_filter(catalogue: Database, set_id: int, *, is_indexed: bool) -> None:
    if is_indexed:
        set_to(catalogue, ALWAYS_INDEXED)
        set_to(catalogue, f"select pipeline.build_vector_index({set_id})")
        set_to(catalogue, f"select pipeline.tune_searches({set_id}, 0.99, true)")
    form = value_of(catalogue, f"{TYPE} 'catalog.title_vectors_{set_id}'::regclass")
    assert form == f"sparsevec({MODELS[set_id][1]})"
    assert value_of(catalogue, f"select is_valid from pipeline.vector_index_state({set_id})") is is_indexed
    for needles in (vectors(set_id)[:10], questions(set_id)):
        assert recall(catalogue, set_id, needles, 1, None) >= 0.99
        for genre, share in SHARES.items():
            assert recall(catalogue, set_id, needles, share, genre) >= 0.99


def test_vectors_of_many_components_are_compared_with_all_of_them(catalogue: Database) -> None:
    needles = np.array([*vectors(1)[:10], vectors(1)[10:30].sum(axis=0) / 10], dtype=np.float32)
    assert np.count_nonzero(needles, axis=1).min() > 40
    longer = "(embedding::halfvec::vector * array_fill(3, array[4000])::vector)::halfvec::sparsevec"
    set_to(catalogue, f"update catalog.title_vectors_1 set embedding = {longer} where mod(title_id, 7) = 1")
    for share, genre in ((1, None), (2, "Half"), (100, "Hundredth")):
        assert recall(catalogue, 1, needles, share, genre) == 1


def test_a_long_vector_finds_films_beside_many_that_left(catalogue: Database) -> None:
    needle = vectors(1)[1999]
    near = np.argsort(-(vectors(1) @ needle))[:300] + 1
    set_to(catalogue, f"delete from catalog.movies where tmdb_id in ({', '.join(map(str, near))})")
    found = value_of(
        catalogue, f"select array_agg(tmdb_id) from catalog.nearest_movies('{needle.tolist()}'::vector, 10)"
    )
    assert len(set(found)) == 10
    assert not set(found) & set(near.tolist())


def test_the_graph_is_searched_where_comparing_takes_longer(catalogue: Database) -> None:
    set_to(catalogue, ALWAYS_INDEXED)
    set_to(catalogue, "select pipeline.build_vector_index(1)")
    needle = str(questions(1)[0].tolist())
    with catalogue.transaction() as connection:
        search = "select count(*) from catalog.nearest_movies(%(v)s::vector, 10, %(f)s::jsonb)"
        for visits, filters, scans in (
            (15, "{}", 1), (15, '{"genres": ["Hundredth"]}', 1), (20, "{}", 1), (10, "{}", 2)
        ):  # fmt: skip
            connection.exec_driver_sql(f"update pipeline.embedding_sets set ef_search = {visits}")
            assert connection.exec_driver_sql(search, {"v": needle, "f": filters}).scalar() == 10
            assert connection.exec_driver_sql(SCANS).scalar() == scans


def test_comparing_all_films_leaves_the_graph_out(catalogue: Database) -> None:
    set_to(catalogue, ALWAYS_INDEXED)
    set_to(catalogue, "select pipeline.build_vector_index(1)")
    set_to(catalogue, "analyze catalog.title_vectors_1")
    films = vectors(1)
    search = "select tmdb_id from catalog.nearest_movies(%(v)s::vector, 10, %(f)s::jsonb, 1, true)"
    for needle in (*films[:3], *questions(1)[:3]):
        for filters, share in (("{}", 1), ('{"genres": ["Tenth"]}', 10)):
            passing = np.arange(1, FILMS + 1)[np.arange(1, FILMS + 1) % share == 0]
            with catalogue.transaction() as connection:
                given = {"v": str(needle.tolist()), "f": filters}
                found = list(connection.exec_driver_sql(search, given).scalars())
                assert connection.exec_driver_sql(SCANS).scalar() == 0
            tenth = np.sort(films[passing - 1] @ needle)[-10]
            assert len(found) == 10
            assert all(films[n - 1] @ needle >= tenth - 1e-3 for n in found)


def test_each_filter_has_an_index_also_in_a_table_of_an_older_release(catalogue: Database) -> None:
    names = "select array_agg(indexname::text order by indexname) from pg_indexes where tablename = 'title_vectors_1'"
    suffixes = ("certification", "genres", "language", "pkey", "runtime", "year")
    expected = [f"title_vectors_1_{suffix}" for suffix in suffixes]
    assert value_of(catalogue, names) == expected
    set_to(catalogue, "drop index catalog.title_vectors_1_runtime, catalog.title_vectors_1_certification")
    assert value_of(catalogue, "select pipeline.build_vector_index(1)") is False
    assert value_of(catalogue, names) == expected


def test_a_table_of_an_older_release_gets_the_short_form_with_the_same_vectors(catalogue: Database) -> None:
    before = rows(catalogue)
    for statement in OLD_FORM.split(";"):
        set_to(catalogue, statement)
    assert value_of(catalogue, f"{TYPE} 'catalog.title_vectors_1'::regclass") == "halfvec(4000)"
    assert recall(catalogue, 1, questions(1), 1, None) >= 0.9  # searches work before the upgrade, too
    set_to(catalogue, "create view public.of_an_application as select tmdb_id, embedding from catalog.movie_vectors")
    assert catalogue.execute_returning(ChangedForm, "store_in_suitable_form", set_id=1)[0].is_changed
    assert not catalogue.execute_returning(ChangedForm, "store_in_suitable_form", set_id=1)[0].is_changed
    assert value_of(catalogue, f"{TYPE} 'catalog.title_vectors_1'::regclass") == "sparsevec(4000)"
    assert rows(catalogue) == before
    renamed = "select count(*) from pg_indexes where tablename = 'title_vectors_1' and indexname ~ '_new'"
    assert value_of(catalogue, renamed) == 0
    assert value_of(catalogue, "select count(*) from public.of_an_application") == FILMS
    assert value_of(catalogue, "select pipeline.build_vector_index(1)") is False
    assert value_of(catalogue, "select sum(written) + sum(removed) from pipeline.refresh_vectors(1)") == 0
    assert recall(catalogue, 1, questions(1), 1, None) >= 0.99


def rows(database: Database) -> list[tuple[Any, ...]]:
    with database.transaction() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(ROWS)]


def test_of_a_text_with_very_many_words_the_largest_components_are_searched(catalogue: Database) -> None:
    long = LocalEmbedder(*MODELS[1]).embed([" ".join(f"w{n}" for n in range(900))]).vectors[0]
    assert np.count_nonzero(long) > 1000
    changed = f"embedding = '{long.tolist()}', is_replaced = true"
    set_to(catalogue, f"update pipeline.embeddings set {changed} where set_id = 1 and tmdb_id = 5")
    set_to(catalogue, "select pipeline.refresh_vectors(1)")
    set_to(catalogue, ALWAYS_INDEXED)
    assert value_of(catalogue, "select pipeline.build_vector_index(1)")
    similarity = f"select similarity from catalog.nearest_movies('{long.tolist()}'::vector, 1) where tmdb_id = 5"
    assert value_of(catalogue, similarity) == pytest.approx(1, abs=0.1)
    assert value_of(catalogue, "select pipeline.remove_strange_vectors()") == 0


@pytest.mark.parametrize(
    ("given", "most", "expected"),
    [("{1:0.5,3:-2,5:1}/6", 2, "{3:-2,5:1}/6"), ("{1:0.5}/6", 2, "{1:0.5}/6"), ("{}/6", 2, "{}/6"),
     ("{2:1e-05,6:-1e-06}/6", 1, "{2:1e-05}/6")],
)  # fmt: skip
def test_the_strongest_components_of_a_vector(database: Database, given: str, most: int, expected: str) -> None:
    assert value_of(database, f"select catalog.strongest_components('{given}', {most})::text") == expected
