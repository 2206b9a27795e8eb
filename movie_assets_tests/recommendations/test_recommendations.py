"""The job `recommend`: learnt from histories, kept in line with them, quiet without them."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.recommendations import recommendations
from movie_assets.runs.metadata_tables import BAR
from movie_assets_tests.conftest import database_of_ones_own, failed_checks
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import FIRST_DAY, SmallPipeline

# Forty people; the odd ones watch and love films of 1-30, the even ones of 31-60, each in an order of its own. What is
# not in the catalogue (1001 and above) is seen by all.
HISTORIES = """
insert into catalog.watch_histories (person, tmdb_id, source, rating, seen_at)
select 'p' || lpad(p::text, 2, '0'), 30 * (1 - p %% 2) + f, 'movielens',
    case when hashint4(p * 100 + f) %% 4 = 0 then 60 else 90 end,
    timestamptz '2020-01-01' + hashint4(f * 100 + p) %% 1000 * interval '1 day'
from generate_series(1, 40) p, generate_series(1, 30) f
where hashint4(p * 7919 + f) %% 3 <> 0
union all
select 'p' || lpad(p::text, 2, '0'), 1000 + p %% 3, 'movielens', 90, timestamptz '2019-01-01'
from generate_series(1, 40) p
"""
LISTS = "select person || ':' || place || ':' || tmdb_id from catalog.recommendations order by person, place"


def pipeline_on(database: Database, instance: dg.DagsterInstance) -> SmallPipeline:
    settings = Settings.model_validate({"tmdb_api_token": "a-token"})
    return SmallPipeline(database, settings, instance, LocalEmbedder("hashing-v1", 64), FIRST_DAY)


def metadata_of(result: Any, step: str) -> dict[str, Any]:
    assert result.success
    (event,) = [e for e in result.get_asset_materialization_events() if e.step_key == step]
    return {k: v.value for k, v in event.step_materialization_data.materialization.metadata.items()}


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture(scope="module")
def forty_people(server: str, template: str, instance: dg.DagsterInstance) -> Iterator[str]:
    """Name of a database with forty histories, learnt once."""
    with database_of_ones_own(server, template) as database:
        pipeline = pipeline_on(database, instance)
        put_films(database, 1, 60)
        pipeline.do(HISTORIES)
        result = pipeline.run("recommend")
        assert metadata_of(result, "recommendation_model")["is_new"] is True
        assert metadata_of(result, "recommendations")["lists_by_the_model"] == 40
        assert failed_checks(result) == set()
        database.close()
        yield str(database.url.database)


@pytest.fixture
def learnt(server: str, forty_people: str, instance: dg.DagsterInstance) -> Iterator[SmallPipeline]:
    """A copy of it."""
    with database_of_ones_own(server, forty_people) as database:
        yield pipeline_on(database, instance)


@pytest.fixture
def fresh(database: Database, instance: dg.DagsterInstance) -> SmallPipeline:
    """Sixty films and no histories."""
    put_films(database, 1, 60)
    return pipeline_on(database, instance)


def test_a_person_is_recommended_unseen_films_of_the_catalogue_of_ones_own_taste_first(learnt: SmallPipeline) -> None:
    seen = "select tmdb_id from catalog.watch_histories where person = 'p01'"
    listed = learnt.column("select tmdb_id from catalog.recommendations where person = 'p01' order by place")
    unseen = set(range(1, 31)) - set(learnt.column(seen))
    assert set(listed[: len(unseen)]) == unseen
    assert learnt.one(f"select count(*) from catalog.recommendations where person = 'p01' and tmdb_id in ({seen})") == 0
    assert max(listed) <= 60
    assert len(listed) == 30


def test_films_of_the_history_speak_for_a_film(learnt: SmallPipeline) -> None:
    assert learnt.one(
        "select bool_and(because <@ array(select tmdb_id from catalog.watch_histories h where h.person = r.person and "
        "rating >= 80) and because_weights[1] >= because_weights[2]) from catalog.recommendations r where place <= 5"
    )
    assert learnt.one("select min(cardinality(because)) from catalog.recommendations where place <= 3") >= 1


def test_nothing_is_learnt_or_made_again_while_nothing_changed(learnt: SmallPipeline) -> None:
    versions = "select sum(hashint8extended(title_id, xmin::text::bigint)) from catalog.recommended_titles"
    before = learnt.one(versions)
    result = learnt.run("recommend")
    assert metadata_of(result, "recommendation_model")["is_new"] is False
    assert metadata_of(result, "recommendation_quality")["is_new"] is False
    assert metadata_of(result, "recommendations")["people_due"] == 0
    assert learnt.one(versions) == before


def test_only_the_list_of_a_person_whose_history_changed_is_made_again(learnt: SmallPipeline) -> None:
    before = learnt.column(LISTS)
    first = learnt.one("select tmdb_id from catalog.recommendations where person = 'p01' and place = 1")
    learnt.do(f"insert into catalog.watch_histories (person, tmdb_id, source) values ('p01', {first}, 'list')")
    result = learnt.run("recommend")
    assert metadata_of(result, "recommendation_model")["is_new"] is False
    assert metadata_of(result, "recommendations")["people_due"] == 1
    changed = {row.split(":")[0] for row in set(before) ^ set(learnt.column(LISTS))}
    assert changed == {"p01"}
    assert learnt.one(f"select count(*) from catalog.recommendations where person = 'p01' and tmdb_id = {first}") == 0


def test_a_wanted_film_is_not_a_seen_one(learnt: SmallPipeline) -> None:
    first = learnt.one("select tmdb_id from catalog.recommendations where person = 'p01' and place = 1")
    learnt.do(
        "insert into catalog.watch_histories (person, tmdb_id, source, is_wanted) "
        f"values ('p01', {first}, 'list', true)"
    )
    learnt.run("recommend")
    assert learnt.one("select tmdb_id from catalog.recommendations where person = 'p01' and place = 1") == first


def test_many_new_entries_make_a_new_model_and_all_lists_anew(learnt: SmallPipeline) -> None:
    learnt.do(
        "insert into catalog.watch_histories (person, tmdb_id, source, rating) "
        "select 'p41', n, 'imdb', 90 from generate_series(31, 60, 2) n union all "
        "select 'p42', n, 'imdb', 90 from generate_series(32, 60, 2) n"
    )
    result = learnt.run("recommend")
    assert metadata_of(result, "recommendation_model")["is_new"] is True
    assert metadata_of(result, "recommendation_quality")["is_new"] is True
    assert metadata_of(result, "recommendations")["people_due"] == 42
    assert learnt.one("select count(distinct model_id) from pipeline.film_weights") == 1
    assert learnt.one("select count(distinct model_id) from pipeline.recommendation_quality") == 2


def test_a_week_old_model_is_learnt_again_when_anything_is_new(learnt: SmallPipeline) -> None:
    learnt.do("insert into catalog.watch_histories (person, tmdb_id, source) values ('p01', 45, 'list')")
    assert metadata_of(learnt.run("recommend"), "recommendation_model")["is_new"] is False
    learnt.do("update pipeline.recommendation_models set fitted_at = fitted_at - interval '8 days'")
    assert metadata_of(learnt.run("recommend"), "recommendation_model")["is_new"] is True


def test_with_learning_from_content_off_no_content_of_tmdb_has_a_part_in_the_model(learnt: SmallPipeline) -> None:
    unseen = "select count(*) from pipeline.film_weights where tmdb_id = 61"
    put_films(learnt.database, 61, 61)
    learnt.do("update pipeline.recommendation_models set method_version = 'an older one'")
    assert metadata_of(learnt.run("recommend"), "recommendation_model")["method"] == "hybrid-v1"
    assert learnt.one(unseen) == 1  # nobody saw the film: what follows from it is learnt from its content
    learnt.settings = learnt.settings.model_copy(update={"learn_from_content": False})
    metadata = metadata_of(learnt.run("recommend"), "recommendation_model")
    assert (metadata["is_new"], metadata["method"]) == (True, "hybrid-v1-without-content")
    assert learnt.one(unseen) == 0
    assert metadata_of(learnt.run("recommend"), "recommendation_model")["is_new"] is False
    learnt.do("update catalog.movies set genres = '{Western}', keywords = '{sheriff}', release_date = '1950-01-01'")
    weights = "select sum(hashtextextended(weights::text || others::text, tmdb_id)) from pipeline.film_weights"
    before = learnt.one(weights)
    learnt.do("update pipeline.recommendation_models set method_version = 'an older one'")
    assert metadata_of(learnt.run("recommend"), "recommendation_model")["is_new"] is True
    assert learnt.one(weights) == before


def test_a_person_without_a_history_any_more_has_no_list(learnt: SmallPipeline) -> None:
    learnt.do("delete from catalog.watch_histories where person = 'p01'")
    learnt.run("recommend")
    assert learnt.one("select count(*) from catalog.recommendations where person = 'p01'") == 0
    assert learnt.one("select count(*) from pipeline.recommendation_lists where person = 'p01'") == 0
    assert metadata_of(learnt.run("recommend"), "recommendations")["people_due"] == 0


def test_a_film_that_leaves_the_catalogue_leaves_the_lists(learnt: SmallPipeline) -> None:
    learnt.do("delete from catalog.movies where tmdb_id = 7")
    assert learnt.one("select count(*) from catalog.recommendations where tmdb_id = 7") == 0


def test_somebody_the_model_knows_too_little_of_gets_a_list_all_the_same(learnt: SmallPipeline) -> None:
    learnt.do(
        "insert into catalog.watch_histories (person, tmdb_id, source, rating) values ('new', 999999, 'list', 90)"
    )
    made = metadata_of(learnt.run("recommend"), "recommendations")
    assert (made["lists_by_the_model"], made["lists_by_vectors"]) == (0, 1)
    assert learnt.one("select count(*) from catalog.recommendations where person = 'new'") == 30


def test_work_is_committed_person_by_person_so_that_a_failure_costs_one_chunk(
    learnt: SmallPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt.do("update pipeline.recommendation_lists set model_id = null")
    learnt.do(
        "create function pipeline.refuse() returns trigger language plpgsql as 'begin raise exception ''no''; end'; "
        "create trigger refuse before insert on catalog.recommended_titles for each row when (new.person = 'p25') "
        "execute function pipeline.refuse()"
    )
    monkeypatch.setattr(recommendations, "CHUNK", 10)
    assert not learnt.run("recommend").success
    assert learnt.one("select count(*) from pipeline.recommendation_lists where model_id is not null") == 20
    learnt.do("drop trigger refuse on catalog.recommended_titles")
    assert metadata_of(learnt.run("recommend"), "recommendations")["people_due"] == 20


def test_an_evaluation_is_kept_with_intervals_and_a_table(learnt: SmallPipeline) -> None:
    metadata = metadata_of(learnt.run("recommend"), "recommendation_quality")
    assert metadata["last_20_percent_served_ndcg_at_10"] > metadata["last_20_percent_popularity_ndcg_at_10"]
    rows = [record.data for record in metadata["last_20_percent_table"].records]
    assert "hybrid" in {row["model"] for row in rows}
    assert max(len(str(row["NDCG@10 to the best"])) for row in rows) == BAR
    assert learnt.one(
        "select bool_and(ndcg_low <= ndcg_at_10 and ndcg_at_10 <= ndcg_high and recall_low <= recall_at_10) "
        "from pipeline.recommendation_quality"
    )


@pytest.mark.parametrize(("high", "severity"), [(-0.001, "ERROR"), (0.004, "WARN")])
def test_a_model_below_popularity_fails_its_check_when_that_is_sure_and_warns_otherwise(
    learnt: SmallPipeline, high: float, severity: str
) -> None:
    learnt.do(
        "update pipeline.recommendation_quality set over_popularity = -0.01, over_popularity_low = -0.02, "
        f"over_popularity_high = {high} where model = 'served'"
    )
    evaluations = learnt.run("recommend").get_asset_check_evaluations()
    (evaluation,) = [each for each in evaluations if each.check_name == "the_model_beats_popularity"]
    assert (evaluation.check_name, evaluation.passed) == ("the_model_beats_popularity", False)
    assert evaluation.severity.value == severity
    assert "last one: NDCG@10 of" in evaluation.description
    assert f"-0.0200 to {high:+.4f}" in evaluation.description


def test_without_histories_nothing_is_done_and_nothing_fails(fresh: SmallPipeline) -> None:
    result = fresh.run("recommend")
    assert metadata_of(result, "recommendation_model")["why"] == "there are no watch histories"
    assert metadata_of(result, "recommendations")["lists"] == 0
    assert metadata_of(result, "recommendation_quality")["is_new"] is False
    assert failed_checks(result) == set()


def test_one_person_alone_gets_a_list_without_a_model(fresh: SmallPipeline) -> None:
    fresh.do("insert into catalog.watch_histories (person, tmdb_id, source, rating) values ('me', 60, 'list', 90)")
    result = fresh.run("recommend")
    assert metadata_of(result, "recommendation_model")["why"] == "only 1 people have a history"
    assert metadata_of(result, "recommendations")["lists_by_vectors"] == 1
    assert fresh.one("select count(*) from catalog.recommendations where tmdb_id <> 60") == 30
    assert metadata_of(fresh.run("recommend"), "recommendations")["people_due"] == 0


RECOMMENDED = "select {} from catalog.recommendations_for('{}', match_count => {})"


def test_applications_read_a_list_with_its_reasons(learnt: SmallPipeline) -> None:
    assert learnt.column(RECOMMENDED.format("tmdb_id", "p01", 5)) == learnt.column(
        "select tmdb_id from catalog.recommendations where person = 'p01' and place <= 5 order by place"
    )
    assert learnt.one(RECOMMENDED.format("bool_and(is_precomputed)", "p01", 5))
    reason = learnt.one(RECOMMENDED.format("reasons -> 0", "p01", 1))
    assert reason["title"] == f"Film {reason['tmdb_id']}"
    assert reason["how"] == "loved"
    assert reason["weight"] > 0
    assert reason["shared"].keys() <= {"genres"}


def test_what_was_seen_since_the_list_was_made_is_left_out_at_once(learnt: SmallPipeline) -> None:
    first = learnt.one("select tmdb_id from catalog.recommendations where person = 'p01' and place = 1")
    learnt.do(f"insert into catalog.watch_histories (person, tmdb_id, source) values ('p01', {first}, 'list')")
    assert first not in learnt.column(RECOMMENDED.format("tmdb_id", "p01", 20))


def test_somebody_without_a_list_and_filters_that_few_pass_are_answered_live(learnt: SmallPipeline) -> None:
    learnt.do("insert into catalog.watch_histories (person, tmdb_id, source, rating) values ('new', 3, 'list', 100)")
    live = learnt.column(RECOMMENDED.format("tmdb_id", "new", 5))
    assert set(live) <= set(range(1, 31)) - {3}
    assert not learnt.one(RECOMMENDED.format("bool_or(is_precomputed)", "new", 5))
    filtered = "select {} from catalog.recommendations_for('p01', '{{\"genres\": [\"Comedy\"]}}', 50)"
    seen = "select tmdb_id from catalog.watch_histories where person = 'p01'"
    comedies = learnt.column(
        f"select tmdb_id from catalog.movies where genres = '{{Comedy}}' and tmdb_id not in ({seen})"
    )
    assert sorted(learnt.column(filtered.format("tmdb_id"))) == sorted(comedies)
