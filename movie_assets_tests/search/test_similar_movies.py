"""The lists of nearest films: made once, made again around what changed, and never of two embedding sets at once."""

from collections.abc import Callable
from typing import Any

import pytest

from movie_assets.database.database import copy_rows, execute, fetch_one
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.search import similar_movies
from movie_assets.search.similar_movies import TURNS
from movie_assets_tests.conftest import failed_checks
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import SmallPipeline

Make = Callable[..., SmallPipeline]
ALL_BATCHES = ("batch_00", "batch_63")
# By similarity, as films at the same distance may take each other's place.
LISTS = (
    "select (tmdb_id, place, round(similarity::numeric, 3))::text from catalog.similar_movies order by tmdb_id, place"
)
VERSIONS = "select title_id || ':' || place || ':' || xmin from catalog.similar_titles order by title_id, place"
# What the lists are by the definition: the ten nearest of each film, all compared with all.
EXACT = """
select (a.tmdb_id, n.place, round((1 - n.distance)::numeric, 3))::text
from catalog.movie_vectors a
cross join lateral (
    select a.embedding <=> b.embedding as distance, row_number() over (order by a.embedding <=> b.embedding) as place
    from catalog.movie_vectors b where b.tmdb_id <> a.tmdb_id
) n
where n.place <= 10
order by a.tmdb_id, n.place
"""


def day(pipeline: SmallPipeline) -> dict[str, Any]:
    """Embed and publish; what the materialization of similar_movies says."""
    assert pipeline.run("embed_texts", batches=ALL_BATCHES).success
    result = pipeline.run("publish")
    assert result.success
    assert failed_checks(result) == set()
    (event,) = [e for e in result.get_asset_materialization_events() if e.step_key == "similar_movies"]
    told = event.step_materialization_data.materialization.metadata
    return {name: told[name].value for name in ("films_changed", "films_around_them", "lists_made")}


@pytest.fixture
def published(small: Make) -> SmallPipeline:
    """Sixty films with their lists."""
    pipeline = small()
    put_films(pipeline.database, 1, 60)
    assert day(pipeline) == {"films_changed": 60, "films_around_them": 0, "lists_made": 60}
    return pipeline


def test_the_lists_are_the_ten_nearest_of_every_film(published: SmallPipeline) -> None:
    assert published.column(LISTS) == published.column(EXACT)


def test_many_lists_made_by_comparing_all_vectors_are_the_same(small: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similar_movies, "MANY", 10)
    monkeypatch.setattr(similar_movies, "PAGE", 25)
    monkeypatch.setattr(similar_movies, "CHUNK", 7)
    pipeline = small()
    put_films(pipeline.database, 1, 60)
    assert day(pipeline) == {"films_changed": 60, "films_around_them": 0, "lists_made": 60}
    assert pipeline.column(LISTS) == pipeline.column(EXACT)


def test_a_list_of_a_vector_that_has_changed_since_it_was_read_is_not_stored(published: SmallPipeline) -> None:
    before = published.column(VERSIONS)
    set_id, first = published.column("select set_id from pipeline.similar_lists")[0], published.movies[0]
    with published.database.transaction() as connection:
        execute(connection, "stage_nearest_found")
        copy_rows(connection, "nearest_found", similar_movies.COLUMNS, [(first, first + 1, 0.5)])
        stored = fetch_one(
            connection, similar_movies.MadeLists, "store_similar_lists", set_id=set_id, films=[first],
            hashes=["of an earlier text"], echo=True,
        )  # fmt: skip
    assert stored == (0, 0)
    assert published.column(VERSIONS) == before


def test_a_second_publication_touches_no_list(published: SmallPipeline) -> None:
    before = published.column(VERSIONS)
    assert day(published) == {"films_changed": 0, "films_around_them": 0, "lists_made": 0}
    assert published.column(VERSIONS) == before


