"""Many texts through an embeddings endpoint: several requests at once, within the account's limits and the budget.

Requests run in threads, one call each; every decision is taken in the caller's thread, between two answers. What an
answer means is `core.refusals`, what may be sent `core.rate_limits`.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue

import openai

from movie_assets.core.packing import TOKENS_PER_REQUEST, packed
from movie_assets.core.prices import Price
from movie_assets.core.rate_limits import RateLimits
from movie_assets.core.refusals import MOST_PAUSES, Refusal
from movie_assets.core.retry import backoff
from movie_assets.core.tokens import MOST_TOKENS_OF_A_TEXT, USUAL_BYTES_PER_TOKEN, TokenCounter
from movie_assets.core.vectors import Sorted
from movie_assets.resources.embedder import Culprit, EmbedderError, Part, Purse, no_vectors
from movie_assets.resources.openai_call import Model, Reply, ask

IN_FLIGHT = 8  # requests at once; what a kill can cost
MOST_FAILURES = 20  # answers without a vector in a row, splitting included, after which the service counts as down
LONGEST_CALL = 120.0  # seconds; a read timeout is per read, and a server that drips would hold a call for hours


@dataclass(frozen=True)
class _Work:
    """Texts that one request asks for, by position."""

    positions: tuple[int, ...]
    attempts: int = 0  # that failed …
    not_before: float = 0.0
    proof: int = -1  # … the first of them when so many answers had been good

    def halves(self) -> "list[_Work]":
        middle = len(self.positions) // 2
        return [replace(self, positions=half) for half in (self.positions[:middle], self.positions[middle:])]


@dataclass(frozen=True)
class _Flight:
    """A request on its way."""

    work: _Work
    number: int
    ticket: int
    since: float


class Stream:
    """The flow of one list of texts."""

    def __init__(
        self,
        client: openai.OpenAI,
        model: Model,
        texts: Sequence[str],
        counter: TokenCounter,
        price: Price,
        purse: Purse,
        bytes_per_token: float = USUAL_BYTES_PER_TOKEN,
    ) -> None:
        self._client, self._model, self._price, self._purse = client, model, price, purse
        self._texts = [counter.cut(text, MOST_TOKENS_OF_A_TEXT) for text in texts]
        self._sizes = [counter.count(text) for text in self._texts]  # at most
        self._counter, self._bytes_per_token = counter, bytes_per_token
        whole = [n for n, text in enumerate(self._texts) if text.strip()]
        self._blank = sorted(set(range(len(texts))) - set(whole))
        packs = packed([self._sizes[n] for n in whole])
        self._waiting = deque(_Work(tuple(whole[n] for n in pack)) for pack in packs)
        self._flights: dict[int, _Flight] = {}
        self._answers: SimpleQueue[tuple[int, Reply | BaseException]] = SimpleQueue()
        self._limits = RateLimits()
        self._paused_until = 0.0
        self._pauses = self._failures = 0  # in a row
        self._good_answers = 0
        self._stopped: str | None = None

    def parts(self) -> Generator[Part]:
        """Send and receive until every text has an answer, or nothing can be sent any more."""
        if self._blank:
            culprits = tuple(Culprit(n, "empty_text", "it is empty") for n in self._blank)
            yield Part((), no_vectors(self._model.dimensions), 0, 0.0, culprits)
        while self._waiting or self._flights:
            wait = self._send_what_may_go()
            if self._stopped is not None and not self._flights:
                break
            answer = self._next_answer(wait)
            if answer is not None and (part := self._received(*answer)) is not None:
                yield part
        if self._stopped is not None:
            raise EmbedderError(self._stopped)

    @property
    def _most_in_flight(self) -> int:
        """One request goes alone until an answer is good: a refused key or a used-up quota costs one call."""
        return IN_FLIGHT if self._good_answers else 1

    def _send_what_may_go(self) -> float:
        """Start as many requests as may be; tells after how many seconds to look again."""
        while self._waiting and self._stopped is None and len(self._flights) < self._most_in_flight:
            now = time.monotonic()
            index = min(range(len(self._waiting)), key=lambda n: max(now, self._waiting[n].not_before))
            work = self._waiting[index]
            tokens = sum(self._sizes[n] for n in work.positions)
            if len(work.positions) > 1 and tokens > min(self._limits.most_tokens or tokens, TOKENS_PER_REQUEST):
                self._put_in_place_of(index, work.halves())
                continue
            wait = max(work.not_before, self._paused_until) - now
            wait = max(wait, self._limits.seconds_to_wait(tokens, now))
            if wait > 0:
                return wait
            ticket = self._purse.reserve(tokens, self._price.of(tokens))
            if ticket is not None:
                del self._waiting[index]
                self._send(work, tokens, ticket)
            elif self._flights:
                return LONGEST_CALL  # what is in flight is reserved at its most, and will cost less
            elif len(work.positions) > 1:
                self._put_in_place_of(index, work.halves())
            else:
                self._stop(self._purse.is_empty())
        return LONGEST_CALL

    def _send(self, work: _Work, tokens: int, ticket: int) -> None:
        number = self._limits.sent(tokens)
        self._flights[number] = _Flight(work, number, ticket, time.monotonic())
        texts = [self._texts[n] for n in work.positions]

        def call() -> None:
            try:
                self._answers.put((number, ask(self._client, self._model, texts)))
            except BaseException as error:  # noqa: BLE001  # raised again where somebody hears it
                self._answers.put((number, error))

        # A daemon: a call that hangs must not keep the process from ending.
        threading.Thread(target=call, name=f"embeddings-{number}", daemon=True).start()

    def _next_answer(self, seconds: float) -> tuple[_Flight, Reply] | None:
        """The next answer, a call that took too long as one without, or None when there is something to send."""
        now = time.monotonic()
        oldest = min((flight.since for flight in self._flights.values()), default=now)
        try:
            number, reply = self._answers.get(timeout=max(0.0, min(seconds, oldest + LONGEST_CALL - now)))
        except Empty:
            late = [n for n, flight in self._flights.items() if time.monotonic() - flight.since >= LONGEST_CALL]
            if not late:
                return None
            number, reply = late[0], Reply(Refusal("again", f"no answer within {LONGEST_CALL:.0f} s"))
        if isinstance(reply, BaseException):
            raise reply
        flight = self._flights.pop(number, None)
        return None if flight is None else (flight, reply)  # None: given up before

    def _received(self, flight: _Flight, reply: Reply) -> Part | None:
        self._limits.answered(flight.number, reply.headers, time.monotonic())
        if isinstance(reply.outcome, Sorted):
            return self._good(flight, reply, reply.outcome)
        culprits = self._refused(flight.work, reply.outcome)
        if not culprits and reply.tokens == 0:
            self._purse.release(flight.ticket)
            return None
        return self._part(flight, reply, (), culprits)

    def _good(self, flight: _Flight, reply: Reply, found: Sorted) -> Part:
        work, culprits = flight.work, []
        if found.positions:
            self._good_answers += 1
            self._failures = self._pauses = 0
        else:
            self._failed("no vector of an answer is usable")
        again = [work.positions[n] for n in found.flawed]
        if again and not work.attempts:
            self._waiting.appendleft(_Work(tuple(again), attempts=1))
        elif again:
            culprits = [Culprit(work.positions[n], why, why.replace("_", " ")) for n, why in found.flawed.items()]
        part = self._part(flight, reply, tuple(work.positions[n] for n in found.positions), culprits)
        return replace(part, vectors=found.vectors)

    def _part(self, flight: _Flight, reply: Reply, positions: tuple[int, ...], culprits: Sequence[Culprit]) -> Part:
        sent = flight.work.positions
        tokens = reply.tokens
        if tokens is None:
            tokens = sum(self._counter.estimate(self._texts[n], self._bytes_per_token) for n in sent)
        text_bytes = sum(len(self._texts[n].encode(errors="replace")) for n in sent) if reply.tokens else 0
        return Part(
            positions, no_vectors(self._model.dimensions), tokens, self._price.of(tokens), tuple(culprits),
            flight.ticket, text_bytes,
        )  # fmt: skip

    def _refused(self, work: _Work, refusal: Refusal) -> list[Culprit]:
        """Do what a refusal asks for; tells the text that is to blame if it is found."""
        if refusal.remedy == "stop":
            self._stop(refusal.problem)
            return []
        if refusal.remedy == "pause":
            self._pause(work, refusal)
            return []
        self._failed(refusal.problem)
        proof = self._good_answers if work.proof < 0 else work.proof
        tried = replace(work, attempts=work.attempts + 1, proof=proof, not_before=0.0)
        if refusal.remedy == "doubt" and tried.attempts == 1:
            self._waiting.appendleft(tried)
        elif refusal.remedy != "again":
            return self._split(tried, refusal)
        elif max(tried.attempts, 0 if self._good_answers else self._failures) < refusal.attempts:
            wait = backoff(tried.attempts, random.random, refusal.seconds)
            self._waiting.append(replace(tried, not_before=time.monotonic() + wait))
        elif refusal.then == "split" and (len(work.positions) > 1 or self._good_answers > proof):
            return self._split(tried, refusal)
        else:
            # Without a good answer in between it is the service that fails, and no text is to blame.
            texts = f"{len(work.positions)} texts" if len(work.positions) > 1 else "a text"
            self._stop(f"{tried.attempts} attempts to embed {texts} failed, the last: {refusal.problem}")
        return []

    def _split(self, work: _Work, refusal: Refusal) -> list[Culprit]:
        if len(work.positions) == 1:
            return [Culprit(work.positions[0], refusal.reason or "no_answer", refusal.problem)]
        # After all the others: when everything fails, the run stops before it comes to single texts and blames them.
        self._waiting.extend(work.halves())
        return []

    def _pause(self, work: _Work, refusal: Refusal) -> None:
        self._waiting.appendleft(work)
        self._pauses += 1
        problem = refusal.problem
        if self._pauses > MOST_PAUSES:
            self._stop(f"the embeddings service refused {self._pauses} requests in a row as too many: {problem}")
        wait = backoff(self._pauses, random.random, refusal.seconds)
        self._paused_until = max(self._paused_until, time.monotonic() + wait)

    def _failed(self, problem: str) -> None:
        self._failures += 1
        if self._failures >= MOST_FAILURES:
            self._stop(f"{self._failures} answers of the embeddings service in a row were no good, the last: {problem}")

    def _put_in_place_of(self, index: int, works: list[_Work]) -> None:
        del self._waiting[index]
        for work in reversed(works):
            self._waiting.insert(index, work)

    def _stop(self, why: str) -> None:
        """Send nothing more; what is in flight is paid for and still received. The first reason counts."""
        self._stopped = self._stopped or why
