"""The life of embedding sets: what a new one must show before it takes over, going back, and being dropped."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from movie_assets.cli.cost import cost_of
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.embeddings.providers.openai import OpenAiEmbedder
from movie_assets.embeddings.sets import SetError, embedding_sets, use_set
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.search.queries import search
from movie_assets_tests.conftest import failed_checks, figures
from movie_assets_tests.support.small_pipelines import (
    SmallPipeline,
    pipeline_on_copy,
    prepared_database,
    publish_twelve_films,
)

Make = Callable[..., SmallPipeline]
PAIR = "insert into pipeline.golden_pairs values ('Film 64', 1990, 'Film 65', 1990, 1)"
ACTIVE = "select dimensions from catalog.embedding_sets where is_active"


@pytest.fixture(scope="module")
def twelve_films(server: str, template: str) -> Iterator[str]:
    with prepared_database(server, template, publish_twelve_films) as name:
        yield name


@pytest.fixture
def published(server: str, twelve_films: str) -> Iterator[SmallPipeline]:
    """Twelve films in a set of 64 dimensions."""
    with pipeline_on_copy(server, twelve_films) as pipeline:
        yield pipeline


def change_model(pipeline: SmallPipeline, dimensions: int) -> Any:
    """Embed and publish with vectors of another width; the publication."""
    pipeline.embedder = LocalEmbedder("hashing-v1", dimensions)
    pipeline.run_all("embed_texts")
    return pipeline.run("publish")


def at(url: str, dimensions: int = 32) -> OpenAiEmbedder:
    return OpenAiEmbedder("text-embedding-3-small", dimensions, SecretStr("a-key"), url)


def providers(pipeline: SmallPipeline) -> list[str]:
    return pipeline.column("select provider from pipeline.embedding_sets where provider <> 'local' order by set_id")


def test_two_services_on_one_host_have_a_set_each(published: SmallPipeline) -> None:
    """They differ by port, or by path on one port: each is asked for every text, and no vectors are mixed."""
    with TmdbEmulator(EmulatorOptions(movies=1, rate_limit=0)) as other:
        for service in (published.serving, other, published.serving):
            published.embedder = at(service.openai_url)
            published.run_all("embed_texts")
        assert (published.serving.embedded_inputs, other.embedded_inputs) == (12, 12)
    assert providers(published) == [f"openai@127.0.0.1:{at(each.openai_url).provider.rpartition(':')[2]}"
                                    for each in (published.serving, other)]  # fmt: skip


def test_a_set_that_was_named_by_its_host_only_is_not_embedded_again(published: SmallPipeline) -> None:
    """Its name gets the rest of the address, that of its other models too; a set of another host keeps its name."""
    published.embedder = at(published.serving.openai_url)
    published.run_all("embed_texts", "publish")
    name = published.embedder.provider
    published.do("update pipeline.embedding_sets set provider = 'openai@127.0.0.1' where provider <> 'local'")
    published.do(
        "insert into pipeline.embedding_sets (provider, model, dimensions, template) "
        "select p, 'another', 8, template from pipeline.embedding_sets, "
        "unnest(array['openai@127.0.0.1', 'openai@elsewhere']) p where set_id = 1"
    )
    settings = published.settings.model_copy(
        update={"openai_base_url": published.serving.openai_url, "openai_api_key": SecretStr("a-key")}
    )
    assert search(published.database, settings, "a film", 3)[1] is None
    assert cost_of(published.database, settings.model_copy(
        update={"embedder": "openai", "embedding_dimensions": 32}), all_films=False).amount.films == 0  # fmt: skip
    published.run_all("embed_texts")
    assert published.serving.embedded_inputs == 12 + 1
    assert providers(published) == [name, name, "openai@elsewhere"]
    published.run_all("embed_texts")
    assert published.one("select count(*) from pipeline.embedding_sets") == 4
    published.do(  # another set of the former name, which is not taken while there is one of the whole name
        "insert into pipeline.embedding_sets (provider, model, dimensions, template) "
        f"select 'openai@127.0.0.1', model, dimensions, template from pipeline.embedding_sets where provider = '{name}'"
    )
    published.run_all("embed_texts")
    assert published.serving.embedded_inputs == 12 + 1
    assert providers(published)[:2] == [name, name]


def set_of(pipeline: SmallPipeline, dimensions: int) -> int:
    return int(pipeline.one(f"select set_id from pipeline.embedding_sets where dimensions = {dimensions}"))


def turn_away(pipeline: SmallPipeline, tmdb_id: int, dimensions: int) -> None:
    """Turn a film's vector round, so that it is like no other film."""
    pipeline.do(
        "update pipeline.embeddings e set embedding = e.embedding * array_fill(-1::real, array[s.dimensions])::vector "
        "from pipeline.embedding_sets s "
        f"where s.set_id = e.set_id and s.dimensions = {dimensions} and tmdb_id = {tmdb_id}"
    )


def test_a_set_that_covers_the_catalogue_and_is_searched_well_takes_over(published: SmallPipeline) -> None:
    assert failed_checks(change_model(published, 32)) == set()
    assert published.one(ACTIVE) == 32


