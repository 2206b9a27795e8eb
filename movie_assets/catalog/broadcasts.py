"""What a response says of the broadcasts of a series, as rows for SQL: the series, its seasons and episodes.

Each key is a table of `pipeline.broadcast_tables` (sql/catalog/broadcasts.sql), each object a row with the columns as
its keys. `lists` names the lists that were read: that of the seasons (`season_number` is null), and that of the
episodes of each season that was fetched. A list with an entry that could not be read is not whole: nothing is deleted
because it lacks something.
"""

import json
import re
from collections.abc import Collection
from dataclasses import asdict
from datetime import date

from movie_assets.tmdb.json_values import JsonObject
from movie_assets.tmdb.seasons import SEASON_KEY, appended_seasons
from movie_assets.tmdb.series import Series

ENDED = ("Ended", "Canceled")  # a status is never final: series are revived
UNREAD_EPISODE = re.compile(rf"{SEASON_KEY}(\d+)\.episodes\[\d+\]: no id or number")


def broadcasts_json(series: Series) -> str:
    """Return the rows of a series as JSON."""
    unread = {int(match[1]) for reject in series.rejects if (match := UNREAD_EPISODE.match(reject))}
    lists: list[dict[str, int | None]] = [
        {"season_number": None, "is_whole": not any(reject.startswith("seasons") for reject in series.rejects)}
    ]
    lists += [
        {"season_number": number, "is_whole": number not in unread}
        for number in (each.season.season_number for each in series.fetched)
    ]
    rows = {
        "broadcasts": [_broadcast(series)],
        "seasons": [asdict(season) for season in series.seasons],
        "episodes": [vars(episode) for season in series.fetched for episode in season.episodes],
        "lists": lists,
    }
    return json.dumps(rows, default=_as_text)


def _broadcast(series: Series) -> dict[str, object]:
    last, following = series.last_episode, series.next_episode
    return {
        "type": series.type,
        "in_production": series.in_production,
        "has_ended": series.status in ENDED,
        "last_air_date": series.last_air_date,
        "number_of_seasons": series.number_of_seasons,
        "number_of_episodes": series.number_of_episodes,
        "languages": list(series.languages),
        "homepage": series.homepage,
        "last_episode_id": last and last.episode_id,
        "last_episode_date": last and last.air_date,
        "next_episode_id": following and following.episode_id,
        "next_episode_date": following and following.air_date,
    }


def _as_text(value: object) -> str:
    if not isinstance(value, date):
        raise TypeError(f"{value!r} is no value of a row")
    return value.isoformat()


def without_seasons(body: JsonObject) -> JsonObject:
    """Return the response for a series without the seasons that were appended to it."""
    return {key: value for key, value in body.items() if not key.startswith(SEASON_KEY)}


def seasons_in(body: JsonObject, numbers: Collection[int]) -> JsonObject:
    """Return the appended seasons with these numbers, by the number as a text."""
    return {str(number): body[f"{SEASON_KEY}{number}"] for number in numbers}


def episodes_in(body: JsonObject) -> int:
    """Return how many episodes the appended seasons of a response have."""
    seasons = (body[f"{SEASON_KEY}{number}"] for number in appended_seasons(body))
    lists = (season.get("episodes") for season in seasons if isinstance(season, dict))
    return sum(len(episodes) for episodes in lists if isinstance(episodes, list))
