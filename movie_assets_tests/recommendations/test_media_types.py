"""Recommendations of movies and of series: each media type has a model, lists and figures of its own."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from movie_assets.config.settings import Settings
from movie_assets_tests.conftest import database_of_ones_own, failed_checks
from movie_assets_tests.recommendations.test_recommendations import HISTORIES, metadata_of, pipeline_on
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import SmallPipeline

SERIES = 1_000_000_000
# 24 people with two tastes, which are the other way round among series: who loves the first thirty movies loves the
# last thirty series. One more has seen a movie only, one has rated episodes of a series only.
HISTORIES_OF_SERIES = """
insert into pipeline.series_entries (person, source, part, key, kind, title, tmdb_id, rating, seen_at, is_wanted)
select 'p' || lpad(p::text, 2, '0'), 'trakt', 'history', (30 * (p %% 2) + f)::text, 'series', '', 30 * (p %% 2) + f,
    case when hashint4(p * 100 + f) %% 4 = 0 then 60 else 90 end,
    timestamptz '2020-01-01' + hashint4(f * 100 + p) %% 1000 * interval '1 day', false
from generate_series(1, 24) p, generate_series(1, 30) f
where hashint4(p * 7919 + f) %% 3 <> 0
"""
EPISODES = f"""
insert into catalog.episodes (episode_id, title_id, season_number, episode_number, vote_average, vote_count)
select n, {SERIES} + 7, 1, n, 0, 0 from generate_series(1, 10) n;
insert into pipeline.series_entries (
    person, source, part, key, kind, title, tmdb_id, season, episode, rating, seen_at, is_wanted)
