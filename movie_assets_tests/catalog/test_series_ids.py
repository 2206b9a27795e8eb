"""The ids of series beside those of movies: export, states, change feed and lists, against the emulator."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from movie_assets.catalog.media_assets import MOVIE_ASSETS, SERIES_ASSETS, MediaAssets
from movie_assets.cli.report import status_of
from movie_assets.config.filter_profiles import FilterProfile
from movie_assets.emulator.made_up_series import id_of
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.emulator.world import HasSeries
from movie_assets.tmdb.media import MOVIES, SERIES, MediaType
from movie_assets_tests.conftest import DAY, Pipeline, failed_checks, figures_of

State = tuple[str, str | None]  # with its reason
FIRST = SERIES.first_title_id
TABLES = (
    "pipeline.title_ids", "pipeline.exported_titles", "pipeline.discovered_titles", "pipeline.changed_titles",
    "pipeline.title_details", "pipeline.title_rule_inputs", "catalog.titles", "catalog.title_stats",
    "catalog.title_stats_history",
)  # fmt: skip
OF_DAYS = ("exports", "ids_as_of", "profiles", "evaluation", "list_slices", "discoveries", "change_days")


ACCEPTED_SERIES = f"select title_id from catalog.titles where title_id >= {FIRST} order by 1"
FETCHED_SERIES = f"select title_id from pipeline.title_ids where title_id >= {FIRST} and fetched_at is not null"
CHANGED = "select title_id from pipeline.title_ids where changed_at is not null"


def of_media(media: MediaType) -> list[str]:
    """The statements that read all rows of a media type."""
    last = media.first_title_id + 999_999_999
    return [
        *(f"select * from {table} t where title_id between {media.first_title_id} and {last} order by t::text"
          for table in TABLES),
        *(f"select * from pipeline.title_{table} t where media_type = '{media.name}' order by t::text"
          for table in OF_DAYS),
        f"select * from pipeline.funnel_of('{media.name}')",
    ]  # fmt: skip


@pytest.fixture
def tmdb_emulator() -> Iterator[TmdbEmulator]:
    """An emulator with few movies and more series."""
    with TmdbEmulator(EmulatorOptions(today=DAY, movies=60, series=200, rate_limit=0)) as running:
        yield running


def rows(pipeline: Pipeline, sql: str) -> list[Any]:
    with pipeline.database.transaction() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql).all()]


def with_series(pipeline: Pipeline) -> Pipeline:
    pipeline.settings = pipeline.settings.model_copy(update={"media": ("movies", "series")})
    return pipeline


def series_of(tmdb_emulator: TmdbEmulator) -> Any:
    assert isinstance(tmdb_emulator.world, HasSeries)
    return tmdb_emulator.world.series


def succeeded(result: Any) -> Any:
    failures = [str(event.event_specific_data) for event in result.all_events if event.is_step_failure]
    assert result.success, "\n".join(failures)
    return result


def accept_series(pipeline: Pipeline) -> None:
    """Give each candidate that is a series the rows of one whose details a profile accepts."""
    pipeline.do(
        f"""
        with chosen as (
            select i.title_id, d.vote_count, d.vote_average, d.release_date, d.original_language
            from pipeline.title_ids i join pipeline.discovered_titles d using (title_id)
            where i.title_id >= {FIRST} and i.state = 'candidate'
        ), details as (
            insert into pipeline.title_details (title_id, body, fetched_at)
            select title_id, '{{}}', '2026-11-19 10:00+00' from chosen
        ), titles as (
            insert into catalog.titles (title_id, title, original_title, genres, keywords, directors, leading_cast,
                countries, embedding_text, text_hash, changed_at)
            select title_id, 'S', 'S', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', 'S', 'h', now() from chosen
        ), stats as (
            insert into catalog.title_stats (title_id, popularity, vote_average, vote_count, seen_at)
            select title_id, 5, vote_average, vote_count, now() from chosen
        ), history as (
            insert into catalog.title_stats_history (title_id, day, popularity, vote_average, vote_count)
            select title_id, '2026-11-01', 1, vote_average, vote_count from chosen
        )
        update pipeline.title_ids i
        set fetched_at = '2026-11-19 10:00+00', release_date = c.release_date, judged_by = 'x'
        from chosen c where c.title_id = i.title_id
        """
    )
    pipeline.do(
        f"""
        insert into pipeline.title_rule_inputs (title_id, adult, video, softcore, vote_count, vote_average,
            release_date, original_language, seen_at, series_type, series_status)
        select title_id, false, false, false, vote_count, vote_average, release_date, original_language, now(),
            'Scripted', 'Ended'
        from pipeline.discovered_titles join pipeline.title_details using (title_id) where title_id >= {FIRST}
        """
    )


def expected_states(tmdb_emulator: TmdbEmulator, profile: FilterProfile, day: date) -> dict[int, State]:
    """What a series is by the export and the lists of the emulator's world, before any details are fetched."""
    columns = series_of(tmdb_emulator).columns(day)
    assert profile.released_since is not None
    states: dict[int, State] = {}
    for row in range(len(columns.tmdb_id)):
        rules = {
            "popularity": columns.popularity[row] < profile.min_popularity,
            "vote_count": not columns.release[row] or columns.vote_count[row] < profile.min_vote_count,
            "vote_average": round(columns.vote_average[row], 3) < profile.min_vote_average,
            "release_date": columns.release[row] < profile.released_since.toordinal(),
            "language": columns.language[row] not in profile.languages,
        }
        reason = next((rule for rule, fails in rules.items() if fails), None)
        if not columns.adult[row]:  # these have an export of their own
            states[FIRST + int(columns.tmdb_id[row])] = ("rejected" if reason else "candidate", reason)
    return states


