"""How often the 95 % interval of a film's score holds its true quality, where the model is right and where it is not.

Qualities and votes are drawn by the model of `ratings.pooled_scores` or against one of its assumptions, and scored by
its own function; the share of intervals that hold the quality is counted. Needs no database and a minute.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from tables import in_rounds, parser_of, print_section, write_figures

from movie_assets.ratings.pooled_scores import DISAGREEMENT, PRIOR_DEVIATION, VOTE_DEVIATION, pooled_scores

USUAL = 65.0  # the mean of the films' qualities
SOURCES = ("tmdb", "imdb", "movielens")


@dataclass(frozen=True)
class World:
    """How ratings come about: `shared` is the part of a source's disagreement that it has in common with the others."""

    what: str
    sources: int = 1
    disagreement: float = DISAGREEMENT
    shared: float = 0.0
    vote_deviation: float = VOTE_DEVIATION


WORLDS = (
    World("one source, as modelled"),
    World("one source, which disagrees by 3.5 points, not the 2.0 assumed", disagreement=3.5),
    World("one source, whose votes deviate by 30 points, not 20.5", vote_deviation=30.0),
    World("two sources, as modelled", 2),
    World("three sources, as modelled", 3),
    World("three sources that disagree by 3.5 points, which is estimated", 3, disagreement=3.5),
    World("two sources that disagree by 3.5 points, half of its variance in common", 2, 3.5, 0.5),
    World("three sources that disagree by 3.5 points, half of its variance in common", 3, 3.5, 0.5),
    World("three sources that disagree by 3.5 points, nine tenths of its variance in common", 3, 3.5, 0.9),
)


def drawn(world: World, films: int, chance: np.random.Generator) -> tuple[pd.DataFrame, Any]:
    """Draw ratings of films, and the qualities that they come from."""
    quality = chance.normal(USUAL, PRIOR_DEVIATION, films)
    in_common = chance.normal(0, world.disagreement * world.shared**0.5, films)
    parts = []
    for source in SOURCES[: world.sources]:
        votes = (10 ** chance.uniform(1, 4.5, films)).astype(int)
        own = chance.normal(0, world.disagreement * (1 - world.shared) ** 0.5, films)
        value = quality + in_common + own + chance.normal(0, 1, films) * world.vote_deviation / votes**0.5
        parts.append(pd.DataFrame({"title_id": range(films), "source": source, "value": value, "votes": votes}))
    return pd.concat(parts, ignore_index=True), quality


def coverage(world: World, films: int, chance: np.random.Generator) -> dict[str, Any]:
    """Score the films of a world; return the share of intervals that hold, and their mean width."""
    ratings, quality = drawn(world, films, chance)
    scores, model = pooled_scores(ratings)
    true = quality[scores["title_id"]]
    holds = (scores["score_low"] <= true) & (true <= scores["score_high"])
    return {
        "world": world.what,
        "intervals_that_hold": round(float(holds.mean()), 3),
        "mean_width": round(float((scores["score_high"] - scores["score_low"]).mean()), 1),
        "disagreement_taken": round(model.disagreement, 1),
    }


def main() -> None:
    """Measure, print the tables and write the figures."""
    parser = parser_of(__doc__)
    parser.add_argument("--films", type=int, default=20_000)
    options = parser.parse_args()
    chance = np.random.default_rng(1)
    found, kept = in_rounds(options.rounds, lambda: [coverage(world, options.films, chance) for world in WORLDS])
    configuration = (
        f"{options.films:,} films of made-up quality (mean {USUAL:g}, deviation {PRIOR_DEVIATION:g} of 100), 10 to "
        f"30,000 votes at each source, scored by `pooled_scores`; medians of {options.rounds} rounds."
    )
    print_section("Intervals of scores", configuration, found)
    write_figures(options.json, kept)


if __name__ == "__main__":
    main()
