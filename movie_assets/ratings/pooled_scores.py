"""Scores from several sources, with an interval: calibrated, weighted by votes, shrunk towards a prior.

The quality of films is normally distributed. A source's average is that quality on the source's own scale, plus the
disagreement of sources about a film, plus the sampling error of its votes. This is a random-effects meta-analysis
(DerSimonian and Laird, Controlled Clinical Trials 7, 1986) with an empirical Bayes prior (Morris, JASA 78, 1983).
METHOD_VERSION is stored with every score; a change of the arithmetic needs a new one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

METHOD_VERSION = "pooled-sources-v2"
REFERENCE = "tmdb"  # the source whose scale the scores have; it rates every film
# Standard deviation of one vote about its film's average, on 0-100: ml-latest-small has 0.92 on 0.5-5.
VOTE_DEVIATION = 20.5
# Standard deviation of a source's error about one film that more votes do not reduce. On 490 films of ml-latest-small
# with at least 20 ratings, against TMDB's averages with at least 50 votes: 2.0; from 50 ratings 1.9, from 100 1.8.
DISAGREEMENT = 2.0
PRIOR_DEVIATION = 7.0  # standard deviation of the films' quality; from the same 490 films
MIN_MATCHED = 30  # films that two sources share, or that are rated at all, for anything to be estimated from them
MIN_VOTES = 50  # of a film at both sources, for it to be used in an estimate
MAX_SLOPE = 2.0  # a source whose scale would have to be stretched more measures something else
MIN_DISAGREEMENT = 0.5  # no number of votes makes a film's quality known exactly
MIN_PRIOR_DEVIATION = 1.0
STEPS = 60  # of a bisection: the last interval is below 1e-13 of the first
Z_95 = 1.96

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """The map from a source's scale (0-100) to the reference's: shift + slope * value."""

    shift: float = 0.0
    slope: float = 1.0
    films: int = 0  # that it was estimated from; 0 if there were too few


@dataclass(frozen=True)
class Model:
    """The parameters that were estimated from the ratings, or assumed if these are too few."""

    calibrations: Mapping[str, Calibration]
    disagreement: float
    prior_mean: float
    prior_deviation: float

    @property
    def prior_votes(self) -> float:
        """Return the weight of the prior as a number of the reference's votes."""
        return (VOTE_DEVIATION / self.prior_deviation) ** 2

    def as_parameters(self) -> dict[str, object]:
        """Return the parameters as JSON, as they are stored beside the scores."""
        return {
            "reference": REFERENCE,
            "vote_deviation": VOTE_DEVIATION,
            "disagreement": self.disagreement,
            "prior_mean": self.prior_mean,
            "prior_deviation": self.prior_deviation,
            "prior_votes": self.prior_votes,
            "calibrations": {name: vars(c) for name, c in self.calibrations.items()},
        }


def usable(ratings: "pd.DataFrame") -> "pd.DataFrame":
    """Return the valid ratings: a finite value on 0-100 from at least one vote."""
    return ratings[ratings["value"].between(0, 100) & ratings["votes"].between(1, np.iinfo(np.int64).max)]


def matched(ratings: "pd.DataFrame", source: str, reference: str = REFERENCE) -> "pd.DataFrame":
    """Return the films with MIN_VOTES votes at both sources: title_id, value, votes, value_ref, votes_ref."""
    known = ratings[ratings["votes"] >= MIN_VOTES]
    of_source = known.loc[known["source"] == source, ["title_id", "value", "votes"]]
    of_reference = known.loc[known["source"] == reference, ["title_id", "value", "votes"]]
    return of_source.merge(of_reference, on="title_id", suffixes=("", "_ref"))


