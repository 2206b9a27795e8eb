"""A day's catalogue beside the truth: what is missing, beyond the truth, or wrong, table by table."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sqlalchemy as sa

from movie_assets.embeddings.hashing import hashed_vectors
from movie_assets_tests.ratings.independent_scores import SourceRating, expected_scores
from movie_assets_tests.rehearsal.rows import MOVIES, TABLES, Table, titles_of
from movie_assets_tests.rehearsal.truth import Truth

MAX_EXAMPLES = 12
HALF_PRECISION = 1e-3  # of a component of a stored vector


@dataclass
class Differences:
    """What differs from the truth, counted; `examples` names some of it."""

    missing: int = 0  # movies
    beyond: int = 0  # movies
    wrong: int = 0  # fields, and rows of other tables
    states: int = 0
    requests: int = 0
    leftovers: int = 0  # rows of shared tables that no accepted movie names
    examples: list[str] = field(default_factory=list)

    @property
    def are_none(self) -> bool:
        """Whether the catalogue is the truth."""
        return not (self.missing or self.beyond or self.wrong or self.states or self.requests)

    def tell(self, example: str) -> None:
        """Keep an example, if there are few yet."""
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(example[:400])


@dataclass
class Comparison:
    """Compares a database with the truth of its day."""

    connection: sa.Connection
    truth: Truth
    found: Differences = field(default_factory=Differences)
    apart: set[int] = field(default_factory=set)  # movies that are missing, or beyond the truth

    def of_everything(self) -> Differences:
        """Compare all tables that come from TMDB, and what is made from them."""
        self._movies_and_related_rows()
        self._numbers()
        self._history()
        self._vectors()
        self._documents()
        self._scores()
        self._states()
        self._requests()
        self._successors()
        return self.found

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.connection.exec_driver_sql(query)]

    def _compare(self, name: str, found: Mapping[Any, Any], expected: Mapping[Any, Any]) -> None:
        """Count the movies whose rows are missing, beyond the truth or wrong; whole movies are counted apart."""
        for tmdb_id in sorted((expected.keys() | found.keys()) - self.apart):
            if found.get(tmdb_id) != expected.get(tmdb_id):
                self.found.wrong += 1
                self.found.tell(f"{name} of {tmdb_id} is {found.get(tmdb_id)}, not {expected.get(tmdb_id)}")

    def _movies_and_related_rows(self) -> None:
        accepted = self.truth.accepted.keys()
        stored = {row[0] for row in self._rows("select tmdb_id from catalog.movies")}
        self.apart = accepted ^ stored
        self.found.missing, self.found.beyond = len(accepted - stored), len(stored - accepted)
        for tmdb_id in sorted(self.apart):
            what = "missing" if tmdb_id in accepted else "beyond the truth"
            self.found.tell(f"movie {self.truth.world.named(tmdb_id)} is {what}")
        for table in TABLES:
            self._table(table)

    def _table(self, table: Table) -> None:
        rows = self._rows(f"select {', '.join((*table.key, *table.values))} from catalog.{table.name}")
        found = {row[: len(table.key)]: row[len(table.key) :] for row in rows}
        expected = self.truth.tables.get(table.name, {})
        if table.is_shared:
            self.found.leftovers += len(found.keys() - expected.keys())
        for key in sorted(expected.keys() if table.is_shared else expected.keys() | found.keys()):
            if not table.is_shared and key[0] in self.apart:
                continue
            is_now, should_be = found.get(key), expected.get(key)
            if is_now is None or should_be is None:
                self.found.wrong += 1
                self.found.tell(f"{table.name} {key} is {is_now}, not {should_be}")
                continue
            for column, value, right in zip(table.values, is_now, should_be, strict=True):
                if value != right:
                    self.found.wrong += 1
                    self.found.tell(f"{table.name}.{column} of {key} is {value!r}, not {right!r}")

    def _numbers(self) -> None:
        rows = self._rows("select tmdb_id, popularity, vote_average, vote_count from catalog.movie_stats")
        found = {row[0]: row[1:] for row in rows}
        expected = {tmdb_id: self.truth.numbers(tmdb_id) for tmdb_id in self.truth.accepted}
        for tmdb_id in self.truth.held & found.keys() & expected.keys():  # of a day ago by the export, or from details
            popularities = self.truth.lines[tmdb_id].popularity, self.truth.accepted[tmdb_id].popularity
            if found[tmdb_id][0] in popularities:
                expected[tmdb_id] = (found[tmdb_id][0], *expected[tmdb_id][1:])
        self._compare("movie_stats", found, expected)

    def _history(self) -> None:
        """The newest row of each movie that was accepted the day before, too, has the numbers of the day."""
        rows = self._rows(
            "select distinct on (tmdb_id) tmdb_id, popularity, vote_average, vote_count "
            "from catalog.movie_stats_history order by tmdb_id, day desc"
        )
        newest = {row[0]: row[1:] for row in rows}
        expected = self.truth.numbers_of_the_morning
        self._compare("movie_stats_history", {i: newest[i] for i in expected.keys() & newest.keys()}, expected)

    def _vectors(self) -> None:
        rows = self._rows("select tmdb_id, text_hash, embedding::real[] from catalog.movie_vectors")
        texts = {key[0]: values[-2:] for key, values in self.truth.tables.get(MOVIES.name, {}).items()}
        self._compare("movie_vectors", {row[0]: row[1] for row in rows}, {i: each[1] for i, each in texts.items()})
        stored = {row[0]: np.asarray(row[2]) for row in rows if row[0] in texts}
        if not stored:
            return
        width = len(next(iter(stored.values())))
        wanted = hashed_vectors([texts[tmdb_id][0] for tmdb_id in stored], width)
        for (tmdb_id, vector), right in zip(stored.items(), wanted, strict=True):
            if not np.allclose(vector, right, atol=HALF_PRECISION):
                self.found.wrong += 1
                self.found.tell(f"the vector of {tmdb_id} is not that of its text")

    def _documents(self) -> None:
        """Each movie has one document, with each word of its title, and all of its names."""
        accepted = self.truth.accepted
        rows = self._rows("select tmdb_id from catalog.search_documents")
        self._compare("search_documents", {row[0]: True for row in rows}, dict.fromkeys(accepted, True))
        names: dict[int, set[str]] = {}
        for tmdb_id, name in self._rows("select tmdb_id, name from catalog.movie_names"):
            names.setdefault(tmdb_id, set()).add(_folded(name))
        expected = {i: {_folded(title) for title in titles_of(movie)} for i, movie in accepted.items()}
        self._compare("movie_names", names, expected)

    def _scores(self) -> None:
        """Each score depends on all movies: they are compared where no movie is missing or beyond the truth."""
        if self.apart:
            return
        numbers = {tmdb_id: self.truth.numbers(tmdb_id) for tmdb_id in self.truth.accepted}
        source_ratings = [
            SourceRating(i, "tmdb", average * 10, votes) for i, (_, average, votes) in numbers.items() if votes
        ]
        scores = expected_scores(source_ratings)
        expected = {i: (scores.votes[i], *_rounded(scores.score[i], *scores.bounds(i))) for i in scores.score}
        rows = self._rows("select tmdb_id, votes, score, score_low, score_high from catalog.film_scores")
        self._compare("film_scores", {row[0]: (row[1], *_rounded(*row[2:])) for row in rows}, expected)

    def _states(self) -> None:
        rows = self._rows("select tmdb_id, state, reason, failed_rules from pipeline.movie_ids")
        found = {row[0]: row[1:] for row in rows}
        for tmdb_id in sorted(self.truth.ids.keys() | found.keys()):
            expected, (state, reason, failed) = self.truth.ids.get(tmdb_id), found.get(tmdb_id, (None, None, None))
            if expected is None or not expected.agrees_with(state, reason):
                self.found.states += 1
                self.found.tell(
                    f"id {self.truth.world.named(tmdb_id)} is {state} {reason or ''}, not "
                    + (f"{expected.state} {sorted(expected.reasons)}" if expected else "known")
                )
            elif state != "gone" and failed and (untrue := self.truth.untrue_rules(tmdb_id, failed)):
                self.found.states += 1
                self.found.tell(f"id {self.truth.world.named(tmdb_id)} has the failed rules {untrue}, and does not")
        for broken in self.truth.broken_promises():
            self.found.states += 1
            self.found.tell(broken)
        ((kept,),) = self._rows("select kept from pipeline.funnel order by step desc limit 1")
        if kept != len(self.truth.accepted):
            self.found.states += 1
            self.found.tell(f"pipeline.funnel ends with {kept} movies, not {len(self.truth.accepted)}")

    def _requests(self) -> None:
        rows = self._rows("select tmdb_id, served_at, outcome from pipeline.requested_ids")
        for tmdb_id, served_at, outcome in rows:
            expected = self.truth.outcomes[tmdb_id]
            state, _, reason = (outcome or "").partition(": ")
            if served_at is None or not expected.agrees_with(state, reason or None):
                request = self.truth.requested[tmdb_id]
                self.found.requests += 1
                self.found.tell(
                    f"the request for {tmdb_id} ({request.kind or 'unknown to TMDB'}) of day {request.day} ended in "
                    f"{outcome!r}, not in {expected.state} {sorted(expected.reasons)}"
                )

    def _successors(self) -> None:
        rows = self._rows("select tmdb_id, successor_id from catalog.successors")
        self._compare("successors", dict(rows), self.truth.successors)


def _folded(title: str) -> str:
    """A title without case, accents and punctuation."""
    plain = unicodedata.normalize("NFKD", title.casefold())
    return "".join(letter for letter in plain if letter.isalnum())


def _rounded(*values: float) -> tuple[float, ...]:
    return tuple(round(value, 6) for value in values)
