"""What is still to be sent to an embeddings endpoint, and what an answer changes in it.

Sending is `openai_stream`. A refusal halves requests, cuts texts, leaves parameters out, waits, or ends the run, as
`embeddings.refusals` says.
"""

import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from movie_assets.embeddings.embedder import RejectedInput
from movie_assets.embeddings.refusals import MAX_PAUSES, Refusal
from movie_assets.embeddings.server_limits import Parameters, Server
from movie_assets.embeddings.shortening import MAX_CUTS, Texts
from movie_assets.embeddings.vectors import Sorted
from movie_assets.http_client.backoff import backoff

MAX_FAILURES = 20  # answers without a vector in a row, splitting included, after which the service counts as down


@dataclass(frozen=True)
class Work:
    """Texts that one request asks for, by position."""

    positions: tuple[int, ...]
    attempts: int = 0  # that failed …
    not_before: float = 0.0
    proof: int = -1  # … the first of them when so many answers had been good
    cuts: int = 0  # times that its one text was shortened
    trial: Parameters | None = None  # sent with these, to learn whether others are to blame
    is_last: bool = False  # its one text was refused and is tried once more after the others

    def halves(self) -> "list[Work]":
        """Both halves, in the order of the texts."""
        middle = len(self.positions) // 2
        return [replace(self, positions=half) for half in (self.positions[:middle], self.positions[middle:])]