def calibration_of(pairs: "pd.DataFrame") -> Calibration:
    """Return the map that brings a source to the reference's mean and spread over the films of `pairs` (see `matched`).

    Linear equating (Kolen and Brennan, Test Equating, Scaling, and Linking, 3rd ed., chapter 2): unlike a regression it
    is the same in both directions. The sampling variance of the votes is subtracted from both variances.
    """
    if len(pairs) < MIN_MATCHED:
        return Calibration()
    spread = pairs["value"].var() - VOTE_DEVIATION**2 * (1 / pairs["votes"]).mean()
    spread_ref = pairs["value_ref"].var() - VOTE_DEVIATION**2 * (1 / pairs["votes_ref"]).mean()
    slope = (spread_ref / spread) ** 0.5 if spread > 0 and spread_ref > 0 else 1.0
    slope = min(max(slope, 1 / MAX_SLOPE), MAX_SLOPE)
    return Calibration(float(pairs["value_ref"].mean() - slope * pairs["value"].mean()), float(slope), len(pairs))


def calibrate(ratings: "pd.DataFrame") -> tuple[dict[str, Calibration], float]:
    """Return the calibration of each source, and the disagreement of sources about one film (a standard deviation).

    The squared disagreement is half the mean squared difference to the reference, less the sampling variance of the
    votes: each of the two sources contributes one half.
    """
    calibrations, squares, films = {}, 0.0, 0
    for source in sorted(ratings["source"].unique()):
        pairs = matched(ratings, source)
        calibrations[source] = calibration = calibration_of(pairs) if source != REFERENCE else Calibration()
        if calibration.films:
            error = pairs["value_ref"] - calibration.shift - calibration.slope * pairs["value"]
            sampling = VOTE_DEVIATION**2 * (1 / pairs["votes_ref"] + calibration.slope**2 / pairs["votes"])
            squares += float((error**2 - sampling).sum())
            films += calibration.films
    disagreement = max(squares / films / 2, MIN_DISAGREEMENT**2) ** 0.5 if films else DISAGREEMENT
    return calibrations, disagreement


def prior_of(means: Values, variances: Values) -> tuple[float, float]:
    """Return mean and standard deviation of the films' quality, from the averages and variances of the films.

    The deviation is that of Paule and Mandel (J. Res. NBS 87, 1982), under which the weighted squares of the averages
    equal their expectation. The mean is weighted by it.
    """

    def mean_under(variance: float) -> float:
        return float(np.average(means, weights=1 / (variance + variances)))

    def scatters_more(variance: float) -> bool:
        errors = means - mean_under(variance)
        return bool((errors**2 / (variance + variances)).sum() > len(means) - 1)

    variance = PRIOR_DEVIATION**2
    if len(means) >= MIN_MATCHED:
        low, high = MIN_PRIOR_DEVIATION**2, 100.0**2
        for _ in range(STEPS):
            middle = (low + high) / 2
            low, high = (middle, high) if scatters_more(middle) else (low, middle)
        variance = low
    return mean_under(variance), variance**0.5


def pooled_scores(ratings: "pd.DataFrame") -> "tuple[pd.DataFrame, Model]":
    """Score each film that a source has votes for.

    `ratings` has title_id, source, value (0-100) and votes, a row for each film and source. Returns title_id, votes,
    score, score_low, score_high (0-100; 95 % of the posterior) and the posterior's variance; and the model.
    """
    import pandas as pd

    ratings = usable(ratings)
    calibrations, disagreement = calibrate(ratings)
    scaled = on_common_scale(ratings, calibrations)
    slopes = ratings["source"].map({name: c.slope for name, c in calibrations.items()}).astype(float)
    weight = 1 / (disagreement**2 + (slopes * VOTE_DEVIATION) ** 2 / ratings["votes"])
    parts = pd.DataFrame(
        {"title_id": ratings["title_id"], "votes": ratings["votes"], "weight": weight, "sum": weight * scaled}
    )
    films = parts.groupby("title_id", sort=True).sum()
    if films.empty:
        model = Model(calibrations, disagreement, 0.0, PRIOR_DEVIATION)
    else:
        means = (films["sum"] / films["weight"]).to_numpy(float)
        model = Model(calibrations, disagreement, *prior_of(means, 1 / films["weight"].to_numpy(float)))
    precision = films["weight"] + model.prior_deviation**-2
    score = (films["sum"] + model.prior_mean * model.prior_deviation**-2) / precision
    margin = Z_95 * precision**-0.5
    columns = {
        "votes": films["votes"].astype("int64"),
        "score": score,
        "score_low": (score - margin).clip(lower=0),
        "score_high": (score + margin).clip(upper=100),
        "variance": 1 / precision,
    }
    return pd.DataFrame(columns).reset_index(), model


