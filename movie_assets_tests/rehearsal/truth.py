"""What the pipeline must know at the end of each day: states, reasons, requests, and the rows of the catalogue.

It follows the days as TMDB shows them and remembers which ids were ever listed, which of them an application wants to
keep, and when details were last asked for. docs/reliability.md, The rehearsal, lists the
differences that it allows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from math import ceil
from typing import Any

from movie_assets.emulator.movie import Movie
from movie_assets.emulator.world import ExportRow
from movie_assets_tests.rehearsal import rules
from movie_assets_tests.rehearsal.rows import Key, Values, rows_of
from movie_assets_tests.rehearsal.storylines import Request
from movie_assets_tests.rehearsal.world import RehearsalWorld, line_of

NO_OFFERS: dict[str, Any] = {"results": {}}  # where details were never asked for
Numbers = tuple[float, float, int]  # popularity, average, votes


@dataclass(frozen=True)
class Expected:
    """What has to be known of an id: its state, and the reasons that would be true."""

    state: str
    reasons: frozenset[str] = frozenset()

    def agrees_with(self, state: str, reason: str | None) -> bool:
        """Whether a state is right and its reason true; an accepted movie has none."""
        return state == self.state and (reason in self.reasons if self.reasons else reason is None)


@dataclass
class Truth:
    """The truth of one day after the other; `turn_to` has to be called for each day in its order."""

    world: RehearsalWorld
    votes_days: int  # the age that values of TMDB's lists may reach
    day: date = date.min
    read_on: Mapping[int, date] = field(default_factory=dict)  # when the lists were last read for each film in them
    lines: dict[int, ExportRow] = field(default_factory=dict)  # of the export, as far as it is believed
    known: set[int] = field(default_factory=set)
    kept: set[int] = field(default_factory=set)
    asked_on: dict[int, date] = field(default_factory=dict)
    edited: set[int] = field(default_factory=set)  # named by the change feed since they were asked for
    requested: dict[int, Request] = field(default_factory=dict)
    outcomes: dict[int, Expected] = field(default_factory=dict)  # of requests: the state on the day of the request
    ids: dict[int, Expected] = field(default_factory=dict)
    due: set[int] = field(default_factory=set)  # the ids of the fewest calls for details that the day takes
    accepted: dict[int, Movie] = field(default_factory=dict)  # as TMDB describes them on the day
    tables: dict[str, dict[Key, Values]] = field(default_factory=dict)
    successors: dict[int, int] = field(default_factory=dict)
    held: set[int] = field(default_factory=set)  # ids that an unusual export lacks
    shares_lost: list[float] = field(default_factory=list)  # by the exports; of an unusual one, what the next confirmed
    known_before: int = 0  # how many lines were believed before the last export
    numbers_of_the_morning: dict[int, Numbers] = field(default_factory=dict)  # before details were asked for

    def turn_to(self, day: date, read_on: Mapping[int, date], requests: Iterable[Request]) -> None:
        """Go on to the next day: what the export, the feed, the lists and the day's requests tell."""
        self.day, self.read_on, accepted_before = day, read_on, self.accepted.keys()
        self._read_export()
        self.known |= self.lines.keys()
        self.edited |= {change.tmdb_id for change in self.world.changes(day)}
        self._note_successors()
        self._forget_what_left()
        asked_for = self._take_requests(requests := list(requests))
        self.due = {tmdb_id for tmdb_id in self.lines if self._is_due(tmdb_id)} | asked_for
        self.ids = {tmdb_id: self._expected(tmdb_id) for tmdb_id in self.known}
        self.outcomes |= {tmdb_id: self.ids[tmdb_id] for tmdb_id in map(self._id_in, requests)}
        found = {i: self.world.movie(i, day) for i, expected in self.ids.items() if expected.state == "accepted"}
        self.accepted = {tmdb_id: movie for tmdb_id, movie in found.items() if movie is not None}
        self.numbers_of_the_morning = {i: self.numbers(i) for i in self.accepted.keys() & accepted_before}

    def note_asked(self, tmdb_ids: Iterable[int]) -> None:
        """Note whose details the pipeline did ask for on the day, and which rows follow from all that it knows."""
        for tmdb_id in tmdb_ids:
            self.asked_on[tmdb_id] = self.day
            self.edited.discard(tmdb_id)
        self.tables = {}
        for tmdb_id, movie in self.accepted.items():
            for table, key, values in rows_of(movie, self.day, self.world.known_offers.get(tmdb_id, NO_OFFERS)):
                self.tables.setdefault(table, {})[key] = values

    def listed(self, tmdb_id: int) -> Movie | None:
        """The movie with the votes, average, date and language that the lists had when they were last read for it."""
        movie, read = self.world.movie(tmdb_id, self.day), self.read_on.get(tmdb_id, self.day)
        return movie and _with_listed_values(movie, self.world.movie(tmdb_id, read))

    def as_known(self, tmdb_id: int) -> Movie | None:
        """The movie with those values of the lists or of its details, whichever are newer."""
        movie, read = self.world.movie(tmdb_id, self.day), self.read_on.get(tmdb_id, date.min)
        newest = self.day if tmdb_id in self.due else max(read, self.asked_on.get(tmdb_id, date.min))
        return movie and _with_listed_values(movie, movie if newest == date.min else self.world.movie(tmdb_id, newest))

    def broken_promises(self) -> list[str]:
        """What the reading of the lists does not keep: films that crossed a profile's votes, votes that are too old."""
        broken = [f"the lists' values of {n} are of {read}" for n, read in self.read_on.items()
                  if (self.day - read).days >= self.votes_days]  # fmt: skip
        for tmdb_id, movie in self.world.movies(self.day).items():
            known = self.listed(tmdb_id) if tmdb_id in self.read_on else None
            for votes in rules.VOTES:
                has_votes = rules.is_listed(movie) and movie.vote_count >= votes
                if has_votes != (known is not None and known.vote_count >= votes):
                    broken.append(f"{self.world.named(tmdb_id)} has {movie.vote_count} votes, {votes} matter")
        return broken

    def numbers(self, tmdb_id: int) -> Numbers:
        """Popularity, average and votes of an accepted movie.

        The lists name no movie with fewer votes than every profile asks for: the votes of a kept one are those of the
        day on which its details were last asked for. The same with the popularity of one that the export lacks.
        """
        asked = self.asked_on.get(tmdb_id, self.day)
        then = self.world.movie(tmdb_id, asked)
        votes = self.world.movie(tmdb_id, max(asked, self.read_on.get(tmdb_id, asked)))
        assert votes is not None
        assert then is not None
        line = self.lines.get(tmdb_id)
        popularity = then.popularity if asked == self.day or line is None else line.popularity
        return popularity, votes.vote_average if votes.vote_count else 0.0, votes.vote_count

    def untrue_rules(self, tmdb_id: int, named: Mapping[str, str]) -> dict[str, str]:
        """Of the rules that an id is said to fail, by profile, those that it does not fail on the day."""
        movie, listed = self.as_known(tmdb_id), self.listed(tmdb_id)
        if movie is None or listed is None:
            return {}
        failed = _either(rules.failed_rules(movie, self.day), rules.failed_rules(listed, self.day))
        unlisted = set() if rules.is_listed(movie) else {"vote_count"}
        return {profile: rule for profile, rule in named.items() if rule not in failed.get(profile, set()) | unlisted}

    def _note_successors(self) -> None:
        """A movie whose details we have is followed by the one that took over its IMDb id when it is gone."""
        for heir, tmdb_id in self.world.heirs.items():
            if tmdb_id in self.asked_on and self.world.movie(tmdb_id, self.day) is None:
                self.successors[tmdb_id] = heir

    def _read_export(self) -> None:
        """Believe the day's lines; ids that an unusual export lacks keep theirs until the next one lacks them, too."""
        listed = self.world.listed(self.day)
        # An id that no export names yet is accepted on the day of its request: the next export lacks it.
        before = {tmdb_id: line_of(movie) for tmdb_id, movie in self.accepted.items()} | self.lines
        lost = before.keys() - listed.keys() - self.held
        confirmed, known = self.held - listed.keys(), len(self.lines)
        is_unusual = self._is_unusual(len(lost))
        if confirmed:
            self.shares_lost.append(len(confirmed) / self.known_before)
        if known and not is_unusual:
            self.shares_lost.append(len(lost) / known)
        self.held, self.known_before = lost if is_unusual else set(), known
        self.lines = listed | {tmdb_id: before[tmdb_id] for tmdb_id in self.held}

    def _is_unusual(self, lost: int) -> bool:
        """Whether an export lacks more than three ids, 0.1 % and five times the usual share of the ids before."""
        if not self.lines:
            return False
        usual = sorted([0.0, 0.0, 0.0, *self.shares_lost[-7:]])[-3]  # three of seven lost as much
        return lost > max(3, ceil(len(self.lines) * max(0.001, 5 * usual)))

    def _forget_what_left(self) -> None:
        """An id that left the export is asked for again when it returns."""
        for tmdb_id in self.known - self.lines.keys():
            self.asked_on.pop(tmdb_id, None)

    def _id_in(self, request: Request) -> int:
        return request.tmdb_id if request.kind is None else self.world.ids_of(request.kind)[0]

    def _take_requests(self, requests: Iterable[Request]) -> set[int]:
        """Take in the day's requests; give the ids that have to be asked for because of them.

        An id that the export marked as adult, video or softcore the day before is answered without a call, and so is
        one whose details we have and would not fetch again yet.
        """
        asked_for: set[int] = set()
        for request in requests:
            tmdb_id = self._id_in(request)
            self.requested[tmdb_id] = request
            self.known.add(tmdb_id)
            if tmdb_id in self.lines and _flags(self.lines[tmdb_id]):
                continue
            if request.keep:
                self.kept.add(tmdb_id)
            if tmdb_id not in self.asked_on or self._is_outdated(tmdb_id):
                asked_for.add(tmdb_id)
        return asked_for

    def _is_due(self, tmdb_id: int) -> bool:
        line, movie = self.lines[tmdb_id], self.world.movie(tmdb_id, self.day)
        is_kept = tmdb_id in self.kept
        if _flags(line) or (line.popularity < rules.MIN_POPULARITY and not is_kept):
            return False
        was_accepted = tmdb_id in self.ids and self.ids[tmdb_id].state == "accepted"
        if movie is None:  # the export still has the id of a deleted movie: the feed names it, and one call confirms it
            return was_accepted and tmdb_id in self.edited
        if was_accepted and not rules.is_listed(movie) and self._was_listed(tmdb_id):
            return True  # lists may miss 1 %: one call tells whether its votes fell
        listed, known = self.listed(tmdb_id), self._stored(tmdb_id)
        passes = known is not None and rules.passes(known, self.day, is_kept=is_kept)
        is_worth_a_call = listed is not None and rules.is_worth_a_call(listed, self.day)
        if not (is_kept or passes or is_worth_a_call):
            return False
        if tmdb_id not in self.asked_on or tmdb_id in self.edited:
            return True
        return passes and self._is_outdated(tmdb_id)

    def _stored(self, tmdb_id: int) -> Movie | None:
        """The movie as its details had it when they were asked for, with newer values of the lists."""
        asked = self.asked_on.get(tmdb_id)
        then = None if asked is None else self.world.movie(tmdb_id, asked)
        if asked is None or then is None:
            return None
        return _with_listed_values(then, self.world.movie(tmdb_id, max(asked, self.read_on.get(tmdb_id, asked))))

    def _is_outdated(self, tmdb_id: int) -> bool:
        """Whether the details of an accepted movie would be fetched again, for an edit or for their age."""
        movie = self.world.movie(tmdb_id, self.day)
        if movie is None or tmdb_id in self.edited:
            return True
        age = self.day - self.asked_on[tmdb_id]
        return age >= timedelta(days=rules.days_a_copy_may_be_old(movie, self.day))

    def _was_listed(self, tmdb_id: int) -> bool:
        return rules.is_listed(self.world.movie(tmdb_id, self.day - timedelta(days=1)))

    def _expected(self, tmdb_id: int) -> Expected:
        line, movie, listed = self.lines.get(tmdb_id), self.as_known(tmdb_id), self.listed(tmdb_id)
        is_kept, is_asked = tmdb_id in self.kept, tmdb_id in self.due
        if line is None and (movie is None or not is_asked):  # TMDB's response is newer than its export
            return Expected("gone", frozenset({"left_export"} | ({"not_found"} if movie is None else set())))
        if movie is None and (is_asked or self.ids[tmdb_id].state == "gone"):
            return Expected("gone", frozenset({"not_found", *(["left_export"] if tmdb_id in self.held else [])}))
        if movie is None or listed is None:  # nobody knows yet
            return Expected(self.ids[tmdb_id].state, self.ids[tmdb_id].reasons | {"vote_count"})
        reasons = _flags(line) if line is not None else set()
        if line is not None and line.popularity < rules.MIN_POPULARITY and not is_kept:
            reasons.add("popularity")
        if not reasons and rules.passes(movie, self.day, is_kept=is_kept):
            return Expected("accepted")
        failed = _either(rules.failed_rules(movie, self.day), rules.failed_rules(listed, self.day)).values()
        reasons = reasons | set().union(*failed)
        if not movie.release_date:
            reasons.add("vote_count")  # no list names it
        return Expected("rejected", frozenset(reasons))


def _flags(line: ExportRow) -> set[str]:
    return {flag for flag in rules.FLAGS if getattr(line, flag)}


def _with_listed_values(movie: Movie, other: Movie | None) -> Movie:
    return movie if other is None else replace(movie, **{name: getattr(other, name) for name in rules.LISTED})


def _either(some: Mapping[str, set[str]], others: Mapping[str, set[str]]) -> dict[str, set[str]]:
    return {profile: rules_of | others[profile] for profile, rules_of in some.items()}