@pytest.fixture(params=[1, 1000], ids=["compared", "searched"])
def each_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few films changed, all vectors are compared; or the films near each of them are searched for."""
    monkeypatch.setattr(similar_movies, "MANY", request.param)


@pytest.mark.usefixtures("each_way")
def test_new_films_take_their_places_in_the_lists_around_them(published: SmallPipeline) -> None:
    put_films(published.database, 61, 65)
    made = day(published)
    assert (made["films_changed"], made["lists_made"]) == (5, 5)  # no other is searched for anew
    assert 0 < made["films_around_them"] < 60
    assert published.column(LISTS) == published.column(EXACT)


@pytest.mark.usefixtures("each_way")
def test_a_changed_text_moves_the_film_in_all_lists(published: SmallPipeline) -> None:
    published.do(
        "update catalog.movies set embedding_text = 'quite another story', "
        "text_hash = encode(sha256(convert_to(E'film-v1\\nquite another story', 'UTF8')), 'hex') where tmdb_id = 7"
    )
    assert day(published)["films_changed"] == 1
    assert published.column(LISTS) == published.column(EXACT)


@pytest.mark.usefixtures("each_way")
def test_many_changed_texts_at_once_leave_no_list_behind(published: SmallPipeline) -> None:
    published.do(
        "update catalog.movies m set embedding_text = n.embedding_text || ' ' || mod(m.tmdb_id, 3), text_hash = "
        "encode(sha256(convert_to(E'film-v1\\n' || n.embedding_text || ' ' || mod(m.tmdb_id, 3), 'UTF8')), 'hex') "
        "from catalog.movies n where n.tmdb_id = mod(m.tmdb_id * 7, 60) + 1 and mod(m.tmdb_id, 6) = 0"
    )
    made = day(published)
    assert made["films_changed"] == 10
    assert (
        made["lists_made"] < made["films_changed"] + made["films_around_them"]
    )  # some lists follow without a search …
    assert made["lists_made"] > made["films_changed"]  # … and some do not
    assert published.column(LISTS) == published.column(EXACT)


def test_when_a_third_of_the_films_is_new_all_lists_are_made_again(published: SmallPipeline) -> None:
    put_films(published.database, 61, 90)
    assert day(published) == {"films_changed": 30, "films_around_them": 60, "lists_made": 90}
    assert published.column(LISTS) == published.column(EXACT)


def test_every_list_has_its_turn(published: SmallPipeline) -> None:
    turn = published.day.toordinal() % TURNS
    put_films(published.database, 61, max(90, turn))
    day(published)
    published.do(f"update catalog.similar_movies set similarity = 0 where tmdb_id = {turn}")
    assert day(published) == {"films_changed": 0, "films_around_them": 1, "lists_made": 1}
    assert published.column(LISTS) == published.column(EXACT)


def test_a_film_that_leaves_is_in_no_list_and_the_lists_are_filled_up(published: SmallPipeline) -> None:
    published.do("delete from catalog.movies where tmdb_id = 7")
    assert published.one("select count(*) from catalog.similar_movies where 7 in (tmdb_id, similar_id)") == 0
    assert day(published)["films_changed"] == 0
    assert published.column(LISTS) == published.column(EXACT)


def test_another_set_makes_all_lists_anew(published: SmallPipeline) -> None:
    published.embedder = LocalEmbedder("hashing-v1", 32)
    assert day(published) == {"films_changed": 60, "films_around_them": 0, "lists_made": 60}
    assert published.column(LISTS) == published.column(EXACT)


def test_shared_features_name_what_both_films_have(published: SmallPipeline) -> None:
    published.do(
        "update catalog.movies set genres = '{Comedy,Crime}', keywords = '{whodunit}', collection_id = 5, "
        "collection = 'A Collection' where tmdb_id in (1, 2)"
    )
    published.do("insert into catalog.people (person_id, name) values (9, 'Agnès Varda')")
    published.do("insert into catalog.movie_crew values (1, 9, 'Director', null)")
    published.do("insert into catalog.movie_cast values (2, 9, 0, null)")
    assert published.one("select catalog.shared_features(1, 2)") == {
        "genres": ["Comedy", "Crime"],
        "keywords": ["whodunit"],
        "people": ["Agnès Varda"],
        "collection": "A Collection",
    }
    assert published.one("select catalog.shared_features(3, 4)") == {}
    assert (
        published.column(
            "select f.shared_features = catalog.shared_features(p.a, p.b) "
            "from unnest('{1,3,2,1}'::bigint[], '{2,4,1,60}'::bigint[]) with ordinality p (a, b, number) "
            "join catalog.shared_features_of_pairs('{1,3,2,1}', '{2,4,1,60}') f using (number)"
        )
        == [True] * 4
    )


def test_fewer_films_than_a_list_has_places_are_all_listed(small: Make) -> None:
    pipeline = small()
    put_films(pipeline.database, 1, 3)
    day(pipeline)
    assert len(pipeline.column(LISTS)) == 6
    assert day(pipeline)["lists_made"] == 0


def test_chunks_that_are_made_at_once_leave_no_list_out(small: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similar_movies, "CHUNK", 7)
    pipeline = small()
    put_films(pipeline.database, 1, 60)
    assert day(pipeline)["lists_made"] == 60
    assert pipeline.column(LISTS) == pipeline.column(EXACT)


def test_chunks_beside_one_that_failed_are_kept(small: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similar_movies, "CHUNK", 7)
    pipeline = small()
    put_films(pipeline.database, 1, 60)
    assert pipeline.run("embed_texts", batches=ALL_BATCHES).success
    pipeline.do("alter table pipeline.similar_title_lists add constraint nobody check (title_id <> 58)")
    assert not pipeline.run("publish").success
    pipeline.do("alter table pipeline.similar_title_lists drop constraint nobody")
    assert day(pipeline)["films_changed"] == 4  # those of the last chunk
    assert pipeline.column(LISTS) == pipeline.column(EXACT)
