"""Series day after day against the emulator: the catalogue's seasons and episodes are the world's, for few calls."""

from collections.abc import Iterable
from datetime import date

from movie_assets.emulator.moving_series import MovingSeries
from movie_assets.emulator.series import Series
from movie_assets.emulator.series_edits import series_edits
from movie_assets.tmdb.media import SERIES
from movie_assets_tests.conftest import failed_checks
from movie_assets_tests.support.series_runs import Make, Row

DAYS = 10
EPISODES = (
    "select catalog.tmdb_id(title_id), season_number, episode_number, episode_id, name, air_date, runtime_minutes, "
    "episode_type from catalog.episodes"
)
SEASONS = (
    "select catalog.tmdb_id(title_id), season_number, season_id, name, air_date, episode_count from catalog.seasons"
)


def accepted_of(world: MovingSeries, day: date) -> list[Series]:
    """The series of the day that every profile lets in."""
    return [series for series in world.all_series(day) if not (series.adult or series.softcore)]


def episodes_of(series: Iterable[Series]) -> set[Row]:
    """Every episode, as TMDB knows it."""
    return {
        (each.tmdb_id, season.number, e.number, e.episode_id, e.name, e.air_date, e.runtime, e.episode_type)
        for each in series
        for season in each.seasons
        for e in season.episodes
    }


def seasons_of(series: Iterable[Series]) -> set[Row]:
    return {
        (each.tmdb_id, season.number, season.season_id, season.name, season.air_date, season.episode_count)
        for each in series
        for season in each.seasons
    }


def known_by_id(rows: Iterable[Row]) -> dict[int, tuple[int, int]]:
    """Season and episode number by the id of an episode."""
    return {row[3]: (row[1], row[2]) for row in rows}


def test_day_after_day_the_catalogue_has_the_worlds_seasons_and_episodes(living: Make) -> None:
    pipeline = living(40)
    least = added = moved = removed = 0
    before: dict[int, Series] = {}
    episodes: set[Row] = set()
    for day in range(DAYS):
        pipeline.read_the_day()
        result = pipeline.fetch()
        assert not failed_checks(result) - {"every_batch_is_covered", "metadata_is_complete"}
        there = accepted_of(pipeline.world, pipeline.day)
        assert pipeline.rows(SEASONS) == seasons_of(there)
        assert pipeline.rows(EPISODES) == episodes_of(there)
        if day:
            now = {each.tmdb_id: each for each in pipeline.world.all_series(pipeline.day)}
            least += len(before.keys() - now.keys())
            least += sum(_tells_something(before.get(n), each, pipeline.day) for n, each in now.items())
            ids, former = known_by_id(episodes_of(there)), known_by_id(episodes)
            added += len(ids.keys() - former.keys())
            removed += len(former.keys() - ids.keys())
            moved += sum(ids[n] != former[n] for n in ids.keys() & former.keys())
        before = {each.tmdb_id: each for each in pipeline.world.all_series(pipeline.day)}
        episodes = episodes_of(there)
        pipeline.turn_day()
    assert added > 10
    assert removed > 10
    assert moved > 10
    successors = pipeline.rows("select title_id, successor_id from catalog.title_successors")
    assert successors
    for title_id, successor_id in successors:
        heir = pipeline.world.merged_into(SERIES.tmdb_id(title_id), pipeline.day)
        assert heir == SERIES.tmdb_id(successor_id)
    assert not pipeline.rows("select * from catalog.successors"), "these are movies"
    calls = sum(pipeline.calls[1:])
    assert least <= calls <= 2.5 * least, pipeline.calls


def _tells_something(before: Series | None, after: Series, day: date) -> bool:
    """Whether TMDB says something else of a series than the day before, votes and popularity aside."""
    return before is None or bool(series_edits(before, after, day)) or before.last_episode != after.last_episode