def states_of_series(pipeline: Pipeline) -> dict[int, State]:
    sql = f"select title_id, state, reason from pipeline.title_ids where title_id >= {FIRST} and gone_since is null"
    return {title_id: (state, reason) for title_id, state, reason in rows(pipeline, sql)}


def test_each_series_of_the_export_has_the_state_that_export_and_lists_give(
    pipeline: Pipeline, tmdb_emulator: TmdbEmulator
) -> None:
    result = succeeded(with_series(pipeline).run("read_the_day"))
    (profile,) = pipeline.settings.profiles_for("series").profiles
    expected = expected_states(tmdb_emulator, profile, DAY)
    assert len({reason for _, reason in expected.values()}) > 4, "the world has no series for each rule"
    assert states_of_series(pipeline) == expected
    assert figures_of(result, "series_ids")["dagster/row_count"] == len(expected)
    movies = pipeline.one(f"select count(*) from pipeline.title_ids where title_id < {FIRST}")
    assert figures_of(result, "movie_ids")["dagster/row_count"] == movies
    assert pipeline.one("select kept from pipeline.funnel_of('series') order by step desc limit 1") == 0
    assert pipeline.one("select dropped from pipeline.funnel_of('series') where says = 'details fetched'") == sum(
        state == "candidate" for state, _ in expected.values()
    )
    assert not failed_checks(result)
    status: dict[str, Any] = status_of(pipeline.database, datetime.combine(DAY, time(12), UTC)).as_json()
    assert (status["ids"], status["series"]["ids"]) == (movies, len(expected))
    assert status["series"]["candidates"] == sum(state == "candidate" for state, _ in expected.values())


@pytest.fixture
def both(pipeline: Pipeline) -> Pipeline:
    """A catalogue of movies with details, whose series were read for a day."""
    for job in ("read_the_day", "fetch_details"):
        succeeded(pipeline.run(job))
    assert pipeline.one("select count(*) from catalog.movies") > 10
    assert "series" not in status_of(pipeline.database, datetime.combine(DAY, time(12), UTC)).as_json()
    return with_series(pipeline)