select 'episodes', 'trakt', 'history', n::text, 'episode', '', 7, 1, n, 80 + n, now(), false
from generate_series(1, 10) n
"""
STORED = {
    "lists": "select to_jsonb(r) from catalog.recommended_titles r where title_id < 1000000000 order by person, place",
    "models": "select to_jsonb(m) from pipeline.recommendation_models m where media_type = 'movie'",
    "weights": "select to_jsonb(w) from pipeline.title_weights w where title_id < 1000000000 order by title_id",
    "made": "select to_jsonb(l) from pipeline.recommendation_lists l where media_type = 'movie' order by person",
    "quality": "select to_jsonb(q) from pipeline.recommendation_quality q join pipeline.recommendation_models m "
    "using (model_id) where m.media_type = 'movie' order by protocol, model",
    "recommendations_for": "select to_jsonb(r) from (values ('p01'), ('p02'), ('films')) p (person) "
    "cross join catalog.recommendations_for(p.person, '{}', 40) r",
    "recommend_movies": "select to_jsonb(r) from catalog.recommend_movies(array[1, 2], array[40]) r",
    "weights of movies": "select to_jsonb(w) from catalog.film_weights w order by tmdb_id",
    "standings": "select to_jsonb(s) from catalog.standings s order by tmdb_id",
    "seen_films": "select to_jsonb(s) from catalog.seen_films s order by person, tmdb_id",
}  # fmt: skip
FOR = "select {} from catalog.recommended_titles_for('{}', '{{\"media_types\": [{}]}}', 20) with ordinality"


@pytest.fixture(scope="module")
def recommended(server: str, template: str) -> Iterator[tuple[SmallPipeline, dict[str, Any], Any]]:
    """The pipeline after series were switched on, what is stored of movies before that, and the run with both."""
    with (
        database_of_ones_own(server, template) as database,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        pipeline = pipeline_on(database, instance)
        put_films(database, 1, 60)
        pipeline.do(HISTORIES.replace("generate_series(1, 40) p", "generate_series(1, 24) p"))
        pipeline.do("insert into catalog.watched_titles (person, title_id, source) values ('films', 3, 'letterboxd')")
        assert pipeline.run("recommend").success
        before = {name: pipeline.column(statement) for name, statement in STORED.items()}
        put_films(database, SERIES + 1, SERIES + 60)
        for statement in (HISTORIES_OF_SERIES, EPISODES):
            pipeline.do(statement)
        pipeline.settings = Settings.model_validate({"tmdb_api_token": "a-token", "media": "movies series"})
        run = pipeline.run("recommend")
        yield pipeline, before, run


def test_series_change_nothing_of_the_recommendations_of_movies(
    recommended: tuple[SmallPipeline, dict[str, Any], Any],
) -> None:
    pipeline, before, _ = recommended
    for name, statement in STORED.items():
        after = [row for row in pipeline.column(statement) if row.get("person") != "episodes"]
        for row in [*after, *before[name]]:
            row.pop("made_at", None)
        assert after == before[name], name
        assert len(after) > 0


def test_series_have_a_model_lists_and_figures_of_their_own(
    recommended: tuple[SmallPipeline, dict[str, Any], Any],
) -> None:
    pipeline, _, run = recommended
    assert failed_checks(run) == set()
    model, made = metadata_of(run, "recommendation_model"), metadata_of(run, "recommendations")
    assert (model["is_new"], model["series_is_new"], model["series_persons"]) == (False, True, 25)
    assert (made["people_due"], made["lists"], made["lists_by_vectors"]) == (26, 52, 3)
    quality = metadata_of(run, "recommendation_quality")
    served, popularity = (f"series_last_20_percent_{name}_ndcg_at_10" for name in ("served", "popularity"))
    assert quality[served] > quality[popularity]
    assert quality["is_new"] is False
    seen = f"select title_id - {SERIES} from catalog.watched_titles where person = 'p01' and title_id > {SERIES}"
    unseen = set(range(31, 61)) - set(pipeline.column(seen))
    listed = pipeline.column(
        f"select title_id - {SERIES} from catalog.recommended_titles where person = 'p01' and title_id > {SERIES} "
        "order by place"
    )
    assert len(listed) == 30
    assert set(listed[: len(unseen)]) == unseen
    assert pipeline.one("select count(*) from pipeline.title_weights w where exists (select from unnest(others) o "
                        "where o / 1000000000 <> w.title_id / 1000000000)") == 0  # fmt: skip
    assert metadata_of(pipeline.run("recommend"), "recommendations")["people_due"] == 0


def test_titles_are_recommended_to_a_person_of_the_media_types_that_are_asked_for(
    recommended: tuple[SmallPipeline, dict[str, Any], Any],
) -> None:
    pipeline, _, _ = recommended
    series = pipeline.column(FOR.format("title_id", "p01", '"series"'))
    movies = pipeline.column(FOR.format("title_id", "p01", '"movie"'))
    both = pipeline.column(FOR.format("title_id", "p01", '"movie", "series"'))
    assert movies == pipeline.column("select tmdb_id from catalog.recommendations_for('p01', '{}', 20)")
    assert both == [title for pair in zip(movies, series, strict=True) for title in pair][:20]
    assert pipeline.one(FOR.format("bool_and(is_precomputed)", "p01", '"movie", "series"'))
    reason = pipeline.one(FOR.format("reasons -> 0", "p01", '"series"'))
    assert (reason["title_id"], reason["media_type"]) == (SERIES + reason["tmdb_id"], "series")
    assert "title_id" not in pipeline.one("select reasons -> 0 from catalog.recommendations_for('p01')")


def test_what_somebody_saw_of_the_other_media_type_is_used_where_there_is_nothing_else(
    recommended: tuple[SmallPipeline, dict[str, Any], Any],
) -> None:
    pipeline, _, _ = recommended
    assert pipeline.one(FOR.format("bool_and(media_type = 'series')", "films", '"series"'))
    history = "select {} from catalog.history_of('{}', '{{{}}}')"
    assert pipeline.one(history.format("seen", "films", "series")) == [3]
    assert pipeline.one(history.format("seen", "p01", "series"))[0] > SERIES
    assert pipeline.one(history.format("ratings", "episodes", "movie")) == [85.5]


def test_a_change_of_a_history_makes_the_lists_of_both_again_also_after_series_were_off(
    recommended: tuple[SmallPipeline, dict[str, Any], Any],
) -> None:
    pipeline, _, _ = recommended
    both = pipeline.settings
    pipeline.do("update pipeline.series_entries set rating = 20 where person = 'episodes'")
    pipeline.settings = both.model_copy(update={"media": ("movies",)})
    assert metadata_of(pipeline.run("recommend"), "recommendations")["people_due"] == 1
    pipeline.settings = both
    made = metadata_of(pipeline.run("recommend"), "recommendations")
    assert (made["people_due"], made["lists"]) == (1, 52)


def test_with_too_few_histories_of_series_the_run_says_so(
    recommended: tuple[SmallPipeline, dict[str, Any], Any],
) -> None:
    pipeline, _, _ = recommended
    pipeline.do("delete from pipeline.recommendation_models where media_type = 'series'")
    pipeline.do("delete from pipeline.series_entries where person > 'p10'")
    run = pipeline.run("recommend")
    assert metadata_of(run, "recommendation_model")["series_why"] == "only 11 people have a history of series"
    assert metadata_of(run, "recommendation_quality")["series_why"] == "no model of series is served yet"
    assert pipeline.one(
        "select bool_and(model_id is null) from pipeline.recommendation_lists where media_type = 'series'"
    )
