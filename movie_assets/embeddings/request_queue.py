"""The requests that are still to be sent to an embeddings service, and what a response changes in them.

`request_stream` sends them. A refusal splits requests, cuts texts, leaves parameters out, waits, or ends the run, as
`embeddings.refusals` decides. This is no `retries.policy`: a request often continues as others, with less in them,
and all requests wait together while some of them are in flight.
"""

import logging
import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from movie_assets.embeddings.embedder import RejectedInput
from movie_assets.embeddings.refusals import MAX_LOADING_PAUSES, MAX_PAUSES, Refusal
from movie_assets.embeddings.server_limits import Parameters, Server
from movie_assets.embeddings.shortening import MAX_CUTS, Texts
from movie_assets.embeddings.vectors import REASONS, CheckedVectors
from movie_assets.http_client.backoff import backoff

log = logging.getLogger(__name__)

MAX_REDUCTIONS = 16  # of requests that are refused as too many, in a row; 256 texts become one in eight
MAX_FAILURES = 20  # responses without a vector in a row, splitting included, after which the service counts as down


@dataclass(frozen=True)
class PendingRequest:
    """The texts of one request, by position, and what is known from attempts at it."""

    positions: tuple[int, ...]
    attempts: int = 0  # that failed
    pauses: int = 0  # that the service asked for
    not_before: float = 0.0  # by time.monotonic
    successes_before: int = -1  # successful requests of the stream when it first failed; -1 before that
    cuts: int = 0  # times that its one text was shortened
    trial: Parameters | None = None  # sent with these, to learn whether the usual ones are to blame
    is_last: bool = False  # its one text was refused, and is tried once more after the others

    def halves(self) -> "list[PendingRequest]":
        """Return a request for each half of the texts, in their order."""
        middle = len(self.positions) // 2
        return [replace(self, positions=half) for half in (self.positions[:middle], self.positions[middle:])]