class Queue:
    """Works that wait, and the state of the service as its answers tell it."""

    def __init__(self, texts: Texts, server: Server, works: Sequence[Work]) -> None:
        self.texts, self.server = texts, server
        self.waiting = deque(works)
        self.paused_until = 0.0
        self.good_answers = 0
        self.stopped: str | None = None
        self._pauses = self._failures = 0  # in a row

    def parameters_of(self, work: Work) -> Parameters:
        """The optional parameters that a work is sent with."""
        return work.trial or self.server.parameters

    def put_in_place_of(self, index: int, works: Sequence[Work]) -> None:
        """Replace a waiting work by parts of it."""
        del self.waiting[index]
        for work in reversed(works):
            self.waiting.insert(index, work)

    def good(self, work: Work, sent: Parameters, found: Sorted, model: str | None) -> list[RejectedInput]:
        """Learn from vectors; tells the texts that got none for good."""
        accepted = [work.positions[n] for n in found.positions]
        if accepted:
            self.good_answers += 1
            self._failures = self._pauses = 0
            self.server.accepted(len(work.positions), sent, model)
            self.texts.accepted(accepted)
        else:
            self._failed("no vector of an answer is usable")
        again = [work.positions[n] for n in found.flawed]
        if again and not work.attempts:
            self.waiting.appendleft(Work(tuple(again), attempts=1))
            return []
        return [RejectedInput(work.positions[n], why, why.replace("_", " ")) for n, why in found.flawed.items()]

    def refused(self, work: Work, sent: Parameters, refusal: Refusal) -> list[RejectedInput]:
        """Do what a refusal asks for; tells the text that is to blame if it is found."""
        if refusal.action == "stop" and work.trial and refusal.kind == "dimensions":
            # The vectors of a request without the parameter have another width: it was not to blame.
            self.waiting.appendleft(replace(work, trial=None))
        elif refusal.action == "stop":
            self.stop(self.server.width_problem(refusal) if refusal.kind == "dimensions" else refusal.problem)
        elif refusal.action == "pause":
            self._pause(work, refusal)
        elif refusal.action == "omit":
            self._omit(work, sent, refusal)
        else:
            self._failed(refusal.problem)
            return self._done_about(work, refusal)
        return []

    def stop(self, why: str) -> None:
        """Send nothing more; what is in flight is paid for and still received. The first reason counts."""
        self.stopped = self.stopped or why

    def _done_about(self, work: Work, refusal: Refusal) -> list[RejectedInput]:
        proof = self.good_answers if work.proof < 0 else work.proof
        tried = replace(work, attempts=work.attempts + 1, proof=proof, not_before=0.0)
        match refusal.action:
            case "fewer" if len(work.positions) > 1:
                self.server.refused_size(
                    refusal, len(work.positions), sum(self.texts.tokens[n] for n in work.positions)
                )
                self.waiting.appendleft(replace(tried, attempts=work.attempts))
            case "fewer" | "shorten":
                return self._shorten(tried, refusal)
            case "suspect":
                return self._suspect(tried, refusal)
            case "doubt" if tried.attempts == 1:
                self.waiting.appendleft(tried)
            case "again":
                return self._again(tried, refusal)
            case _:
                return self._split(tried, refusal)
        return []

    def _again(self, work: Work, refusal: Refusal) -> list[RejectedInput]:
        if max(work.attempts, 0 if self.good_answers else self._failures) < refusal.attempts:
            wait = backoff(work.attempts, random.random, refusal.seconds)
            self.waiting.append(replace(work, not_before=time.monotonic() + wait))
            return []
        if refusal.then == "suspect":
            return self._suspect(work, refusal)
        self._stop_after(work, refusal)
        return []

    def _omit(self, work: Work, sent: Parameters, refusal: Refusal) -> None:
        """Send the same without the parameter that the server refuses."""
        if self.server.can_send_otherwise(refusal, sent):
            self.waiting.appendleft(work)
        else:
            self.stop(f"the embeddings service refused the request ({refusal.problem})")

    def _shorten(self, work: Work, refusal: Refusal) -> list[RejectedInput]:
        """Find the text that is too long among the longest, and cut it."""
        self.texts.learn(refusal.limit if refusal.kind == "too_long" else None)
        if len(work.positions) > 1:
            shorter, longer = self.texts.by_length(work.positions)
            self.waiting.appendleft(replace(work, positions=shorter))
            self.waiting.append(replace(work, positions=longer))
            return []
        (position,) = work.positions
        if work.cuts < MAX_CUTS and self.texts.shorten(position, refusal.limit):
            self.waiting.appendleft(replace(work, cuts=work.cuts + 1))
            return []
        return self._blame(work, refusal)

    def _suspect(self, work: Work, refusal: Refusal) -> list[RejectedInput]:
        """Find out what a refusal is about that says nothing: the parameters, the number of inputs, or one of them."""
        if not self.good_answers and self.server.trials:
            self.waiting.appendleft(replace(work, trial=self.server.trials.pop(0)))
            return []
        work = replace(work, trial=None)
        if len(work.positions) > 1:
            is_cut = self.server.suspect_size(len(work.positions))
            self.waiting.extendleft([work] if is_cut else reversed(work.halves()))
            return []
        return self._blame(work, refusal)

    def _blame(self, work: Work, refusal: Refusal) -> list[RejectedInput]:
        """Reject the one text of a work once another answer was good, so that it is not the service that fails."""
        if self.good_answers <= work.proof and not work.is_last and self.waiting:
            self.waiting.append(replace(work, is_last=True))
            return []
        if self.good_answers <= work.proof and refusal.action in ("suspect", "again"):
            self._stop_after(work, refusal)
            return []
        self.server.found_culprit()
        return [RejectedInput(work.positions[0], refusal.reason or "no_answer", refusal.problem)]

    def _split(self, work: Work, refusal: Refusal) -> list[RejectedInput]:
        if len(work.positions) == 1:
            return [RejectedInput(work.positions[0], refusal.reason or "no_answer", refusal.problem)]
        # After all the others: when everything fails, the run stops before it comes to single texts and blames them.
        self.waiting.extend(work.halves())
        return []

    def _pause(self, work: Work, refusal: Refusal) -> None:
        self.waiting.appendleft(work)
        self._pauses += 1
        problem = refusal.problem
        if self._pauses > MAX_PAUSES:
            self.stop(f"the embeddings service refused {self._pauses} requests in a row as too many: {problem}")
        wait = backoff(self._pauses, random.random, refusal.seconds)
        self.paused_until = max(self.paused_until, time.monotonic() + wait)

    def _failed(self, problem: str) -> None:
        self._failures += 1
        if self._failures >= MAX_FAILURES:
            self.stop(f"{self._failures} answers of the embeddings service in a row were no good, the last: {problem}")

    def _stop_after(self, work: Work, refusal: Refusal) -> None:
        if refusal.action != "again":
            self.stop(refusal.problem)
            return
        texts = f"{len(work.positions)} texts" if len(work.positions) > 1 else "a text"
        self.stop(f"{work.attempts} attempts to embed {texts} failed, the last: {refusal.problem}")
