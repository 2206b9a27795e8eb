"""What was edited of a series from one day to the next, in the shape of TMDB's `/tv/{id}/changes`.

Airing is no edit: nobody changes anything when an episode airs. Nor are popularity and votes.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from movie_assets.emulator.series import Episode, Season, Series

OF_SERIES = (
    "name", "overview", "status", "type", "genres", "keywords", "networks", "first_air_date", "other_names", "imdb_id",
    "tvdb_id",
)  # fmt: skip
OF_SEASON = ("name", "overview", "air_date", "number")
OF_EPISODE = ("name", "overview", "air_date", "number", "runtime", "season_number")
KEYS = {"number": "episode_number", "other_names": "alternative_names"}
Edit = dict[str, Any]


def series_edits(before: Series | None, after: Series, day: date) -> list[Edit]:
    """Return the edits of a series; of its seasons only their ids and numbers."""
    edits = _values(before, after, OF_SERIES, after.tmdb_id, day)
    known = {season.season_id: season for season in before.seasons} if before else {}
    items = [
        _item(season.season_id, day, action, {"season_id": season.season_id, "season_number": season.number})
        for season, action in _differing(known, {season.season_id: season for season in after.seasons})
    ]
    return edits + ([{"key": "season", "items": items}] if items else [])


def season_edits(before: Season | None, after: Season, day: date) -> list[Edit]:
    """Return the edits of a season; of its episodes only their ids and numbers."""
    edits = _values(before, after, OF_SEASON, after.season_id, day)
    known = {episode.episode_id: episode for episode in before.episodes} if before else {}
    items = [
        _item(episode.episode_id, day, action, {"episode_id": episode.episode_id, "episode_number": episode.number})
        for episode, action in _differing(known, {episode.episode_id: episode for episode in after.episodes})
    ]
    return edits + ([{"key": "episode", "items": items}] if items else [])


def episode_edits(before: Episode | None, after: Episode, day: date) -> list[Edit]:
    """Return the edits of an episode."""
    return _values(before, after, OF_EPISODE, after.episode_id, day)


def _differing(before: dict[int, Any], after: dict[int, Any]) -> Iterable[tuple[Any, str]]:
    for number, value in after.items():
        if number not in before:
            yield value, "added"
        elif _is_other(before[number], value):
            yield value, "updated"
    for number, value in before.items():
        if number not in after:
            yield value, "deleted"


def _is_other(before: Any, after: Any) -> bool:
    """Return whether a season with its episodes, or an episode, was edited."""
    names = OF_SEASON if isinstance(after, Season) else OF_EPISODE
    if any(getattr(before, name) != getattr(after, name) for name in names):
        return True
    if not isinstance(after, Season) or before.is_settled:
        return False
    known, listed = ({episode.episode_id: episode for episode in season.episodes} for season in (before, after))
    return any(True for _ in _differing(known, listed))


def _values(before: Any, after: Any, names: tuple[str, ...], tmdb_id: int, day: date) -> list[Edit]:
    edits = []
    for name in names:
        old, new = getattr(before, name, None), getattr(after, name)
        if old != new:
            item = _item(tmdb_id, day, "updated" if before else "added", _plain(new))
            edits.append({"key": _key(name, after), "items": [{**item, "original_value": _plain(old)}]})
    return edits


def _key(name: str, value: Any) -> str:
    return "season_number" if name == "number" and isinstance(value, Season) else KEYS.get(name, name)


def _item(number: int, day: date, action: str, value: Any) -> Edit:
    return {
        "id": f"{number:012x}{day.toordinal():012x}",
        "action": action,
        "time": f"{day} 12:00:00 UTC",
        "iso_639_1": "",
        "iso_3166_1": "",
        "value": value,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [getattr(entry, "name", entry) for entry in value]
    return value