def turn_day(pipeline: Pipeline, tmdb_emulator: TmdbEmulator) -> None:
    pipeline.day += timedelta(days=1)
    tmdb_emulator.today = pipeline.day


def hide(tmdb_emulator: TmdbEmulator, tmdb_ids: set[int]) -> None:
    """Take series out of the emulator's world."""
    moving = series_of(tmdb_emulator)
    numbers = moving._numbers
    moving._numbers = lambda day: tuple(number for number in numbers(day) if id_of(number) not in tmdb_ids)
    moving.columns.cache_clear()


def read(pipeline: Pipeline, of: MediaAssets) -> Any:
    """Read the pipeline's day of one media type."""
    return pipeline.run("read_the_day", assets=of.names[:-1])


def test_a_day_of_series_changes_nothing_of_movies(both: Pipeline) -> None:
    before = {sql: rows(both, sql) for sql in of_media(MOVIES)}
    succeeded(read(both, SERIES_ASSETS))
    assert len(states_of_series(both)) > 100
    assert {sql for sql, kept in before.items() if kept != rows(both, sql)} == set()


def test_a_day_of_movies_changes_nothing_of_series(both: Pipeline, tmdb_emulator: TmdbEmulator) -> None:
    succeeded(read(both, SERIES_ASSETS))
    accept_series(both)
    before = {sql: rows(both, sql) for sql in of_media(SERIES)}
    assert all(before.values())
    turn_day(both, tmdb_emulator)
    succeeded(read(both, MOVIE_ASSETS))
    assert both.one("select export_date from pipeline.ids_as_of") == both.day
    assert {sql for sql, kept in before.items() if kept != rows(both, sql)} == set()


def test_series_that_leave_the_export_are_gone_and_movies_of_their_numbers_stay(
    both: Pipeline, tmdb_emulator: TmdbEmulator
) -> None:
    succeeded(read(both, SERIES_ASSETS))
    accept_series(both)
    movie_ids = {title_id for (title_id,) in rows(both, "select tmdb_id from catalog.movies")}
    leaving = [title_id for (title_id,) in rows(both, ACCEPTED_SERIES) if SERIES.tmdb_id(title_id) in movie_ids][:2]
    assert len(leaving) == 2
    movies = {sql: rows(both, sql) for sql in of_media(MOVIES)}
    hide(tmdb_emulator, {SERIES.tmdb_id(title_id) for title_id in leaving})
    turn_day(both, tmdb_emulator)
    result = succeeded(read(both, SERIES_ASSETS))
    assert figures_of(result, "series_ids")["gone"] >= 2
    gone = f"select title_id, gone_reason from pipeline.title_ids where title_id = any(array{leaving}) order by 1"
    assert rows(both, gone) == [(title_id, "left_export") for title_id in leaving]
    assert not set(leaving) & {title_id for (title_id,) in rows(both, ACCEPTED_SERIES)}
    assert {sql for sql, kept in movies.items() if kept != rows(both, sql)} == set()


def test_half_an_export_of_series_is_refused_for_series_alone(both: Pipeline, tmdb_emulator: TmdbEmulator) -> None:
    succeeded(both.run("read_the_day"))
    before = {sql: rows(both, sql) for sql in of_media(SERIES)}
    ids = series_of(tmdb_emulator).ids(DAY)
    hide(tmdb_emulator, set(ids[::2]))
    turn_day(both, tmdb_emulator)
    result = both.run("read_the_day")
    assert not result.success
    assert failed_checks(result) == {"export_can_be_believed"}
    assert {event.step_key for event in result.get_asset_materialization_events()} == {
        "tmdb_export", "movie_ids", "tmdb_changes", "tmdb_discoveries", "series_changes",
    }  # fmt: skip
    assert [step for (step,) in rows(both, "select step from pipeline.refusals")] == ["series_export"]
    changed = {sql for sql, kept in before.items() if kept != rows(both, sql)}
    assert {sql for sql in changed if "change" not in sql and "title_ids t" not in sql} == set()