def test_a_set_that_puts_golden_pairs_apart_waits_and_says_so(
    published: SmallPipeline, capfd: pytest.CaptureFixture[str]
) -> None:
    published.do("update catalog.movies set release_date = '1990-01-01' where tmdb_id in (64, 65)")
    published.do(PAIR)
    published.embedder = LocalEmbedder("hashing-v1", 32)
    published.run_all("embed_texts")
    turn_away(published, 65, 32)
    result = published.run("publish")
    assert published.one(ACTIVE) == 64
    assert "the_wanted_set_is_searched" in failed_checks(result)
    assert "Film 64 and Film 65: place" in capfd.readouterr().err


def test_golden_pairs_of_the_active_set_are_watched(published: SmallPipeline) -> None:
    published.do("update catalog.movies set release_date = '1990-01-01' where tmdb_id in (64, 65)")
    published.do(PAIR)
    turn_away(published, 65, 64)
    published.do("delete from catalog.title_vectors_1 where title_id = 65")
    (result,) = published.run_all("publish")
    assert failed_checks(result) == {"golden_pairs_are_near"}
    assert figures(result, "golden_pairs_are_near")["pairs"] == 1


def test_while_a_set_is_built_its_progress_is_shown(published: SmallPipeline) -> None:
    published.embedder = LocalEmbedder("hashing-v1", 32)
    published.run("embed_texts", batches=("batch_00", "batch_00"))
    result = published.run("publish")
    assert figures(result, "the_wanted_set_is_searched")["share_embedded"] == 0.25
    states = {row.dimensions: (row.state, row.films_embedded) for row in embedding_sets(published.database)}
    assert states == {64: ("active", 12), 32: ("building", 3)}


def test_going_back_is_one_call_and_holds(published: SmallPipeline) -> None:
    change_model(published, 32)
    chosen = use_set(published.database, set_of(published, 64), published.embedder)
    assert chosen.is_held
    assert published.one(ACTIVE) == 64
    result = published.run("publish")
    assert published.one(ACTIVE) == 64
    assert failed_checks(result) == {"the_wanted_set_is_searched"}


def test_using_the_settings_own_set_lets_the_held_one_go(published: SmallPipeline) -> None:
    change_model(published, 32)
    use_set(published.database, set_of(published, 64), published.embedder)
    assert not use_set(published.database, set_of(published, 32), published.embedder).is_held
    assert failed_checks(published.run("publish")) == set()
    assert published.one(ACTIVE) == 32


def test_a_held_set_goes_on_following_the_catalogue(published: SmallPipeline) -> None:
    change_model(published, 32)
    use_set(published.database, set_of(published, 64), published.embedder)
    published.do("delete from catalog.movies where tmdb_id = 64")
    published.run("publish")
    assert 64 not in published.found
    assert len(published.found) == 11


def test_a_set_without_films_is_refused_unless_accepted(published: SmallPipeline) -> None:
    published.embedder = LocalEmbedder("hashing-v1", 32)
    published.run("embed_texts", batches=("batch_00", "batch_00"))
    published.run("publish")
    with pytest.raises(SetError, match="3 of 12 films"):
        use_set(published.database, set_of(published, 32), published.embedder)
    use_set(published.database, set_of(published, 32), published.embedder, accept_partial=True)
    assert len(published.found) == 3


@pytest.mark.parametrize("number", [999, -1])
def test_a_set_that_does_not_exist_is_refused(published: SmallPipeline, number: int) -> None:
    with pytest.raises(SetError, match="movie-assets sets"):
        use_set(published.database, number, published.embedder)


def later(pipeline: SmallPipeline, days: int) -> Any:
    pipeline.turn_day(days)
    return pipeline.run("publish")


def test_a_set_that_nobody_used_for_the_days_that_sets_are_kept_is_dropped(published: SmallPipeline) -> None:
    change_model(published, 32)
    published.do(
        "update pipeline.embedding_sets set created_at = '2026-10-01', activated_at = '2026-10-01', "
        "retired_at = case when is_active then null else timestamptz '2026-10-05 12:00+00' end"
    )
    later(published, 29)
    assert published.column("select dimensions from catalog.embedding_sets order by 1") == [32, 64]
    later(published, 2)
    assert published.column("select dimensions from catalog.embedding_sets order by 1") == [32]
    assert published.one("select count(*) from pipeline.embeddings") == 12
    assert published.found == sorted(published.movies)


def test_a_set_that_is_being_built_is_not_dropped(published: SmallPipeline) -> None:
    published.embedder = LocalEmbedder("hashing-v1", 32)
    published.run("embed_texts", batches=("batch_00", "batch_00"))
    published.do("update pipeline.embedding_sets set created_at = '2026-10-01', activated_at = null")
    later(published, 365)
    assert set_of(published, 32) in [row.set_id for row in embedding_sets(published.database) if row.films_embedded]


def test_a_dropped_set_is_built_anew_when_it_is_wanted_again(published: SmallPipeline) -> None:
    change_model(published, 32)
    published.do("update pipeline.embedding_sets set created_at = '2026-01-01', activated_at = '2026-01-01', "
                 "retired_at = '2026-01-01' where not is_active")  # fmt: skip
    published.do("update pipeline.embeddings set embedded_at = '2026-01-01'")
    assert timedelta(days=published.settings.keep_sets_days) == timedelta(days=30)
    published.run("publish")
    assert failed_checks(change_model(published, 64)) == set()
    assert published.one(ACTIVE) == 64
