"""Reading TMDB's response for one series, with the seasons that it has.

A field that cannot be right is read as unknown and noted in `Series.repairs`, as for movies. A response is rejected
when it is not a series, not the one that was requested, or its list of seasons has another shape. `tmdb.seasons` reads
seasons and episodes, `tmdb.series_rows` the people, companies and places around a series.
"""

from dataclasses import dataclass
from datetime import date

from movie_assets.tmdb.json_values import Reader, UnusableResponseError, clean
from movie_assets.tmdb.related_rows import LARGEST_ID
from movie_assets.tmdb.seasons import (
    LARGEST_NUMBER,
    Episode,
    FetchedSeason,
    Notes,
    Season,
    fetched_seasons,
    listed_seasons,
    median_runtime,
    read_episode,
)
from movie_assets.tmdb.series_rows import creators_of, networks_of
from movie_assets.tmdb.titles import (
    IDS_OF_A_TYPE,
    LONGEST_TITLE,
    Title,
    imdb_id_of,
    leading_cast,
    requested,
    same_fields,
)

PARSER_VERSION = 2  # raised when a series would be read differently: stored responses are then read again
ANSWER_VERSION = 2  # raised when more is requested of TMDB: every series is fetched again

LONGEST_URL = 2_000


@dataclass(frozen=True)
class Series(Title):
    """A series as TMDB describes it: `title` is its name, `release_date` its first air date.

    `countries` are those of origin, `runtime_minutes` is the median of the episodes that the response has. The numbers
    of seasons and episodes are TMDB's, without season 0. `seasons` are those that TMDB lists, by number; `fetched` are
    those of them that the response has with their episodes. `rejects` names the entries that were left out, with the
    reason: what they hold is unknown, and not deleted.
    """

    first_title_id = IDS_OF_A_TYPE

    type: str | None
    in_production: bool
    last_air_date: date | None
    number_of_seasons: int | None
    number_of_episodes: int | None
    languages: tuple[str, ...]
    networks: tuple[str, ...]
    creators: tuple[str, ...]
    homepage: str | None
    tvdb_id: int | None
    last_episode: Episode | None
    next_episode: Episode | None
    seasons: tuple[Season, ...]
    fetched: tuple[FetchedSeason, ...]
    rejects: tuple[str, ...]


def read_series(body: object, tmdb_id: int) -> Series:
    """Read the response of /tv/{tmdb_id} with everything appended, and any seasons.

    Raises UnusableResponseError when it is not an object ("not_a_series"), has another id ("other_id"), no name in any
    language ("no_name"), or its list of seasons is something else ("bad_seasons").
    """
    read = Reader(requested(body, tmdb_id, "series"))
    title = read.text("name", LONGEST_TITLE) or read.text("original_name", LONGEST_TITLE)
    if title is None:
        raise UnusableResponseError("no_name", "the series has neither a name nor an original name")
    notes = Notes()
    listed = listed_seasons(read.body, notes)
    fetched = fetched_seasons(read.body, listed, notes)
    ids = read.inner("external_ids")
    return Series(
        **same_fields(read),
        tmdb_id=tmdb_id,
        imdb_id=imdb_id_of(ids),
        title=title,
        original_title=read.text("original_name", LONGEST_TITLE) or title,
        release_date=read.day("first_air_date"),
        runtime_minutes=median_runtime(episode for season in fetched for episode in season.episodes),
        leading_cast=leading_cast(read.inner("aggregate_credits").objects("cast")),
        countries=read.texts("origin_country", 10),
        certification=_certification(read, "US"),
        type=read.text("type", 40),
        in_production=read.flag("in_production"),
        last_air_date=read.day("last_air_date"),
        number_of_seasons=read.integer("number_of_seasons", 0, LARGEST_NUMBER),
        number_of_episodes=read.integer("number_of_episodes", 0, LARGEST_NUMBER),
        languages=read.texts("languages", 10),
        networks=tuple(str(row["name"]) for row in networks_of(read.body)),
        creators=tuple(str(row["name"]) for row in creators_of(read.body)),
        homepage=read.text("homepage", LONGEST_URL),
        tvdb_id=ids.integer("tvdb_id", 1, LARGEST_ID),
        last_episode=read_episode(read, "last_episode_to_air", notes),
        next_episode=read_episode(read, "next_episode_to_air", notes),
        seasons=tuple(each.season for each in fetched) if listed is None else listed,
        fetched=fetched,
        rejects=tuple(notes.rejects),
        repairs=(*read.repairs, *notes.repairs),
    )


def _certification(series: Reader, country: str) -> str | None:
    """Return a country's content rating."""
    ratings = series.inner("content_ratings").objects("results")
    texts = (clean(entry.get("rating")) for entry in ratings if entry.get("iso_3166_1") == country)
    return next((text for text in texts if text), None)
