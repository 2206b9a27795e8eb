"""The media types of TMDB, each as one value: its paths, its export, its lists, and what reads its responses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from movie_assets.tmdb import movies, related_rows, series, series_rows
from movie_assets.tmdb.json_values import JsonObject
from movie_assets.tmdb.related_rows import RelatedRows
from movie_assets.tmdb.seasons import appended_seasons
from movie_assets.tmdb.titles import IDS_OF_A_TYPE, Title

# Each of these fields was present in 99.9 % or more of 1,348 accepted real films with 100 votes or more. Other fields
# have no rate, because TMDB has no keyword or certification for many films.
MIN_RATES = {
    "title": 1.0,
    "original_language": 1.0,
    "release_year": 0.99,
    "runtime_minutes": 0.99,
    "genres": 0.98,
    "overview": 0.98,
    "directors": 0.95,
    "leading_cast": 0.95,
    "poster_path": 0.95,
}


@dataclass(frozen=True)
class MediaType:
    """A media type of TMDB.

    TMDB numbers each type by itself: a movie and a series can have the same `tmdb_id`. A `title_id` names one title
    of any type.
    """

    name: str  # as applications see it
    noun: str  # of several titles, in logs and checks
    path: str  # the first part of TMDB's paths
    first_title_id: int
    appended: tuple[str, ...]  # the sub-resources in the response for a title
    has_seasons: bool
    export: str  # the start of the name of the export's file
    export_title: str  # the key of the title in an export's line
    export_flags: tuple[str, ...]  # that each line has
    date_key: str  # of the date of release in lists
    date_parameter: str  # of /discover, the same date
    list_parameters: Mapping[str, str]  # of /discover, for the titles that the catalogue may hold
    find_key: str  # of the titles in the response of /find
    parser_version: int
    answer_version: int
    min_rates: Mapping[str, float]  # the share of the well-known titles that have a field, at least
    ages: str  # that details may have (pipeline.age_allowed), in words
    known_keys: frozenset[str]  # at the top of the response for a title, but of seasons
    read: Callable[[object, int], Title]  # raises UnusableResponseError
    read_rows: Callable[[JsonObject], RelatedRows]

    def title_id(self, tmdb_id: int) -> int:
        """Return the number of a title among those of all types. Raises ValueError for an id that has none."""
        if not 0 < tmdb_id < IDS_OF_A_TYPE:
            raise ValueError(f"a TMDB id is between 1 and {IDS_OF_A_TYPE - 1:,}, not {tmdb_id:,}")
        return self.first_title_id + tmdb_id

    def tmdb_id(self, title_id: int) -> int:
        """Return TMDB's id of a title of this type. Raises ValueError for a title of another type."""
        tmdb_id = title_id - self.first_title_id
        if not 0 < tmdb_id < IDS_OF_A_TYPE:
            raise ValueError(f"the title {title_id:,} is not a {self.name}")
        return tmdb_id

    def details_path(self, tmdb_id: int) -> str:
        """Return the path of the response for a title."""
        return f"/{self.path}/{tmdb_id}"

    def export_file(self, day: date) -> str:
        """Return the name of a day's export: `movie_ids_MM_DD_YYYY.json.gz`, with the month first."""
        return f"{self.export}_{day:%m_%d_%Y}.json.gz"

    def unknown_keys(self, body: JsonObject) -> set[str]:
        """Return the keys at the top of the response for a title that are new at TMDB."""
        seasons = {f"season/{number}" for number in appended_seasons(body)} if self.has_seasons else set()
        return body.keys() - self.known_keys - seasons


MOVIES = MediaType(
    name="movie",
    noun="films",
    path="movie",
    first_title_id=0,
    appended=(
        "credits", "keywords", "release_dates", "external_ids", "videos", "watch/providers", "translations",
        "alternative_titles",
    ),
    has_seasons=False,
    export="movie_ids",
    export_title="original_title",
    export_flags=("adult", "video"),
    date_key="release_date",
    date_parameter="primary_release_date",
    list_parameters={"include_adult": "false", "include_video": "false"},
    find_key="movie_results",
    parser_version=movies.PARSER_VERSION,
    answer_version=movies.ANSWER_VERSION,
    min_rates=MIN_RATES,
    ages="2 to 30 days old, by release date",
    known_keys=frozenset(related_rows.KNOWN_KEYS),
    read=movies.read_movie,
    read_rows=related_rows.read_related_rows,
)  # fmt: skip
SERIES = MediaType(
    name="series",
    noun="series",
    path="tv",
    first_title_id=IDS_OF_A_TYPE,
    appended=(
        "aggregate_credits", "keywords", "content_ratings", "external_ids", "videos", "watch/providers",
        "translations", "alternative_titles",
    ),
    has_seasons=True,
    export="tv_series_ids",
    export_title="original_name",
    export_flags=(),
    date_key="first_air_date",
    date_parameter="first_air_date",
    list_parameters={"include_adult": "false"},
    find_key="tv_results",
    parser_version=series.PARSER_VERSION,
    answer_version=series.ANSWER_VERSION,
    # A fifth of the episodes have no runtime, and directors belong to episodes.
    min_rates=MIN_RATES | {"runtime_minutes": 0.9, "directors": 0.0},
    ages="a day old while they are aired, 7 days while they rest, 30 days once they have ended",
    known_keys=frozenset(series_rows.KNOWN_KEYS),
    read=series.read_series,
    read_rows=series_rows.read_series_rows,
)  # fmt: skip
ALL = (MOVIES, SERIES)
