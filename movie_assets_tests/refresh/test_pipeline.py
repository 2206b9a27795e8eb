"""The whole chain, over HTTP, in a real Postgres: what a day does, what a second one does, what a kill costs."""

from datetime import timedelta

from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.conftest import DAY, Pipeline, failed_checks, figures, settings_for


def test_a_day_fills_the_catalogue_and_passes_every_check(pipeline: Pipeline) -> None:
    pipeline.embedder = LocalEmbedder("hashing-v1", 1536)  # few dimensions put films together that do not belong there
    results = pipeline.run_day()
    assert [result.success for result in results] == [True] * 4
    assert set().union(*map(failed_checks, results)) == set()
    films = pipeline.one("select count(*) from catalog.movies")
    assert films > 200
    assert pipeline.one("select count(*) from catalog.movie_vectors") == films
    assert pipeline.one("select count(*) from catalog.film_scores") == films


def test_doing_a_day_twice_fetches_and_embeds_nothing(pipeline: Pipeline, tmdb_emulator: TmdbEmulator) -> None:
    pipeline.run_day()
    before = pipeline.one("select md5(string_agg(t::text, ',' order by t)) from catalog.movies t")
    tmdb_emulator.reset_counts()
    again = pipeline.run_day()
    assert "movie" not in tmdb_emulator.requests
    assert figures(again[2], "every_text_is_embedded_as_it_stands")["texts_embedded"] == 0
    assert pipeline.one("select md5(string_agg(t::text, ',' order by t)) from catalog.movies t") == before


def test_the_next_day_fetches_what_is_new_or_changed_and_drops_what_is_gone(
    pipeline: Pipeline, tmdb_emulator: TmdbEmulator
) -> None:
    pipeline.run_day()
    tmdb_emulator.reset_counts()
    pipeline.day += timedelta(days=1)
    tmdb_emulator.today = pipeline.day
    results = pipeline.run_day()
    assert [result.success for result in results] == [True] * 4
    due = figures(results[1], "every_batch_is_covered")["due"]
    assert 0 < due < 40
    assert tmdb_emulator.requests["movie"][200] == due
    gone = pipeline.one("select count(*) from pipeline.movie_ids where state = 'gone'")
    assert gone > 0
    assert (
        pipeline.one(
            "select count(*) from catalog.movie_vectors v join pipeline.movie_ids i using (tmdb_id) "
            "where i.state <> 'accepted'"
        )
        == 0
    )


def test_another_made_up_world_replaces_the_catalogue_instead_of_mixing_with_it(pipeline: Pipeline) -> None:
    pipeline.run_day()
    with TmdbEmulator(EmulatorOptions(today=DAY, rate_limit=0, seed=2, movies=400)) as other:
        pipeline.settings = settings_for(other)
        results = pipeline.run_day()
        assert [result.success for result in results] == [True] * 4
        with pipeline.database.transaction() as connection:
            films = connection.exec_driver_sql("select tmdb_id, title from catalog.movies").all()
        titles = {film.tmdb_id: film.title for film in films}
        assert len(titles) > 100
        assert titles == {tmdb_id: (other.world.detail(tmdb_id, DAY) or {}).get("title") for tmdb_id in titles}
