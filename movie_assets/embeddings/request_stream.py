"""Sends many texts to an embeddings service: several requests at once, within the account's limits and the budget.

Each request runs in a thread of its own. Every decision is taken in the caller's thread, between two responses.
`embeddings.request_queue` has the requests to send; `http_client.rate_limits` and `embeddings.server_limits` bound
their number and size.
"""

import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue

from movie_assets.config.embedding_limits import IN_FLIGHT
from movie_assets.config.prices import Price
from movie_assets.embeddings.embedder import BudgetAccount, EmbedderError, RejectedInput, ResultChunk, no_vectors
from movie_assets.embeddings.refusals import unfinished
from movie_assets.embeddings.request_queue import PendingRequest, RequestQueue
from movie_assets.embeddings.server_limits import Parameters, Server
from movie_assets.embeddings.service_call import Ask, ServiceResponse
from movie_assets.embeddings.shortening import Texts
from movie_assets.embeddings.tokens import MAX_TOKENS_OF_A_TEXT, USUAL_BYTES_PER_TOKEN, TokenCounter
from movie_assets.embeddings.vectors import CheckedVectors
from movie_assets.http_client.rate_limits import RateLimits

MAX_SECONDS_PER_CALL = 120.0  # a read timeout is per read, and a slow server could hold a call for hours
MAX_SECONDS_PER_WAIT = 1.0  # Python handles a signal that comes just before a wait only when the wait ends


@dataclass(frozen=True)
class _InFlight:
    """A request that was sent."""

    request: PendingRequest
    parameters: Parameters
    number: int
    reservation: int
    since: float


