"""OpenAI's Batch API for embeddings: a file of texts is uploaded, vectors arrive within a day, at half the price.

The service's "batch" is a bulk job here, as a batch is a bucket of ids in this project. A text is a line of the file,
its hash the line's `custom_id`. `embeddings.bulk_embedding` keeps the jobs in flight and stores their results.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import openai
from openai.types import Batch

from movie_assets.embeddings.embedder import EmbedderError
from movie_assets.embeddings.error_messages import message_of_error
from movie_assets.embeddings.openai_call import model_of, outcome_of, refusal_in, tokens_of
from movie_assets.embeddings.openai_request import Model
from movie_assets.embeddings.refusals import (
    ATTEMPTS,
    MAX_PAUSES,
    OPENAI_ERRORS,
    Refusal,
    refusal_of,
    refusal_without_response,
)
from movie_assets.embeddings.server_limits import Parameters, Server
from movie_assets.embeddings.vectors import CheckedVectors
from movie_assets.http_client.retries import HttpRetries, RetryableError

T = TypeVar("T")
TEXTS_PER_JOB = 10_000  # OpenAI takes 50,000; an account of tier 1 may have 3 million tokens waiting, these are half
BYTES_PER_FILE = 150_000_000  # OpenAI takes 200 MB
TOKEN = "movie_assets"  # noqa: S105  # the key in a job's metadata under which it is found again
ENDED = ("completed", "failed", "expired", "cancelled")
OK = 200
NO_SUCH_API = (404, 405, 501)
QUEUE_IS_FULL = "token_limit_exceeded"  # the code of a job that is refused as too many tokens wait already
LIMIT_IN_MESSAGE = re.compile(r"Limit:\s*([\d,]+)")


class NoBatchApiError(EmbedderError):
    """The service has no Batch API."""


@dataclass(frozen=True)
class JobState:
    """The state of a bulk job at the service."""

    service_id: str
    status: str
    files: tuple[str, ...]  # of results, then of errors, when it has ended
    done: int
    failed: int
    problem: str
    codes: tuple[str, ...] = ()  # of the service's errors about the whole job

    @property
    def was_refused_for_room(self) -> bool:
        """Return whether the service did not begin the job because too many tokens wait."""
        return self.status == "failed" and QUEUE_IS_FULL in self.codes

    @property
    def has_ended(self) -> bool:
        """Return whether no further results will come."""
        return self.status in ENDED


@dataclass(frozen=True)
class TextResult:
    """The vector or the refusal of one text, and the tokens charged; None when the service does not report them."""

    text_hash: str
    outcome: CheckedVectors | Refusal
    tokens: int | None
    model: str | None = None  # the model's name in the response


class BulkApi:
    """Requests to the Batch API; each is repeated while that can help, then raises EmbedderError."""

    def __init__(self, open_client: Callable[[], openai.OpenAI], server: Server) -> None:
        self._open_client, self._server = open_client, server

    def upload(self, model: Model, texts: Iterable[tuple[str, str]], token: str) -> str:
        """Upload a file with a line for each (hash, text), which costs nothing; return the file's id.

        Raises NoBatchApiError when the service has no such API.
        """
        parameters = self._server.parameters
        content = "".join(_request_line(model, parameters, *text) for text in texts).encode()

        def send(client: openai.OpenAI) -> str:
            try:
                return client.files.create(file=(_file_name(token), content), purpose="batch").id
            except openai.APIStatusError as error:
                if error.status_code not in NO_SUCH_API:
                    raise
                problem = _refusal(error).problem
                raise NoBatchApiError(f"the service's batches cannot be used: {problem}") from None

        return self._with_retries(send)

    def uploaded(self, token: str) -> list[str]:
        """Return the files that were uploaded for a token; none if the service cannot list files."""

        def search(client: openai.OpenAI) -> list[str]:
            try:
                return [each.id for each in client.files.list(purpose="batch") if each.filename == _file_name(token)]
            except openai.APIStatusError as error:
                if error.status_code not in NO_SUCH_API:
                    raise
                return []

        return self._with_retries(search)

    def create(self, file_id: str, token: str) -> JobState | None:
        """Create a job for a file, with one request only, as a job costs money; None if its success is unknown.

        Raises EmbedderError when the service refuses the job.
        """
        with self._open_client() as client:
            try:
                return _state_of(
                    client.batches.create(
                        input_file_id=file_id, endpoint="/v1/embeddings", completion_window="24h",
                        metadata={TOKEN: token},
                    )
                )  # fmt: skip
            except openai.APIStatusError as error:
                if _refusal(error).action != "retry":
                    raise EmbedderError(f"the service made no batch: {_refusal(error).problem}") from None
            except (openai.APIConnectionError, json.JSONDecodeError):
                pass
            return None

    def find(self, token: str) -> JobState | None:
        """Return the job with a token in its metadata, or None."""

        def search(client: openai.OpenAI) -> JobState | None:
            for batch in client.batches.list(limit=100):
                if (batch.metadata or {}).get(TOKEN) == token:
                    return _state_of(batch)
            return None

        return self._with_retries(search)

    def find_or_prevent(self, file_id: str, token: str) -> JobState | None:
        """Return the job of a file, or None; then the file is deleted, so that no job can be made of it later."""
        state = self.find(token)
        if state is None:
            self.delete(file_id)
            state = self.find(token)
        return state

    def delete(self, file_id: str) -> None:
        """Delete a file, if it exists."""

        def remove(client: openai.OpenAI) -> None:
            try:
                client.files.delete(file_id)
            except openai.NotFoundError:
                return

        self._with_retries(remove)

    def state(self, service_id: str) -> JobState | None:
        """Return the state of a job; None if the service does not know it."""

        def ask(client: openai.OpenAI) -> JobState | None:
            try:
                return _state_of(client.batches.retrieve(service_id))
            except openai.NotFoundError:
                return None

        return self._with_retries(ask)

    def results(self, state: JobState, model: Model) -> Iterator[TextResult]:
        """Yield the results of a job that has ended; an interrupted download continues where it ended."""
        for file_id in state.files:
            lines_read = 0
            with _as_embedder_error():
                for attempt in HttpRetries(MAX_PAUSES + 1).policy.tries():
                    with (
                        attempt,
                        _as_retryable_error(),
                        self._open_client() as client,
                        client.files.with_streaming_response.content(file_id) as content,
                    ):
                        for number, line in enumerate(content.iter_lines()):
                            if number >= lines_read and line.strip():
                                yield from _results_in(line, model)
                            lines_read = max(lines_read, number + 1)

    def _with_retries(self, call: Callable[[openai.OpenAI], T]) -> T:
        def attempt() -> T:
            with _as_retryable_error():
                return call(client)

        with self._open_client() as client, _as_embedder_error():
            return HttpRetries(MAX_PAUSES + 1).policy.run(attempt)


@contextmanager
def _as_retryable_error() -> Iterator[None]:
    """Turn an error of the service into a RetryableError with the attempts and the pause that its class allows."""
    try:
        yield
    except (openai.APIError, json.JSONDecodeError) as error:
        refusal = _refusal(error)
        attempts = {"retry": ATTEMPTS, "pause": MAX_PAUSES + 1}.get(refusal.action, 1)
        raise RetryableError(refusal.problem, attempts, refusal.seconds) from None


@contextmanager
def _as_embedder_error() -> Iterator[None]:
    """Turn the error of the last attempt into an EmbedderError."""
    try:
        yield
    except RetryableError as error:
        raise EmbedderError(f"the service's batches cannot be used: {error}") from None


def limit_named_in(message: str) -> int | None:
    """Return the limit of waiting tokens that a refusal names, or None."""
    named = LIMIT_IN_MESSAGE.search(message)
    return int(named[1].replace(",", "")) if named else None


def _file_name(token: str) -> str:
    return f"{TOKEN}-{token}.jsonl"


def _request_line(model: Model, parameters: Parameters, text_hash: str, text: str) -> str:
    request = {
        "custom_id": text_hash, "method": "POST", "url": "/v1/embeddings", "body": model.request(text, parameters),
    }  # fmt: skip
    return json.dumps(request) + "\n"


def _state_of(batch: Batch) -> JobState:
    errors = (batch.errors and batch.errors.data) or []
    problems = [problem.message or problem.code or "" for problem in errors]
    return JobState(
        service_id=batch.id,
        status=batch.status,
        files=tuple(file_id for file_id in (batch.output_file_id, batch.error_file_id) if file_id),
        done=batch.request_counts.completed if batch.request_counts else 0,
        failed=batch.request_counts.failed if batch.request_counts else 0,
        problem="; ".join(problems)[:300],
        codes=tuple(problem.code for problem in errors if problem.code),
    )


def _refusal(error: Exception) -> Refusal:
    if isinstance(error, openai.APIStatusError):
        return refusal_in(error)
    return refusal_without_response(error, OPENAI_ERRORS)


def _results_in(line: str, model: Model) -> Iterator[TextResult]:
    """Yield the result in a line; nothing for a line that cannot be read, whose text stays due."""
    try:
        entry = json.loads(line.removeprefix("\ufeff"))  # a file may begin with a byte order mark
        text_hash, response = str(entry["custom_id"]), entry.get("response") or {}
        content, status = response.get("body") or {}, int(response.get("status_code") or 0)
    except (ValueError, TypeError, KeyError, AttributeError):
        return
    if status == OK:
        outcome, tokens = outcome_of(content, model, 1), tokens_of(content)
        charged = 0 if tokens is None and isinstance(outcome, Refusal) else tokens
        yield TextResult(text_hash, outcome, charged, model_of(content))
        return
    code, message = message_of_error(content or entry.get("error"))
    if status:
        yield TextResult(text_hash, refusal_of(status, code, message, {}, datetime.now(UTC), model.errors), 0)
    else:
        yield TextResult(text_hash, Refusal("retry", f"{code or 'error'}: {message}"[:300]), 0)
