"""Scores from TMDB's votes alone: averages shrunk towards the mean of all films, with an interval.

Both films and groups of films have scores. METHOD_VERSION is stored with every score; a change of the arithmetic needs
a new one.
"""

import pandas as pd

METHOD_VERSION = "shrunk-mean-v1"
SCALE = 10.0  # TMDB's votes are 0-10, scores 0-100
PRIOR_VOTES = 100  # weight of the prior in votes: the number of votes that the default profile requires
# Standard deviation of one vote on 0-10. MovieLens ratings have 1.04 on 0.5-5 (ml-latest-small), so 2.1.
VOTE_DEVIATION = 2.1
Z_95 = 1.96
MIN_FILMS = 3  # of a person: a mean of fewer describes the films rather than the person


def film_scores(films: pd.DataFrame) -> pd.DataFrame:
    """Score each film that has votes.

    `films` has tmdb_id, vote_average (0-10) and vote_count. The score is the posterior mean of a normal model
    with known vote deviation and a prior at the vote-weighted mean of all films, weighing PRIOR_VOTES votes
    (Gelman et al., Bayesian Data Analysis, 3rd ed., section 2.5); the interval holds 95 % of the posterior.
    Returns tmdb_id, votes, score, score_low, score_high on 0-100.
    """
    rated = films[films["vote_count"] > 0]
    votes = rated["vote_count"]
    prior = (rated["vote_average"] * votes).sum() / votes.sum() if len(rated) else 0.0
    weight = votes + PRIOR_VOTES
    score = (rated["vote_average"] * votes + prior * PRIOR_VOTES) / weight
    margin = Z_95 * VOTE_DEVIATION / weight**0.5
    return pd.DataFrame(
        {
            "tmdb_id": rated["tmdb_id"],
            "votes": votes,
            "score": score * SCALE,
            "score_low": (score - margin).clip(lower=0) * SCALE,
            "score_high": (score + margin).clip(upper=10) * SCALE,
        }
    )


def group_scores(scores: pd.DataFrame, membership: pd.DataFrame) -> pd.DataFrame:
    """Score groups of films: the mean of their films' scores, with a 95 % interval of that mean.

    `membership` has tmdb_id, scope and key, a row for each film in each group. A group of one film has that
    film's interval. Returns scope, key, films, votes, score, score_low, score_high.
    """
    joined = membership.merge(scores, on="tmdb_id")
    groups = joined.groupby(["scope", "key"], sort=True).agg(
        films=("tmdb_id", "size"),
        votes=("votes", "sum"),
        score=("score", "mean"),
        deviation=("score", "std"),
        low=("score_low", "min"),
        high=("score_high", "max"),
    )
    margin = Z_95 * groups["deviation"] / groups["films"] ** 0.5
    alone = groups["films"] == 1
    groups["score_low"] = (groups["score"] - margin).clip(lower=0).where(~alone, groups["low"])
    groups["score_high"] = (groups["score"] + margin).clip(upper=100).where(~alone, groups["high"])
    return groups.reset_index()[["scope", "key", "films", "votes", "score", "score_low", "score_high"]]


def membership_of(films: pd.DataFrame, people: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the groups of each film: genres, year, decade, language, countries, collection, people.

    `films` has tmdb_id, genres and countries (lists), release_year, original_language and collection_id, which may be
    missing; `people` has tmdb_id and person_id. Returns tmdb_id, scope and key, each once.
    """
    ids = films["tmdb_id"]
    year = films["release_year"].astype("Int64")
    parts = {
        "genre": films[["tmdb_id", "genres"]].explode("genres").rename(columns={"genres": "key"}),
        "year": pd.DataFrame({"tmdb_id": ids, "key": year.astype("string")}),
        "decade": pd.DataFrame({"tmdb_id": ids, "key": (year // 10 * 10).astype("string") + "s"}),
        "language": films[["tmdb_id", "original_language"]].rename(columns={"original_language": "key"}),
        "country": films[["tmdb_id", "countries"]].explode("countries").rename(columns={"countries": "key"}),
        "collection": pd.DataFrame({"tmdb_id": ids, "key": films["collection_id"].astype("Int64").astype("string")}),
    }
    if people is not None:
        parts["person"] = pd.DataFrame({"tmdb_id": people["tmdb_id"], "key": people["person_id"].astype("string")})
    whole = pd.concat([part.dropna().assign(scope=scope) for scope, part in parts.items()], ignore_index=True)
    return whole.drop_duplicates()


def large_enough(groups: pd.DataFrame) -> pd.DataFrame:
    """Return the groups without the people who have fewer than MIN_FILMS films."""
    return groups[(groups["scope"] != "person") | (groups["films"] >= MIN_FILMS)]