class Stream:
    """Sends one list of texts, and yields the results as they arrive; `ask` sends one request."""

    def __init__(
        self,
        ask: Ask,
        dimensions: int,
        texts: Sequence[str],
        counter: TokenCounter,
        price: Price,
        budget: BudgetAccount,
        bytes_per_token: float = USUAL_BYTES_PER_TOKEN,
        server: Server | None = None,
        *,
        longest: int = MAX_TOKENS_OF_A_TEXT,
    ) -> None:
        self._ask, self._dimensions, self._price, self._budget = ask, dimensions, price, budget
        self._bytes_per_token = bytes_per_token
        self._texts = Texts(texts, counter, longest)
        self._server = server or Server()
        whole = [n for n, text in enumerate(self._texts.sent) if text.strip()]
        self._blank = sorted(set(range(len(texts))) - set(whole))
        packs = self._server.pieces([self._texts.tokens[n] for n in whole], None)
        requests = [PendingRequest(tuple(whole[n] for n in pack)) for pack in packs]
        self._queue = RequestQueue(self._texts, self._server, requests)
        self._in_flight: dict[int, _InFlight] = {}
        self._responses: SimpleQueue[tuple[int, ServiceResponse | BaseException]] = SimpleQueue()
        self._limits = RateLimits()

    def chunks(self) -> Generator[ResultChunk]:
        """Yield the results of all texts. Raises EmbedderError when no further request can be sent."""
        if self._blank:
            rejected = tuple(RejectedInput(n, "empty_text", "it is empty") for n in self._blank)
            yield ResultChunk((), no_vectors(self._dimensions), 0, 0.0, rejected)
        while self._queue.waiting or self._in_flight:
            wait = self._send_requests()
            if self._queue.stopped is not None and not self._in_flight:
                break
            received = self._next_response(wait)
            if received is not None and (chunk := self._result_of(*received)) is not None:
                yield chunk
        if self._queue.stopped is not None:
            raise EmbedderError(self._queue.stopped)

    @property
    def _max_in_flight(self) -> int:
        """One until a request succeeds, so that a refused key or a used-up quota costs one request."""
        return IN_FLIGHT if self._queue.successes else 1

    def _send_requests(self) -> float:
        """Send as many requests as allowed now; return the seconds after which another may be sent."""
        queue = self._queue
        while queue.waiting and queue.stopped is None and len(self._in_flight) < self._max_in_flight:
            now = time.monotonic()
            index = min(range(len(queue.waiting)), key=lambda n: max(now, queue.waiting[n].not_before))
            request = queue.waiting[index]
            self._texts.prepare(request.positions)
            sizes = [self._texts.tokens[n] for n in request.positions]
            pieces = self._server.pieces(sizes, self._limits.max_tokens)
            if len(pieces) > 1:
                queue.replace_request(
                    index, [replace(request, positions=tuple(request.positions[n] for n in piece)) for piece in pieces]
                )
                continue
            tokens = sum(sizes)
            wait = max(request.not_before, queue.paused_until) - now
            wait = max(wait, self._limits.seconds_to_wait(tokens, now))
            if wait > 0:
                return wait
            reservation = self._budget.reserve(tokens, self._price.of(tokens))
            if reservation is not None:
                del queue.waiting[index]
                self._send(request, tokens, reservation)
            elif self._in_flight:
                return MAX_SECONDS_PER_CALL  # their reservations are upper bounds, and part of them will be released
            elif len(request.positions) > 1:
                queue.replace_request(index, request.halves())
            else:
                queue.stop(self._budget.exhausted_message())
        return MAX_SECONDS_PER_CALL

    def _send(self, request: PendingRequest, tokens: int, reservation: int) -> None:
        number = self._limits.record_request(tokens)
        parameters = self._queue.parameters_of(request)
        self._in_flight[number] = _InFlight(request, parameters, number, reservation, time.monotonic())
        texts = [self._texts.sent[n] for n in request.positions]

        def call() -> None:
            try:
                self._responses.put((number, self._ask(texts, parameters)))
            except BaseException as error:  # noqa: BLE001  # raised again in the caller's thread
                self._responses.put((number, error))

        # A daemon thread: a call that hangs must not keep the process from ending.
        threading.Thread(target=call, name=f"embeddings-{number}", daemon=True).start()

    def _next_response(self, seconds: float) -> tuple[_InFlight, ServiceResponse] | None:
        """Wait so long for a response; None without one. A call that took too long counts as a failed response."""
        now = time.monotonic()
        oldest = min((sent.since for sent in self._in_flight.values()), default=now)
        try:
            timeout = max(0.0, min(seconds, oldest + MAX_SECONDS_PER_CALL - now, MAX_SECONDS_PER_WAIT))
            number, response = self._responses.get(timeout=timeout)
        except Empty:
            late = [n for n, sent in self._in_flight.items() if time.monotonic() - sent.since >= MAX_SECONDS_PER_CALL]
            if not late:
                return None
            problem = f"no response within {MAX_SECONDS_PER_CALL:.0f} s"
            number, response = late[0], ServiceResponse(unfinished(problem))
        if isinstance(response, BaseException):
            raise response
        sent_before = self._in_flight.pop(number, None)
        return None if sent_before is None else (sent_before, response)  # None: the call was given up before

    def _result_of(self, sent: _InFlight, response: ServiceResponse) -> ResultChunk | None:
        self._limits.record_response(sent.number, response.headers, time.monotonic())
        if isinstance(response.outcome, CheckedVectors):
            return self._with_vectors(sent, response, response.outcome)
        rejected = self._queue.handle_refusal(sent.request, sent.parameters, response.outcome)
        if not rejected and response.tokens == 0:
            self._budget.release(sent.reservation)
            return None
        return self._chunk(sent, response, (), rejected)

    def _with_vectors(self, sent: _InFlight, response: ServiceResponse, vectors: CheckedVectors) -> ResultChunk:
        rejected = self._queue.record_vectors(sent.request, sent.parameters, vectors, response.model)
        positions = tuple(sent.request.positions[n] for n in vectors.positions)
        chunk = self._chunk(sent, response, positions, rejected)
        cut = tuple(n for n in positions if self._texts.is_cut(n))
        return replace(chunk, vectors=vectors.vectors, cut=cut, model=response.model)

    def _chunk(
        self, sent: _InFlight, response: ServiceResponse, positions: tuple[int, ...], rejected: Sequence[RejectedInput]
    ) -> ResultChunk:
        tokens = response.tokens
        if tokens is None:
            tokens = sum(self._texts.estimate(n, self._bytes_per_token) for n in sent.request.positions)
        text_bytes = sum(self._texts.bytes[n] for n in sent.request.positions) if response.tokens else 0
        return ResultChunk(
            positions, no_vectors(self._dimensions), tokens, self._price.of(tokens), tuple(rejected),
            sent.reservation, text_bytes,
        )  # fmt: skip
