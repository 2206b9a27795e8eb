"""Many texts through an embeddings endpoint: several requests at once, within the account's limits and the budget.

Requests run in threads, one call each; every decision is taken in the caller's thread, between two answers. What is
still to be sent is `openai_queue`, how much may be sent `http_client.rate_limits` and `embeddings.server_limits`.
"""

import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue

import openai

from movie_assets.config.prices import Price
from movie_assets.embeddings.embedder import BudgetAccount, EmbedderError, Part, RejectedInput, no_vectors
from movie_assets.embeddings.openai_call import Model, Reply, ask
from movie_assets.embeddings.openai_queue import Queue, Work
from movie_assets.embeddings.refusals import Refusal
from movie_assets.embeddings.server_limits import Parameters, Server
from movie_assets.embeddings.shortening import Texts
from movie_assets.embeddings.tokens import USUAL_BYTES_PER_TOKEN, TokenCounter
from movie_assets.embeddings.vectors import Sorted
from movie_assets.http_client.rate_limits import RateLimits

IN_FLIGHT = 8  # requests at once; what a kill can cost
LONGEST_CALL = 120.0  # seconds; a read timeout is per read, and a server that drips would hold a call for hours


@dataclass(frozen=True)
class _Flight:
    """A request on its way."""

    work: Work
    parameters: Parameters
    number: int
    reservation: int
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
        budget: BudgetAccount,
        bytes_per_token: float = USUAL_BYTES_PER_TOKEN,
        server: Server | None = None,
    ) -> None:
        self._client, self._model, self._price, self._budget = client, model, price, budget
        self._bytes_per_token = bytes_per_token
        self._texts = Texts(texts, counter)
        self._server = server or Server()
        whole = [n for n, text in enumerate(self._texts.sent) if text.strip()]
        self._blank = sorted(set(range(len(texts))) - set(whole))
        packs = self._server.pieces([self._texts.tokens[n] for n in whole], None)
        works = [Work(tuple(whole[n] for n in pack)) for pack in packs]
        self._queue = Queue(self._texts, self._server, works)
        self._flights: dict[int, _Flight] = {}
        self._answers: SimpleQueue[tuple[int, Reply | BaseException]] = SimpleQueue()
        self._limits = RateLimits()

    def parts(self) -> Generator[Part]:
        """Send and receive until every text has an answer, or nothing can be sent any more."""
        if self._blank:
            culprits = tuple(RejectedInput(n, "empty_text", "it is empty") for n in self._blank)
            yield Part((), no_vectors(self._model.dimensions), 0, 0.0, culprits)
        while self._queue.waiting or self._flights:
            wait = self._send_what_may_go()
            if self._queue.stopped is not None and not self._flights:
                break
            answer = self._next_answer(wait)
            if answer is not None and (part := self._received(*answer)) is not None:
                yield part
        if self._queue.stopped is not None:
            raise EmbedderError(self._queue.stopped)

    @property
    def _most_in_flight(self) -> int:
        """One request goes alone until an answer is good: a refused key or a used-up quota costs one call."""
        return IN_FLIGHT if self._queue.good_answers else 1

    def _send_what_may_go(self) -> float:
        """Start as many requests as may be; tells after how many seconds to look again."""
        queue = self._queue
        while queue.waiting and queue.stopped is None and len(self._flights) < self._most_in_flight:
            now = time.monotonic()
            index = min(range(len(queue.waiting)), key=lambda n: max(now, queue.waiting[n].not_before))
            work = queue.waiting[index]
            self._texts.prepare(work.positions)
            sizes = [self._texts.tokens[n] for n in work.positions]
            pieces = self._server.pieces(sizes, self._limits.max_tokens)
            if len(pieces) > 1:
                parts = [replace(work, positions=tuple(work.positions[n] for n in piece)) for piece in pieces]
                queue.put_in_place_of(index, parts)
                continue
            tokens = sum(sizes)
            wait = max(work.not_before, queue.paused_until) - now
            wait = max(wait, self._limits.seconds_to_wait(tokens, now))
            if wait > 0:
                return wait
            reservation = self._budget.reserve(tokens, self._price.of(tokens))
            if reservation is not None:
                del queue.waiting[index]
                self._send(work, tokens, reservation)
            elif self._flights:
                return LONGEST_CALL  # what is in flight is reserved at its most, and will cost less
            elif len(work.positions) > 1:
                queue.put_in_place_of(index, work.halves())
            else:
                queue.stop(self._budget.is_empty())
        return LONGEST_CALL

    def _send(self, work: Work, tokens: int, reservation: int) -> None:
        number = self._limits.record_request(tokens)
        parameters = self._queue.parameters_of(work)
        self._flights[number] = _Flight(work, parameters, number, reservation, time.monotonic())
        texts = [self._texts.sent[n] for n in work.positions]

        def call() -> None:
            try:
                self._answers.put((number, ask(self._client, self._model, texts, parameters)))
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
        self._limits.record_response(flight.number, reply.headers, time.monotonic())
        if isinstance(reply.outcome, Sorted):
            return self._good(flight, reply, reply.outcome)
        culprits = self._queue.refused(flight.work, flight.parameters, reply.outcome)
        if not culprits and reply.tokens == 0:
            self._budget.release(flight.reservation)
            return None
        return self._part(flight, reply, (), culprits)

    def _good(self, flight: _Flight, reply: Reply, found: Sorted) -> Part:
        culprits = self._queue.good(flight.work, flight.parameters, found, reply.model)
        positions = tuple(flight.work.positions[n] for n in found.positions)
        part = self._part(flight, reply, positions, culprits)
        cut = tuple(n for n in positions if self._texts.is_cut(n))
        return replace(part, vectors=found.vectors, cut=cut, model=reply.model)

    def _part(
        self, flight: _Flight, reply: Reply, positions: tuple[int, ...], culprits: Sequence[RejectedInput]
    ) -> Part:
        sent = flight.work.positions
        tokens = reply.tokens
        if tokens is None:
            tokens = sum(self._texts.estimate(n, self._bytes_per_token) for n in sent)
        text_bytes = sum(self._texts.bytes[n] for n in sent) if reply.tokens else 0
        return Part(
            positions, no_vectors(self._model.dimensions), tokens, self._price.of(tokens), tuple(culprits),
            flight.reservation, text_bytes,
        )  # fmt: skip