def on_common_scale(ratings: "pd.DataFrame", calibrations: Mapping[str, Calibration]) -> "pd.Series[float]":
    """Return each rating on the reference's scale, 0-100."""
    shift = ratings["source"].map({name: c.shift for name, c in calibrations.items()}).astype(float)
    slope = ratings["source"].map({name: c.slope for name, c in calibrations.items()}).astype(float)
    return (shift + slope * ratings["value"]).clip(0, 100)


def pooled_groups(scores: "pd.DataFrame", membership: "pd.DataFrame") -> "pd.DataFrame":
    """Score groups of films: the mean of their films' scores, with a 95 % interval.

    The variance within a group is estimated from all groups of its scope (one-way random effects; Searle, Casella and
    McCulloch, Variance Components, 1992, section 3.6), so that a group of three films with equal scores gets no narrow
    interval. The films' own variances are added. Arguments and result as in `ratings.scores.group_scores`; `scores` has
    the column variance, too.
    """
    joined = membership.merge(scores[["title_id", "votes", "score", "variance"]], on="title_id")
    by_group = joined.groupby(["scope", "key"], sort=True)
    joined["error"] = (joined["score"] - by_group["score"].transform("mean")) ** 2
    groups = by_group.agg(
        films=("title_id", "size"), votes=("votes", "sum"), score=("score", "mean"), variance=("variance", "mean")
    )
    scope = groups.index.get_level_values("scope")
    degrees = joined.groupby("scope").size() - groups.groupby("scope").size()  # of freedom
    within = joined.groupby("scope")["error"].sum() / degrees.where(degrees > 0)
    overall = float(scores["score"].var()) if len(scores) > 1 else 0.0  # for scopes of which no group has two films
    within_scope = within.fillna(overall).reindex(scope).to_numpy(float)
    margin = Z_95 * ((within_scope + groups["variance"]) / groups["films"]) ** 0.5
    groups["score_low"] = (groups["score"] - margin).clip(lower=0)
    groups["score_high"] = (groups["score"] + margin).clip(upper=100)
    return groups.reset_index()[["scope", "key", "films", "votes", "score", "score_low", "score_high"]]


class FilmSource(TypedDict):
    """A source's score of a film on the reference's scale, its value on 0-100 on its own scale, and its votes."""

    score: float
    value: float
    votes: int


class GroupSource(TypedDict):
    """How many films of a group a source rates, and with how many votes."""

    films: int
    votes: int


def film_sources(ratings: "pd.DataFrame", calibrations: Mapping[str, Calibration]) -> dict[int, dict[str, FilmSource]]:
    """Return the ratings of each film by source, as they are stored beside its score."""
    ratings = usable(ratings)
    by_film: dict[int, dict[str, FilmSource]] = {}
    rows = zip(
        ratings["title_id"].tolist(), ratings["source"].tolist(), on_common_scale(ratings, calibrations).tolist(),
        ratings["value"].tolist(), ratings["votes"].tolist(), strict=True,
    )  # fmt: skip
    for title_id, source, score, value, votes in rows:
        by_film.setdefault(title_id, {})[source] = {"score": round(score, 4), "value": round(value, 4), "votes": votes}
    return by_film


def group_sources(ratings: "pd.DataFrame", membership: "pd.DataFrame") -> dict[tuple[str, str], dict[str, GroupSource]]:
    """Return the films and votes of each group (scope and key) by source, as they are stored beside its score."""
    joined = membership.merge(usable(ratings), on="title_id")
    counts = joined.groupby(["scope", "key", "source"])["votes"].agg(["size", "sum"])
    by_group: dict[tuple[str, str], dict[str, GroupSource]] = {}
    for (scope, key, source), films, votes in zip(
        counts.index.tolist(), counts["size"].tolist(), counts["sum"].tolist(), strict=True
    ):
        by_group.setdefault((scope, key), {})[source] = {"films": films, "votes": votes}
    return by_group
