"""Which parts of TMDB's list of films a day reads whole, and whether the first page of a part explains the rest.

The list is cut into slices by release date. Pure functions; `tmdb.discovery` makes the calls.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from movie_assets.tmdb.responses import ListedMovie

PAGE_SIZE = 20  # of /discover
FILMS_OF_A_SLICE = 160  # fewer films cost more first pages, more films cost more pages where one does not explain them
POPULAR_PAGES = 50  # the 1,000 most popular films are read each day
NEW_FOR = timedelta(days=90)  # films released so recently are read each day


class Slice(NamedTuple):
    """A range of release dates, both included.

    `unshown` is by how many the total that TMDB reports for the slice exceeded the films on its pages when it was last
    read whole, at `walked_at`.
    """

    since: date
    until: date
    unshown: int
    walked_at: datetime


class KnownMovie(NamedTuple):
    """A movie of the list as it was last read; `slice` is the first day of its slice, None if it is not known.

    `is_gone` says that TMDB has deleted the movie since.
    """

    tmdb_id: int
    vote_count: int
    slice: date | None
    is_gone: bool = False


def extended(slices: Sequence[Slice], first: date, last: date) -> list[Slice]:
    """Return the slices, the last one up to `last`; none when they do not cover all days from `first` on."""
    day, covered = timedelta(days=1), sorted(slices)
    if not covered or covered[0].since != first or any(a.until + day != b.since for a, b in pairwise(covered)):
        return []
    return [*covered[:-1], covered[-1]._replace(until=max(last, covered[-1].until))]


def slices_due(slices: Sequence[Slice], films: Mapping[date, int], today: date, max_age_days: int) -> set[date]:
    """Return the first days of the slices to read whole, of which `films` has the number of films.

    They are those with new releases, those that were read `max_age_days` ago, and as many of the others, the oldest
    first, as it takes to read an equal share of the films on each day. Times in the future count as old.
    """
    ages = {each.since: abs((today - each.walked_at.date()).days) for each in slices}
    due = {each.since for each in slices if each.since <= today and each.until >= today - NEW_FOR}
    others = sorted((each for each in slices if each.since not in due), key=lambda each: (each.walked_at, each.since))
    share = ceil(sum(films.get(each.since, 0) for each in others) / max_age_days)
    read = sum(films.get(each.since, 0) for each in others if ages[each.since] == 0)
    for each in others:
        if ages[each.since] >= max_age_days or (read < share and ages[each.since] > 0):
            due.add(each.since)
            read += films.get(each.since, 0)
    return due


def saves_calls(slices: Sequence[Slice], films: Mapping[date, int], due: Collection[date]) -> bool:
    """Return whether reading only some slices whole takes fewer calls than reading all films."""
    total = sum(films.values())
    walked = sum(max(1, _pages(films.get(since, 0))) for since in due)
    popular = min(POPULAR_PAGES, _pages(total))
    return walked + popular + len(slices) - len(due) < _pages(total)


def groups(slices: Sequence[Slice], films: Mapping[date, int], walked: Collection[date]) -> list[list[Slice]]:
    """Join neighbouring slices to groups with as many films as a slice; leave out those that are read whole."""
    joined: list[list[Slice]] = [[]]
    count = 0
    for each in slices:
        if count >= FILMS_OF_A_SLICE:
            joined.append([])
            count = 0
        joined[-1].append(each)
        count += films.get(each.since, 0)
    return [group for group in joined if any(each.since not in walked for each in group)]


def is_explained(
    page: Sequence[ListedMovie], total: int, known: Mapping[int, int], read: Collection[int], min_votes: int
) -> bool:
    """Return whether nothing joined or left a list but what its first page by number of votes shows.

    `known` has the votes of the films that were in the list before, `read` films whose votes are of today. The total
    has to be that of the known films and of the new ones on the page. A film that left and a new one with many votes
    would cancel out in it, so no known film may lack on the page that has few votes; the page does not show a film that
    gained so many votes that it is not among the first any more, and this is left open too.
    """
    shown = {movie.tmdb_id: movie.vote_count for movie in page}
    if total != len(known.keys() | shown.keys()):
        return False
    few = (min_votes + max(shown.values(), default=min_votes)) / 2
    return not any(votes < few for n, votes in known.items() if n not in shown and n not in read)


def cut(since: date, until: date, movies: Iterable[ListedMovie]) -> list[tuple[date, date]]:
    """Cut a range into slices with about equally many of its movies; a range with few stays one."""
    days = sorted(movie.release_date for movie in movies if movie.release_date is not None)
    count = round(len(days) / FILMS_OF_A_SLICE) if len(days) > 1.5 * FILMS_OF_A_SLICE else 1
    starts = {days[number * len(days) // count] for number in range(1, count)}
    borders = [since, *sorted(day for day in starts if since < day <= until)]
    ends = [*(day - timedelta(days=1) for day in borders[1:]), until]
    return list(zip(borders, ends, strict=True))


def slice_of(movie: ListedMovie, ranges: Sequence[tuple[date, date]]) -> date | None:
    """Return the first day of the range in which a movie is listed; None for a movie in none of several."""
    if len(ranges) == 1:
        return ranges[0][0]
    if movie.release_date is None or not ranges[0][0] <= movie.release_date <= ranges[-1][1]:
        return None
    return ranges[bisect_right([since for since, _ in ranges], movie.release_date) - 1][0]


def _pages(films: int) -> int:
    return -(-films // PAGE_SIZE)
