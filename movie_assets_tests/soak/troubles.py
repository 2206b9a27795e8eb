"""What goes wrong in a soak: which troubles there are, and which of them a day gets.

How they are struck is in `strikes`; what a fault of the emulator does is in its table of faults.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

Strike = Literal["kill the run", "restart Postgres", "end our sessions"]
ALL_DAY = 99  # tries
JOBS = ("read_the_day", "fetch_details", "embed_texts", "publish")
MAX_A_DAY = 2
CALM_AT_THE_END = 2  # days


@dataclass(frozen=True)
class ErrorClass:
    """One thing that goes wrong during a job, for so many of its tries; `job` None leaves it to chance."""

    name: str
    job: str | None
    faults: Mapping[str, float] = field(default_factory=dict)  # of the emulator, rate by name
    tries: int = 1
    strike: Strike | None = None
    is_without_changes: bool = False  # TMDB's change feed answers 503

    @property
    def lasts_all_day(self) -> bool:
        """Whether no try of this day can succeed."""
        return self.tries == ALL_DAY and (self.is_without_changes or max(self.faults.values(), default=0) == 1.0)


# Rates are those at which a job still ends: a client that is told to wait at one call in ten waits for minutes. A day
# has two or three requests for vectors, so of those nearly every one is struck.
TROUBLES = (
    ErrorClass("429s", "fetch_details", {"429s": 0.01, "429none": 0.005}, ALL_DAY),
    ErrorClass("5xx", "fetch_details", {"503": 0.06, "502html": 0.02, "500": 0.02}, ALL_DAY),
    ErrorClass("resets", "fetch_details", {"reset_head": 0.03, "reset_body": 0.03, "fin_chunk": 0.02}, ALL_DAY),
    ErrorClass("stalled bodies", "fetch_details", {"timeout_body": 0.004, "timeout_head": 0.002}, ALL_DAY),
    ErrorClass("cut bodies", "fetch_details", {"json_cut": 0.03, "fin_body": 0.03, "gz_trunc": 0.02}, ALL_DAY),
    ErrorClass("another film's details", "fetch_details", {"wrong_id": 0.02}, ALL_DAY),
    ErrorClass("TMDB is away", "fetch_details", {"503": 1.0}),
    ErrorClass("5xx of the lists", "read_the_day", {"503": 0.05, "504": 0.05}, ALL_DAY),
    ErrorClass("the export is late", "read_the_day", {"export_missing": 1.0}),
    ErrorClass("the export is damaged", "read_the_day", {"export_corrupt": 1.0}),
    ErrorClass("lines of the export are cut", "read_the_day", {"export_corrupt_lines": 1.0}),
    ErrorClass("half of the export", "read_the_day", {"export_half": 1.0}, ALL_DAY),
    ErrorClass("no change feed", "read_the_day", tries=ALL_DAY, is_without_changes=True),
    ErrorClass("embeddings are away", "embed_texts", {"oa_500": 1.0}),
    ErrorClass("429s of embeddings", "embed_texts", {"oa_429rate": 0.6}, ALL_DAY),
    ErrorClass("spoilt vectors", "embed_texts", {"oa_short": 0.3, "oa_shuffled": 0.5, "oa_nan": 1.0}),
    ErrorClass("a run is killed", None, strike="kill the run"),
    ErrorClass("Postgres is restarted", None, strike="restart Postgres"),
    ErrorClass("our sessions are ended", None, strike="end our sessions"),
)


def dealt(chance: random.Random, days: int) -> list[list[ErrorClass]]:
    """The troubles of each day: dealt like cards, so that all come before one comes again.

    A day has two at most, and not two in the same job. The first is calm, as an export is believed by the one before
    it; the last two are, as what the troubles left behind is made up for by then.
    """
    deck: list[ErrorClass] = []
    plan: list[list[ErrorClass]] = [[]]
    for _ in range(max(0, days - 1 - CALM_AT_THE_END)):
        wanted = chance.choice((1, 1, 1, MAX_A_DAY))
        today: list[ErrorClass] = []
        for _ in range(wanted):
            if not (fitting := _fitting(deck, today)):
                deck += _shuffled(chance)
                fitting = _fitting(deck, today)
            today.append(fitting[0])
            deck.remove(fitting[0])
        plan.append(today)
    return plan + [[] for _ in range(days - len(plan))]


def _fitting(deck: Sequence[ErrorClass], today: Sequence[ErrorClass]) -> list[ErrorClass]:
    """Cards for a job that has no trouble yet."""
    return [card for card in deck if all(card.job != other.job for other in today)]


def _shuffled(chance: random.Random) -> list[ErrorClass]:
    """Every trouble once; those without a job get one."""
    cards = chance.sample(TROUBLES, len(TROUBLES))
    return [card if card.job else _at(card, chance.choice(JOBS)) for card in cards]


def _at(error_class: ErrorClass, job: str) -> ErrorClass:
    return replace(error_class, name=f"{error_class.name} in {job}", job=job)


def kind_of(name: str) -> str:
    """A trouble's name without the job that it was dealt to."""
    return name.partition(" in ")[0]


def faults_of(troubles: Sequence[ErrorClass], attempt: int) -> dict[str, float]:
    """What the emulator is to do wrong during a try, counted from 1."""
    return {
        name: rate
        for error_class in troubles
        if attempt <= error_class.tries
        for name, rate in error_class.faults.items()
    }
