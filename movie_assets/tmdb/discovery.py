"""Reading TMDB's list of all films with enough votes, day after day, in as few calls as show what joined and left it.

A day reads some slices of the list whole (`list_slices.slices_due`) and the most popular films. Of each other slice it
reads the first page by number of votes, for each number of votes that a profile asks for, and the whole slice when the
page does not explain the slice's total.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from movie_assets.tmdb import list_slices
from movie_assets.tmdb.client import TmdbClient
from movie_assets.tmdb.list_slices import KnownMovie, Slice
from movie_assets.tmdb.lists import discover, first_by_votes, most_popular, together
from movie_assets.tmdb.media import MOVIES, MediaType
from movie_assets.tmdb.responses import ListedMovie

SLICES_AT_ONCE = 5
PROBES_AT_ONCE = 20  # the connections of a session


class Probe(NamedTuple):
    """Neighbouring slices whose first page is read, the votes that are asked for, and how many films it never shows."""

    votes: int
    slices: Sequence[Slice]
    unshown: int


@dataclass(frozen=True)
class Wanted:
    """Which titles are listed: release dates, both included, and the votes of each profile in ascending order.

    `max_age_days` is the age that votes may reach; at 1 the whole list is read.
    """

    first: date
    last: date
    votes: Sequence[int]
    max_age_days: int
    media: MediaType = MOVIES


@dataclass
class Reading:
    """What a day read of the list, over what was known before."""

    as_of: datetime
    slices: list[Slice]  # as they are known so far; `finish` replaces those that were read whole
    media: MediaType = MOVIES
    votes: dict[int, int] = field(default_factory=dict)  # of known films
    homes: dict[int, date | None] = field(default_factory=dict)  # the first day of each known film's slice
    members: defaultdict[date | None, set[int]] = field(default_factory=lambda: defaultdict(set))  # the same by slice
    movies: dict[int, ListedMovie] = field(default_factory=dict)  # read today
    walked: dict[date, tuple[Sequence[ListedMovie], int]] = field(default_factory=dict)  # of slices: films, `unshown`
    kept: frozenset[date] = frozenset()  # the first days of the slices that were not read whole
    probed: int = 0
    unexplained: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether the list has no film."""
        return not self.movies and not any(self.members[since] for since in self.kept)

    @property
    def figures(self) -> dict[str, int]:
        """Counts as metadata: films read today; slices in all, read whole, and not explained; first pages read."""
        return {
            "films_read": len(self.movies),
            "slices": len(self.slices),
            "slices_read_whole": len(self.slices) - len(self.kept),
            "slices_probed": self.probed,
            "slices_unexplained": self.unexplained,
        }

    def note(self, tmdb_id: int, vote_count: int, home: date | None) -> None:
        """Note the votes of a film and the first day of its slice; None if that is not known."""
        self.votes[tmdb_id] = vote_count
        if home is not None or tmdb_id not in self.homes:
            self.members[self.homes.get(tmdb_id)].discard(tmdb_id)
            self.members[home].add(tmdb_id)
            self.homes[tmdb_id] = home

    def note_read(self, movies: Sequence[ListedMovie], home: date | None) -> None:
        """Note films that were read today."""
        for movie in movies:
            self.movies[movie.tmdb_id] = movie
            self.note(movie.tmdb_id, movie.vote_count, home)

    def note_walk(self, each: Slice, movies: Sequence[ListedMovie], unshown: int) -> None:
        """Note a slice that was read whole: its known films that were not on its pages have left it."""
        self.note_read(movies, each.since)
        left = self.members[each.since] - {movie.tmdb_id for movie in movies}
        self.members[each.since] -= left
        self.members[None] |= left
        self.homes |= dict.fromkeys(left)
        self.walked[each.since] = movies, unshown

    def known(self, votes: int, slices: Sequence[Slice]) -> dict[int, int]:
        """Return the votes of the known films of slices that have at least so many."""
        films = (tmdb_id for each in slices for tmdb_id in self.members[each.since])
        return {tmdb_id: self.votes[tmdb_id] for tmdb_id in films if self.votes[tmdb_id] >= votes}

    def films_by_slice(self, votes: int) -> dict[date, int]:
        """Return the number of known films of each slice that have at least so many votes."""
        return {each.since: len(self.known(votes, [each])) for each in self.slices}

    def finish(self) -> None:
        """Replace the slices that were read whole, cut where they grew."""
        slices: list[Slice] = []
        self.kept = frozenset(each.since for each in self.slices) - self.walked.keys()
        for each in self.slices:
            if each.since not in self.walked:
                slices.append(each)
                continue
            movies, unshown = self.walked[each.since]
            ranges = list_slices.cut(each.since, each.until, movies)
            for movie in movies:
                if self.homes[movie.tmdb_id] == each.since:
                    self.homes[movie.tmdb_id] = list_slices.slice_of(movie, ranges)
            kept = unshown if len(ranges) == 1 else 0
            slices += [Slice(since, until, kept, self.as_of) for since, until in ranges]
        self.slices = slices


