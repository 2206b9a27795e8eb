"""MovieLens: reduce millions of single ratings to one average per film, in constant memory.

links.csv maps MovieLens movies to TMDB ids. Some movies have no TMDB id. Several movies may have the same one; their
ratings are counted together.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from movie_assets.ratings.file_formats import FileCounts, Rating, UnreadableFileError
from movie_assets.tmdb.export_lines import LARGEST_ID

if TYPE_CHECKING:
    import pandas as pd

SCALE = (0.5, 5.0)
LINK_COLUMNS = ("movieId", "tmdbId")
RATING_COLUMNS = ("movieId", "rating")
NO_MOVIE = 0
MAX_SAMPLES = 100  # of the rejected lines of a chunk


@dataclass(frozen=True)
class Links:
    """The TMDB id of each MovieLens movie: two arrays of the same length, movies ascending; NO_MOVIE without an id."""

    movies: npt.NDArray[np.int64]
    films: npt.NDArray[np.int64]

    @property
    def without_film(self) -> list[int]:
        """Return the ids of the movies that have no TMDB id."""
        movies: list[int] = self.movies[self.films == NO_MOVIE].tolist()
        return movies

    @property
    def same_film(self) -> dict[int, list[int]]:
        """Return the TMDB ids that several movies have, with the ids of those movies."""
        by_tmdb_id: dict[int, list[int]] = defaultdict(list)
        for movie, title_id in zip(self.movies.tolist(), self.films.tolist(), strict=True):
            if title_id != NO_MOVIE:
                by_tmdb_id[title_id].append(movie)
        return {title_id: movies for title_id, movies in by_tmdb_id.items() if len(movies) > 1}


def read_links(frame: "pd.DataFrame", counts: FileCounts) -> Links:
    """Read links.csv. The first line of a movie counts; lines with invalid ids are rejected.

    Raises UnreadableFileError when a column or every line is missing.
    """
    import pandas as pd

    _require_columns(frame, LINK_COLUMNS, "links.csv")
    movies, films = _numbers(frame["movieId"]), _numbers(frame["tmdbId"])
    is_movie = _is_id(movies)
    is_given = frame["tmdbId"].notna()
    is_film = _is_id(films)
    _reject(frame, ~is_movie, "bad_movie_id", counts)
    _reject(frame, is_movie & is_given & ~is_film, "bad_id", counts)
    known = pd.DataFrame({"movie": movies, "film": films.where(is_film, NO_MOVIE)})[is_movie].astype("int64")
    known = known.drop_duplicates("movie").sort_values("movie")
    if known.empty:
        raise UnreadableFileError("its links.csv has no line that could be read")
    return Links(known["movie"].to_numpy(), known["film"].to_numpy())


class RatingSums:
    """The sum and number of the ratings of each movie in `links`, filled chunk by chunk."""

    def __init__(self, links: Links) -> None:
        self.links = links
        self.sums = np.zeros(len(links.movies))
        self.votes = np.zeros(len(links.movies), np.int64)

    def add(self, chunk: "pd.DataFrame", counts: FileCounts) -> None:
        """Add a chunk of ratings.csv. Invalid lines are rejected; ratings of movies without a TMDB id are unmatched.

        Raises UnreadableFileError when a column is missing.
        """
        _require_columns(chunk, RATING_COLUMNS, "ratings.csv")
        movies, values = _numbers(chunk["movieId"]), _numbers(chunk["rating"])
        is_movie, is_value = _is_id(movies), values.between(*SCALE)
        place = np.searchsorted(self.links.movies, movies.where(is_movie, 0).to_numpy(np.int64))
        place = np.minimum(place, len(self.links.movies) - 1)
        is_linked = self.links.movies[place] == movies.to_numpy()
        for reason, is_bad in (
            ("bad_movie_id", ~is_movie),
            ("bad_value", is_movie & ~is_value),
            ("no_link", is_movie & is_value & ~is_linked),
        ):
            _reject(chunk, is_bad, reason, counts)
        good = (is_movie & is_value & is_linked).to_numpy()
        place, accepted = place[good], values.to_numpy(np.float64)[good]
        size = len(self.links.movies)
        self.sums += np.bincount(place, accepted, size)
        self.votes += np.bincount(place, minlength=size)
        counts.lines += len(accepted)
        counts.unmatched += int((self.links.films[place] == NO_MOVIE).sum())

    def ratings(self, seen_at: datetime) -> Iterator[Rating]:
        """Yield the average and votes of each film. Movies with the same TMDB id are merged, weighted by votes."""
        import pandas as pd

        frame = pd.DataFrame({"film": self.links.films, "sum": self.sums, "votes": self.votes})
        films = frame[(frame["film"] != NO_MOVIE) & (frame["votes"] > 0)].groupby("film").sum()
        averages = (films["sum"] / films["votes"]).clip(*SCALE)  # a sum of millions may be off in the last digit
        for line, (title_id, value, votes) in enumerate(
            zip(films.index.tolist(), averages.tolist(), films["votes"].astype("int64").tolist(), strict=True), start=1
        ):
            yield Rating(line, title_id, "movielens", SCALE, value, votes, seen_at)


def _require_columns(frame: "pd.DataFrame", columns: tuple[str, ...], name: str) -> None:
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise UnreadableFileError(f"its {name} must name its columns in the first line; there is no {missing[0]}")


def _numbers(column: "pd.Series[Any]") -> "pd.Series[float]":
    """Convert a column to numbers; NaN for a cell that is none. A numeric column is returned as it is."""
    import pandas as pd

    if column.dtype.kind in "iuf":
        return column
    return pd.to_numeric(column.astype("string"), errors="coerce").astype("float64")


def _is_id(numbers: "pd.Series[float]") -> "pd.Series[bool]":
    return numbers.between(1, LARGEST_ID) & (numbers % 1 == 0)


def _reject(lines: "pd.DataFrame", is_bad: "pd.Series[bool]", reason: str, counts: FileCounts) -> None:
    """Count the bad lines of a chunk as rejected, the first MAX_SAMPLES with a sample."""
    import pandas as pd

    bad = lines[is_bad]
    for cells in bad.head(MAX_SAMPLES).itertuples(index=False):
        counts.reject(reason, ",".join("" if pd.isna(cell) else str(cell) for cell in cells))
    counts.rejected += max(0, len(bad) - MAX_SAMPLES)
