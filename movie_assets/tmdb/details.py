"""The response for one title: one call, and for a series the calls that bring further seasons.

`tmdb.client` makes a call, `tmdb.season_plan` decides which seasons are needed.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from movie_assets.tmdb.call import TOO_LARGE
from movie_assets.tmdb.json_values import JsonObject, UnusableResponseError
from movie_assets.tmdb.media import MediaType
from movie_assets.tmdb.season_plan import MAX_PARTS, KnownCatalogue, appended, first_seasons, further_calls
from movie_assets.tmdb.seasons import SEASON_KEY, without_guests
from movie_assets.tmdb.series import read_series

Call = Callable[[str, Mapping[str, str | int]], Awaitable[JsonObject | None]]


async def fetch_details(call: Call, media: MediaType, tmdb_id: int, known: KnownCatalogue) -> JsonObject | None:
    """Return the response for a title with everything appended; None for TMDB's own 404.

    A series has the seasons that are not known or may have changed, without the guests of its episodes. A season that
    TMDB lists and does not have is left out, as is one that is too large even alone. Raises UnusableResponseError, and
    what `call` raises.
    """
    path = media.details_path(tmdb_id)
    if not media.has_seasons:
        return await call(path, {"append_to_response": ",".join(media.appended)})
    before = known.series.get(tmdb_id)
    seasons = first_seasons(before, known.as_of, MAX_PARTS - len(media.appended))
    body = await _first_response(call, path, media.appended, seasons)
    if body is None:
        return None
    slim = without_guests(body)
    for numbers in further_calls(read_series(slim, tmdb_id), before, known.as_of):
        slim = {**slim, **await _seasons(call, path, numbers)}
    return slim


async def _first_response(call: Call, path: str, parts: Sequence[str], seasons: Sequence[int]) -> JsonObject | None:
    """Return the response with sub-resources and seasons; without the seasons when these are too large."""
    try:
        return await call(path, {"append_to_response": appended(parts, seasons)})
    except UnusableResponseError as error:
        if not seasons or not _is_too_large(error):
            raise
    return await call(path, {"append_to_response": appended(parts, ())})


async def _seasons(call: Call, path: str, numbers: Sequence[int]) -> dict[str, object]:
    """Return seasons by the key that they have when they are appended; in halves when they are too large together."""
    keys = [f"{SEASON_KEY}{number}" for number in numbers]
    try:
        body: JsonObject | None
        if len(keys) == 1:
            body = {keys[0]: await call(f"{path}/{keys[0]}", {})}
        else:
            body = await call(path, {"append_to_response": appended((), numbers)})
    except UnusableResponseError as error:
        if not _is_too_large(error):
            raise
        if len(numbers) == 1:
            return {}
        middle = len(numbers) // 2
        return {**await _seasons(call, path, numbers[:middle]), **await _seasons(call, path, numbers[middle:])}
    return {key: value for key, value in without_guests(body or {}).items() if key in keys and value is not None}


def _is_too_large(error: UnusableResponseError) -> bool:
    return error.reason == f"http_{TOO_LARGE}"