async def read_lists(
    client: TmdbClient, wanted: Wanted, slices: Sequence[Slice], known: Sequence[KnownMovie], as_of: datetime
) -> Reading:
    """Read the list for a day. `slices` and `known` are of the days before; without slices the whole list is read.

    Raises TmdbUnavailableError when pages of a slice do not have as many films as TMDB reports.
    """
    reading = Reading(as_of, list_slices.extended(slices, wanted.first, wanted.last), wanted.media)
    for film in known:
        reading.note(film.tmdb_id, film.vote_count, film.slice)
    least = wanted.votes[0]
    films = reading.films_by_slice(least)
    due = list_slices.slices_due(reading.slices, films, as_of.date(), wanted.max_age_days)
    # A film that left could hide one that joined in the total of its slice.
    due |= {film.slice for film in known if film.is_gone and film.slice in films}
    if wanted.max_age_days > 1 and list_slices.saves_calls(reading.slices, films, due):
        await _walk(client, reading, least, due)
        popular = await most_popular(
            client, wanted.first, reading.slices[-1].until, least, list_slices.POPULAR_PAGES, wanted.media
        )
        reading.note_read(popular, None)
        await _walk(client, reading, least, await _unexplained(client, reading, wanted.votes))
    else:
        await _walk_everything(client, reading, wanted)
    reading.finish()
    return reading


async def _walk_everything(client: TmdbClient, reading: Reading, wanted: Wanted) -> None:
    last = max([wanted.last, *(each.until for each in reading.slices)])
    whole = Slice(wanted.first, last, 0, reading.as_of)
    movies, unshown = await discover(client, whole.since, whole.until, wanted.votes[0], wanted.media)
    reading.slices = [whole]
    reading.note_walk(whole, movies, unshown)


async def _walk(client: TmdbClient, reading: Reading, votes: int, since: set[date]) -> None:
    """Read the slices whole that begin on some days."""
    slices = [each for each in reading.slices if each.since in since]
    for start in range(0, len(slices), SLICES_AT_ONCE):
        chunk = slices[start : start + SLICES_AT_ONCE]
        walks = await together(
            discover(client, s.since, s.until, votes, reading.media, usually_unshown=s.unshown) for s in chunk
        )
        for each, (movies, unshown) in zip(chunk, walks, strict=True):
            reading.note_walk(each, movies, unshown)


async def _unexplained(client: TmdbClient, reading: Reading, votes: Sequence[int]) -> set[date]:
    """Return the first days of the slices that have to be read whole to learn what joined and left them.

    Where a profile asks for more votes than the least of all profiles, slices are probed in groups, and an unexplained
    group in halves.
    """
    found: set[date] = set()
    probes = [Probe(votes[0], [each], each.unshown) for each in reading.slices if each.since not in reading.walked]
    for more in votes[1:]:
        joined = list_slices.groups(reading.slices, reading.films_by_slice(more), reading.walked.keys())
        probes += [Probe(more, group, 0) for group in joined]
    while probes:
        explained: list[bool] = []
        for start in range(0, len(probes), PROBES_AT_ONCE):
            chunk = probes[start : start + PROBES_AT_ONCE]
            explained += await together(_is_explained(client, reading, probe) for probe in chunk)
        halves: list[Probe] = []
        for probe, is_explained in zip(probes, explained, strict=True):
            middle = len(probe.slices) // 2
            if not is_explained and middle:
                halves += [probe._replace(slices=half) for half in (probe.slices[:middle], probe.slices[middle:])]
            elif not is_explained:
                found.add(probe.slices[0].since)
        read = found | reading.walked.keys()
        probes = [probe for probe in halves if not read.issuperset(each.since for each in probe.slices)]
    reading.unexplained = len(found)
    return found


async def _is_explained(client: TmdbClient, reading: Reading, probe: Probe) -> bool:
    """Read the first page of some slices by number of votes; return whether it explains their total."""
    first, last = probe.slices[0], probe.slices[-1]
    movies, total = await first_by_votes(client, first.since, last.until, probe.votes, reading.media)
    known = reading.known(probe.votes, probe.slices)
    is_explained = list_slices.is_explained(movies, total - probe.unshown, known, reading.movies.keys(), probe.votes)
    reading.probed += 1
    reading.note_read(movies, first.since if first is last else None)
    return is_explained
