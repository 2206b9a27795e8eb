"""OpenAI's Batch API for embeddings: a file of texts goes up, vectors come down within a day, at half the price.

One text is one line, its hash the line's `custom_id`. Which batches are in flight, and what is done with their
vectors, is kept by `embeddings.bulk_embedding`.
"""

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import openai
from openai.types import Batch

from movie_assets.embeddings.embedder import EmbedderError
from movie_assets.embeddings.openai_call import Model, model_of, read, refusal_in, tokens_of
from movie_assets.embeddings.refusals import ATTEMPTS, MAX_PAUSES, Refusal, refusal_of
from movie_assets.embeddings.server_limits import Parameters, Server
from movie_assets.embeddings.service_errors import words_of_error
from movie_assets.embeddings.vectors import Sorted
from movie_assets.http_client.backoff import backoff

T = TypeVar("T")
TEXTS_PER_BATCH = 10_000  # OpenAI takes 50,000; an account of tier 1 may have 3 million tokens waiting, these are half
BYTES_PER_FILE = 150_000_000  # OpenAI takes 200 MB
TOKEN = "movie_assets"  # noqa: S105  # the key in a batch's metadata under which it is found again
ENDED = ("completed", "failed", "expired", "cancelled")


@dataclass(frozen=True)
class State:
    """A batch as the service sees it."""

    service_id: str
    status: str
    files: tuple[str, ...]  # of results, then of errors, when it has ended
    done: int
    problem: str

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status in ENDED


@dataclass(frozen=True)
class Line:
    """What came for one text: a vector or a refusal, and the tokens charged, None when the service does not tell."""

    text_hash: str
    outcome: Sorted | Refusal
    tokens: int | None
    model: str | None = None  # the name that answered


class OpenAiBatches:
    """The calls; each is repeated while that can help, and raises EmbedderError when it cannot."""

    def __init__(self, open_client: Callable[[], openai.OpenAI], server: Server) -> None:
        self._open_client, self._server = open_client, server

    def upload(self, model: Model, texts: Iterable[tuple[str, str]]) -> str:
        """Send a file with a line for each (hash, text); tells its id. A file costs nothing."""
        parameters = self._server.parameters
        content = "".join(_request_line(model, parameters, *text) for text in texts).encode()
        return self._patiently(
            lambda client: client.files.create(file=("movie_assets.jsonl", content), purpose="batch").id
        )

    def create(self, file_id: str, token: str) -> State | None:
        """Have a batch made of a file. It costs money, so it is asked once; None: nobody knows if it was made."""
        with self._open_client() as client:
            try:
                return _state_of(
                    client.batches.create(
                        input_file_id=file_id, endpoint="/v1/embeddings", completion_window="24h",
                        metadata={TOKEN: token},
                    )
                )  # fmt: skip
            except openai.APIStatusError as error:
                if _refusal(error).action != "again":
                    raise EmbedderError(f"the service made no batch: {_refusal(error).problem}") from None
            except (openai.APIConnectionError, json.JSONDecodeError):
                pass
            return None

    def find(self, token: str) -> State | None:
        """The batch that carries a token, if the service has it."""

        def search(client: openai.OpenAI) -> State | None:
            for batch in client.batches.list(limit=100):
                if (batch.metadata or {}).get(TOKEN) == token:
                    return _state_of(batch)
            return None

        return self._patiently(search)

    def find_or_prevent(self, file_id: str, token: str) -> State | None:
        """The batch made of a file, or None when there is none and never will be: without its file none can be made."""
        found = self.find(token)
        if found is None:
            self.delete(file_id)
            found = self.find(token)
        return found

    def delete(self, file_id: str) -> None:
        """Delete a file; one that is not there is fine."""

        def remove(client: openai.OpenAI) -> None:
            try:
                client.files.delete(file_id)
            except openai.NotFoundError:
                return

        self._patiently(remove)

    def state(self, service_id: str) -> State:
        """How far a batch is."""
        return self._patiently(lambda client: _state_of(client.batches.retrieve(service_id)))

    def lines(self, state: State, model: Model) -> Iterator[Line]:
        """What came of a batch that has ended, line by line; a download that breaks off is taken up again."""
        for file_id in state.files:
            taken, failures = 0, 0
            while True:
                try:
                    with (
                        self._open_client() as client,
                        client.files.with_streaming_response.content(file_id) as content,
                    ):
                        for number, line in enumerate(content.iter_lines()):
                            if number >= taken and line.strip():
                                yield from _read(line, model)
                            taken = max(taken, number + 1)
                    break
                except openai.APIError as error:
                    failures = self._wait_or_raise(error, failures + 1)

    def _patiently(self, call: Callable[[openai.OpenAI], T]) -> T:
        failures = 0
        with self._open_client() as client:
            while True:
                try:
                    return call(client)
                except (openai.APIError, json.JSONDecodeError) as error:
                    failures = self._wait_or_raise(error, failures + 1)

    def _wait_or_raise(self, error: Exception, failures: int) -> int:
        refusal = _refusal(error)
        attempts = {"again": ATTEMPTS, "pause": MAX_PAUSES + 1}.get(refusal.action, 0)
        if failures >= attempts:
            raise EmbedderError(f"the service's batches cannot be used: {refusal.problem}") from None
        time.sleep(backoff(failures, random.random, refusal.seconds))
        return failures


def _request_line(model: Model, parameters: Parameters, text_hash: str, text: str) -> str:
    body = model.request(text, parameters)
    return json.dumps({"custom_id": text_hash, "method": "POST", "url": "/v1/embeddings", "body": body}) + "\n"


def _state_of(batch: Batch) -> State:
    problems = [problem.message or problem.code or "" for problem in (batch.errors and batch.errors.data) or []]
    return State(
        service_id=batch.id,
        status=batch.status,
        files=tuple(file_id for file_id in (batch.output_file_id, batch.error_file_id) if file_id),
        done=batch.request_counts.completed if batch.request_counts else 0,
        problem="; ".join(problems)[:300],
    )


def _refusal(error: Exception) -> Refusal:
    if isinstance(error, openai.APIStatusError):
        return refusal_in(error)
    return Refusal("again", f"no answer ({error})")


def _read(line: str, model: Model) -> Iterator[Line]:
    """What a line says; nothing when it cannot be read: its text is asked for again."""
    try:
        entry = json.loads(line.removeprefix("\ufeff"))  # a file may begin with a byte order mark
        text_hash, response = str(entry["custom_id"]), entry.get("response") or {}
        body, status = response.get("body") or {}, int(response.get("status_code") or 0)
    except (ValueError, TypeError, KeyError, AttributeError):
        return
    if status == 200:  # noqa: PLR2004
        outcome, tokens = read(body, model, 1), tokens_of(body)
        yield Line(text_hash, outcome, 0 if tokens is None and isinstance(outcome, Refusal) else tokens, model_of(body))
        return
    code, message = words_of_error(body or entry.get("error"))
    refused = refusal_of(status, code, message, {}, datetime.now(UTC)) if status else None
    yield Line(text_hash, refused or Refusal("again", f"{code or 'error'}: {message}"[:300]), 0)