class RequestQueue:
    """Requests that wait, and the state of the service as far as its responses show it."""

    def __init__(self, texts: Texts, server: Server, requests: Sequence[PendingRequest]) -> None:
        self.texts, self.server = texts, server
        self.waiting = deque(requests)
        self.paused_until = 0.0
        self.successes = 0
        self.stopped: str | None = None
        self._pauses = self._reductions = self._failures = 0  # in a row

    def parameters_of(self, request: PendingRequest) -> Parameters:
        """Return the optional parameters with which a request is sent."""
        return request.trial or self.server.parameters

    def replace_request(self, index: int, requests: Sequence[PendingRequest]) -> None:
        """Replace a waiting request by parts of it."""
        del self.waiting[index]
        for request in reversed(requests):
            self.waiting.insert(index, request)

    def record_vectors(
        self, request: PendingRequest, sent: Parameters, vectors: CheckedVectors, model: str | None
    ) -> list[RejectedInput]:
        """Learn from a response with vectors; return the texts that got none and are not tried again."""
        self.successes += 1
        self._failures = self._pauses = self._reductions = 0
        self.server.record_success(len(request.positions), sent, model)
        self.texts.accepted([request.positions[n] for n in vectors.positions])
        flawed = [request.positions[n] for n in vectors.flawed]
        if flawed and not request.attempts:
            self.waiting.appendleft(PendingRequest(tuple(flawed), attempts=1))
            return []
        return [RejectedInput(request.positions[n], reason, REASONS[reason]) for n, reason in vectors.flawed.items()]

    def handle_refusal(self, request: PendingRequest, sent: Parameters, refusal: Refusal) -> list[RejectedInput]:
        """Carry out the action of a refusal; return the text that is to blame once it is known."""
        if refusal.action == "stop" and request.trial and refusal.error_class == "dimensions":
            # Without the parameter the vectors have another width, so the parameter was not to blame.
            self.waiting.appendleft(replace(request, trial=None))
        elif refusal.action == "stop":
            is_width = refusal.error_class == "dimensions"
            self.stop(self.server.width_problem(refusal) if is_width else refusal.problem)
        elif refusal.action == "pause":
            self._pause(request, refusal)
        elif refusal.action == "omit":
            self._omit(request, sent, refusal)
        else:
            self._count_failure(refusal.problem)
            return self._handle_failure(request, refusal)
        return []

    def stop(self, reason: str) -> None:
        """Send no further requests; responses to those in flight are still received. The first reason counts."""
        self.stopped = self.stopped or reason

    def _seen(self, request: PendingRequest) -> PendingRequest:
        """Return a request that failed, with the successes of the stream when it first did."""
        return replace(request, successes_before=self.successes) if request.successes_before < 0 else request

    def _handle_failure(self, request: PendingRequest, refusal: Refusal) -> list[RejectedInput]:
        tried = replace(self._seen(request), attempts=request.attempts + 1, not_before=0.0)
        match refusal.action:
            case "reduce" if len(request.positions) > 1:
                tokens = sum(self.texts.tokens[n] for n in request.positions)
                self.server.learn_size(refusal, len(request.positions), tokens)
                self.waiting.appendleft(replace(tried, attempts=request.attempts))
            case "reduce" if self.server.send_no_lists(refusal):
                self.waiting.appendleft(replace(tried, attempts=request.attempts))
            case "reduce" | "shorten":
                return self._shorten(tried, refusal)
            case "diagnose":
                return self._diagnose(tried, refusal)
            case "retry_then_split" if tried.attempts == 1:
                self.waiting.appendleft(tried)
            case "retry_then_split" if not self.successes:
                return self._diagnose(tried, refusal)
            case "retry":
                return self._retry(tried, refusal)
            case _:
                return self._split(tried, refusal)
        return []

    def _retry(self, request: PendingRequest, refusal: Refusal) -> list[RejectedInput]:
        if max(request.attempts, 0 if self.successes else self._failures) < refusal.attempts:
            wait = backoff(request.attempts, random.random, refusal.seconds)
            self.waiting.append(replace(request, not_before=time.monotonic() + wait))
            return []
        if refusal.then == "diagnose":
            return self._diagnose(request, refusal)
        self._stop_after(request, refusal)
        return []

    def _omit(self, request: PendingRequest, sent: Parameters, refusal: Refusal) -> None:
        """Send the same request without the parameter that the server refuses."""
        if self.server.omit_parameter(refusal, sent):
            self.waiting.appendleft(request)
        else:
            self.stop(f"the embeddings service refused the request ({refusal.problem})")

    def _shorten(self, request: PendingRequest, refusal: Refusal) -> list[RejectedInput]:
        """Find the text that is too long among the longest, and cut it."""
        self.texts.learn(refusal.limit if refusal.error_class == "too_long" else None)
        if len(request.positions) > 1:
            shorter, longer = self.texts.by_length(request.positions)
            self.waiting.appendleft(replace(request, positions=shorter))
            self.waiting.append(replace(request, positions=longer))
            return []
        (position,) = request.positions
        if request.cuts < MAX_CUTS and self.texts.shorten(position, refusal.limit):
            self.waiting.appendleft(replace(request, cuts=request.cuts + 1))
            return []
        return self._reject(request, refusal)

    def _diagnose(self, request: PendingRequest, refusal: Refusal) -> list[RejectedInput]:
        """Find the reason of a refusal that names none: the parameters, the number of inputs, or one input."""
        if not self.successes and self.server.trials and refusal.error_class != "no_response":
            self.waiting.appendleft(replace(request, trial=self.server.trials.pop(0)))
            return []
        request = replace(request, trial=None)
        if len(request.positions) > 1:
            # A request without a response costs a minute: the next one has a quarter of the texts.
            share = 2 if refusal.error_class == "no_response" else 1
            is_reduced = self.server.suspect_size(len(request.positions) // share)
            self.waiting.extendleft([request] if is_reduced else reversed(request.halves()))
            return []
        if refusal.error_class == "no_response" and not self.successes:
            self._stop_after(request, refusal)
            return []
        return self._reject(request, refusal)

    def _reject(self, request: PendingRequest, refusal: Refusal) -> list[RejectedInput]:
        """Reject the one text of a request, once another request succeeded: until then the service may be down."""
        if self.successes <= request.successes_before and not request.is_last and self.waiting:
            self.waiting.append(replace(request, is_last=True))
            return []
        if self.successes <= request.successes_before and self._may_be_down(refusal):
            self._stop_after(request, refusal)
            return []
        self.server.restore_size()
        if request.cuts < MAX_CUTS and self.texts.shorten_if_longest(request.positions[0]):
            self.waiting.appendleft(replace(request, cuts=request.cuts + 1))
            return []
        return [RejectedInput(request.positions[0], refusal.reason or "no_answer", refusal.problem)]

    def _may_be_down(self, refusal: Refusal) -> bool:
        """Return whether a refusal of each text in turn says more about the service than about the texts."""
        is_without_vectors = refusal.action == "retry_then_split" and len(self.texts.sent) > 1
        return refusal.action in ("diagnose", "retry") or is_without_vectors

    def _split(self, request: PendingRequest, refusal: Refusal) -> list[RejectedInput]:
        if len(request.positions) == 1:
            return [RejectedInput(request.positions[0], refusal.reason or "no_answer", refusal.problem)]
        # The halves go last: if every request fails, the run stops before any single text is rejected.
        self.waiting.extend(request.halves())
        return []

    def _pause(self, request: PendingRequest, refusal: Refusal) -> None:
        tried = replace(self._seen(request), pauses=request.pauses + 1)
        is_suspected = refusal.error_class == "rate" and tried.pauses > refusal.attempts
        if is_suspected and self._reductions < MAX_REDUCTIONS and self._send_less(tried):
            self._reductions += 1
        else:
            self.waiting.appendleft(tried)
            # Requests that were in flight together are refused together.
            self._pauses += time.monotonic() >= self.paused_until
        is_loading = refusal.error_class == "loading"
        if self._pauses > (MAX_LOADING_PAUSES if is_loading else MAX_PAUSES):
            what = f"refused {self._pauses} requests in a row" + ("" if is_loading else " as too many")
            self.stop(f"the embeddings service {what}: {refusal.problem}")
        wait = backoff(max(1, self._pauses - self._reductions), random.random, refusal.seconds)
        log.info("waiting %.0f s for the embeddings service: %s", wait, refusal.problem)
        self.paused_until = max(self.paused_until, time.monotonic() + wait)

    def _send_less(self, request: PendingRequest) -> bool:
        """Replace a request that is refused again and again, as too many, by smaller ones; False if there are none."""
        if len(request.positions) > 1:
            is_reduced = self.server.suspect_size(len(request.positions), may_grow=True)
            self.waiting.extendleft([request] if is_reduced else reversed(request.halves()))
            return True
        if not request.is_last and self.waiting:  # do others succeed meanwhile?
            self.waiting.append(replace(request, is_last=True))
            return True
        if self.successes <= request.successes_before or not self.texts.shorten_if_longest(request.positions[0]):
            return False
        self.server.restore_size()
        self.waiting.appendleft(request)
        return True

    def _count_failure(self, problem: str) -> None:
        self._failures += 1
        if self._failures >= MAX_FAILURES:
            self.stop(
                f"{self._failures} responses of the embeddings service in a row were unusable, the last: {problem}"
            )

    def _stop_after(self, request: PendingRequest, refusal: Refusal) -> None:
        if refusal.action != "retry":
            self.stop(refusal.problem)
            return
        texts = f"{len(request.positions)} texts" if len(request.positions) > 1 else "a text"
        self.stop(f"{request.attempts} attempts to embed {texts} failed, the last: {refusal.problem}")