def test_the_feed_of_series_marks_series_alone(both: Pipeline, tmdb_emulator: TmdbEmulator) -> None:
    succeeded(read(both, SERIES_ASSETS))
    known = {SERIES.tmdb_id(title_id) for title_id in states_of_series(both)}
    turn_day(both, tmdb_emulator)
    both.do("update pipeline.title_ids set changed_at = null")
    succeeded(both.run("read_the_day", assets=[SERIES_ASSETS.changes]))
    named = {change.tmdb_id for change in series_of(tmdb_emulator).changes(both.day)}
    marked = {title_id for (title_id,) in rows(both, CHANGED)}
    assert marked == {SERIES.title_id(tmdb_id) for tmdb_id in named & known}
    assert marked


def test_series_fail_the_rules_on_types_and_statuses_that_their_profile_has(both: Pipeline, tmp_path: Path) -> None:
    succeeded(read(both, SERIES_ASSETS))
    accept_series(both)
    accepted = {title_id for (title_id,) in rows(both, ACCEPTED_SERIES)}
    both.do("update pipeline.title_rule_inputs set series_type = 'Miniseries' where title_id & 1 = 0")
    file = tmp_path / "profiles.toml"
    for rules, reason, fails in (
        ('types = ["Miniseries"]', "type", lambda title_id: title_id & 1 == 1),
        ('statuses = ["Canceled", "Returning Series"]', "status", lambda _: True),
        ('types = ["Miniseries", "Scripted"]\nstatuses = ["Ended"]', None, lambda _: False),
    ):
        file.write_text(f'[mine]\nmedia = "series"\nmin_popularity = 1.0\nmin_vote_count = 50\n{rules}\n')
        both.settings = both.settings.model_copy(update={"series_profiles": ("mine",), "profiles_file": file})
        succeeded(read(both, SERIES_ASSETS))
        states = states_of_series(both)
        assert {title_id for title_id in accepted if states[title_id] == ("rejected", reason)} == {
            title_id for title_id in accepted if fails(title_id)
        }
    says = dict(rows(both, "select rule, says from pipeline.funnel_of('series')"))
    assert (says["type"], says["status"]) == ("type Miniseries or Scripted", "status Ended")
    assert "video" not in says


def test_a_day_of_both_fetches_the_series_that_export_and_lists_let_in(
    pipeline: Pipeline, tmdb_emulator: TmdbEmulator
) -> None:
    for job in ("read_the_day", "fetch_details"):
        succeeded(with_series(pipeline).run(job))
    (profile,) = pipeline.settings.profiles_for("series").profiles
    candidates = {
        title_id
        for title_id, (state, _) in expected_states(tmdb_emulator, profile, DAY).items()
        if state == "candidate"
    }
    fetched = {title_id for (title_id,) in rows(pipeline, FETCHED_SERIES)}
    assert fetched == candidates
    states = states_of_series(pipeline)
    accepted = {title_id for title_id in candidates if states[title_id] == ("accepted", None)}
    assert accepted == {title_id for (title_id,) in rows(pipeline, ACCEPTED_SERIES)} != set()
    types = dict(rows(pipeline, "select title_id, series_type from pipeline.title_rule_inputs"))
    for title_id in accepted:
        assert types[title_id] == series_of(tmdb_emulator).series(SERIES.tmdb_id(title_id), DAY).type
    with_no_call = read_and_fetch_again(pipeline, tmdb_emulator)
    assert with_no_call == set()


def read_and_fetch_again(pipeline: Pipeline, tmdb_emulator: TmdbEmulator) -> set[str]:
    """The endpoints of titles that a second run of the same day asks for."""
    tmdb_emulator.reset_counts()
    succeeded(pipeline.run("fetch_details"))
    return {name for name in tmdb_emulator.requests if name in ("movie", "tv", "season")}
