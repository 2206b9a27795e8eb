"""What goes wrong in a soak: which troubles there are, and which of them a day gets.

How they are struck is in `strikes`; what a fault of the stand-in does is in its table of faults.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Strike = Literal["kill the run", "restart Postgres", "end our sessions"]
ALL_DAY = 99  # tries
JOBS = ("read_the_day", "fetch_details", "embed_texts", "publish")
MOST_A_DAY = 2


@dataclass(frozen=True)
class Trouble:
    """One thing that goes wrong during a job, for so many of its tries; `job` None leaves it to chance."""

    name: str
    job: str | None
    faults: Mapping[str, float] = field(default_factory=dict)  # of the stand-in, rate by name
    tries: int = 1
    strike: Strike | None = None
    is_without_changes: bool = False  # TMDB's change feed answers 503

    @property
    def lasts_all_day(self) -> bool:
        """Whether no try of this day can succeed."""
        return self.tries == ALL_DAY and (self.is_without_changes or max(self.faults.values(), default=0) == 1.0)


# Rates are those at which a job still ends: a client that is told to wait at one call in ten waits for minutes.
TROUBLES = (
    Trouble("429s", "fetch_details", {"429s": 0.01, "429none": 0.005}, ALL_DAY),
    Trouble("5xx", "fetch_details", {"503": 0.06, "502html": 0.02, "500": 0.02}, ALL_DAY),
    Trouble("resets", "fetch_details", {"reset_head": 0.03, "reset_body": 0.03, "fin_chunk": 0.02}, ALL_DAY),
    Trouble("stalled bodies", "fetch_details", {"timeout_body": 0.004, "timeout_head": 0.002}, ALL_DAY),
    Trouble("cut bodies", "fetch_details", {"json_cut": 0.03, "fin_body": 0.03, "gz_trunc": 0.02}, ALL_DAY),
    Trouble("another film's details", "fetch_details", {"wrong_id": 0.02}, ALL_DAY),
    Trouble("TMDB is away", "fetch_details", {"503": 1.0}),
    Trouble("5xx in the lists", "read_the_day", {"503": 0.05, "504": 0.05}, ALL_DAY),
    Trouble("the export is late", "read_the_day", {"export_missing": 1.0}),
    Trouble("the export is damaged", "read_the_day", {"export_corrupt": 1.0}),
    Trouble("lines of the export are cut", "read_the_day", {"export_corrupt_lines": 1.0}),
    Trouble("half of the export", "read_the_day", {"export_half": 1.0}, ALL_DAY),
    Trouble("no change feed", "read_the_day", tries=ALL_DAY, is_without_changes=True),
    Trouble("embeddings are away", "embed_texts", {"oa_500": 1.0}),
    Trouble("429s of embeddings", "embed_texts", {"oa_429rate": 0.2}, ALL_DAY),
    Trouble("spoilt vectors", "embed_texts", {"oa_nan": 0.1, "oa_short": 0.1, "oa_shuffled": 0.2}, ALL_DAY),
    Trouble("a run is killed", None, strike="kill the run"),
    Trouble("Postgres is restarted", None, strike="restart Postgres"),
    Trouble("our sessions are ended", None, strike="end our sessions"),
)


def dealt(chance: random.Random, days: int, calm: int) -> list[list[Trouble]]:
    """The troubles of each day: dealt like cards, so that all come before one comes again; the last days are calm.

    A day has two at most, and not two in the same job.
    """
    cards = _cards(chance)
    plan = []
    for _ in range(max(0, days - calm)):
        wanted = chance.choice((1, 1, MOST_A_DAY))
        today: list[Trouble] = []
        while len(today) < wanted:
            card = next(cards)
            if all(card.job != other.job for other in today):
                today.append(card)
        plan.append(today)
    return plan + [[] for _ in range(days - len(plan))]


def _cards(chance: random.Random) -> Iterator[Trouble]:
    while True:
        for trouble in chance.sample(TROUBLES, len(TROUBLES)):
            yield trouble if trouble.job else _at(trouble, chance.choice(JOBS))


def _at(trouble: Trouble, job: str) -> Trouble:
    return Trouble(f"{trouble.name} in {job}", job, trouble.faults, trouble.tries, trouble.strike)


def faults_of(troubles: Sequence[Trouble], attempt: int) -> dict[str, float]:
    """What the stand-in is to do wrong during a try, counted from 1."""
    return {name: rate for trouble in troubles if attempt <= trouble.tries for name, rate in trouble.faults.items()}
