"""A second implementation of the method `pooled-sources-v2` in plain Python, to compare stored scores with.

It shares no code with `ratings.pooled_scores`, and no pandas or numpy; constants are written out.
"""

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

VOTE = 20.5**2


class SourceRating(NamedTuple):
    """A rating of a film by a source: the value on 0-100, and its votes."""

    tmdb_id: int
    source: str
    value: float
    votes: int


@dataclass
class Expected:
    """The parameters and scores that the method computes from ratings."""

    calibrations: dict[str, tuple[float, float]] = field(default_factory=dict)  # shift, slope
    disagreement: float = 2.0
    prior_mean: float = 0.0
    prior_deviation: float = 7.0
    votes: dict[int, int] = field(default_factory=dict)
    score: dict[int, float] = field(default_factory=dict)
    deviation: dict[int, float] = field(default_factory=dict)

    def bounds(self, tmdb_id: int) -> tuple[float, float]:
        """Return the lower and upper end of the interval of a film."""
        margin = 1.96 * self.deviation[tmdb_id]
        return max(0.0, self.score[tmdb_id] - margin), min(100.0, self.score[tmdb_id] + margin)


def expected_scores(ratings: Iterable[SourceRating]) -> Expected:
    """Compute the scores from valid ratings."""
    ratings = list(ratings)
    expected = Expected()
    at = {(r.tmdb_id, r.source): r for r in ratings}
    sources = sorted({r.source for r in ratings})
    squares, compared = 0.0, 0
    for source in sources:
        pairs = [
            (r, at[r.tmdb_id, "tmdb"]) for r in ratings
            if r.source == source and r.votes >= 50 and (r.tmdb_id, "tmdb") in at and at[r.tmdb_id, "tmdb"].votes >= 50
        ]  # fmt: skip
        if source == "tmdb" or len(pairs) < 30:
            expected.calibrations[source] = (0.0, 1.0)
            continue
        ours, theirs = [a for a, _ in pairs], [b for _, b in pairs]
        slope = 1.0
        true_ours, true_theirs = _true_variance(ours), _true_variance(theirs)
        if true_ours > 0 and true_theirs > 0:
            slope = min(2.0, max(0.5, math.sqrt(true_theirs / true_ours)))
        shift = statistics.fmean(b.value for b in theirs) - slope * statistics.fmean(a.value for a in ours)
        expected.calibrations[source] = (shift, slope)
        for a, b in pairs:
            squares += (b.value - shift - slope * a.value) ** 2 - VOTE / b.votes - slope**2 * VOTE / a.votes
        compared += len(pairs)
    if compared:
        expected.disagreement = math.sqrt(max(0.25, squares / compared / 2))
    _combine(expected, ratings)
    return expected


def _true_variance(ratings: Sequence[SourceRating]) -> float:
    return statistics.variance(r.value for r in ratings) - VOTE * statistics.fmean(1 / r.votes for r in ratings)


def _combine(expected: Expected, ratings: Sequence[SourceRating]) -> None:
    weights: dict[int, float] = defaultdict(float)
    sums: dict[int, float] = defaultdict(float)
    votes: dict[int, int] = defaultdict(int)
    for r in ratings:
        shift, slope = expected.calibrations[r.source]
        weight = 1 / (expected.disagreement**2 + slope**2 * VOTE / r.votes)
        weights[r.tmdb_id] += weight
        sums[r.tmdb_id] += weight * min(100.0, max(0.0, shift + slope * r.value))
        votes[r.tmdb_id] += r.votes
    means = {film: sums[film] / weights[film] for film in weights}
    if not means:
        return
    if len(means) >= 30:
        expected.prior_deviation = math.sqrt(_paule_mandel(means, weights))
    prior = expected.prior_deviation**2
    expected.prior_mean = _mean_under(prior, means, weights)
    for film, weight in weights.items():
        precision = weight + 1 / prior
        expected.score[film] = (sums[film] + expected.prior_mean / prior) / precision
        expected.deviation[film] = 1 / math.sqrt(precision)
        expected.votes[film] = votes[film]


def _mean_under(variance: float, means: Mapping[int, float], weights: Mapping[int, float]) -> float:
    shares = {film: 1 / (variance + 1 / weights[film]) for film in means}
    return math.fsum(shares[film] * means[film] for film in means) / math.fsum(shares.values())


def _paule_mandel(means: Mapping[int, float], weights: Mapping[int, float]) -> float:
    """The variance under which the means scatter as much as expected, by Paule and Mandel's own steps of Newton."""
    variance = 0.0
    for _ in range(200):
        middle = _mean_under(variance, means, weights)
        off = {film: (mean - middle) ** 2 for film, mean in means.items()}
        share = {film: 1 / (variance + 1 / weights[film]) for film in means}
        excess = math.fsum(share[film] * off[film] for film in means) - (len(means) - 1)
        if excess <= 0 and variance == 0.0:
            break
        variance += excess / math.fsum(share[film] ** 2 * off[film] for film in means)
        if abs(excess) < 1e-11:
            break
    return max(1.0, variance)


def expected_group(
    expected: Expected, group: Sequence[int], scope: Iterable[Sequence[int]]
) -> tuple[int, int, float, float, float]:
    """Return films, votes, score and interval of a group; `scope` has all groups of its scope."""
    groups = [[expected.score[film] for film in films if film in expected.score] for films in scope]
    squares = math.fsum((s - statistics.fmean(scores)) ** 2 for scores in groups if scores for s in scores)
    spare = sum(len(scores) - 1 for scores in groups if scores)
    films = [film for film in group if film in expected.score]
    everywhere = statistics.variance(expected.score.values()) if len(expected.score) > 1 else 0.0
    differ = squares / spare if spare else everywhere
    score = statistics.fmean(expected.score[film] for film in films)
    unsure = statistics.fmean(expected.deviation[film] ** 2 for film in films)
    margin = 1.96 * math.sqrt((differ + unsure) / len(films))
    votes = sum(expected.votes[film] for film in films)
    return len(films), votes, score, max(0.0, score - margin), min(100.0, score + margin)
