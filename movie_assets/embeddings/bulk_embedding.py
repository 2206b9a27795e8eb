"""Embedding in bulk: jobs at the service are recorded so that no kill pays twice or loses results that were paid for.

The order of the steps ensures that: the intended job is committed with its texts, then the file is uploaded and its id
committed, then the job is created. A later run that finds a job without the service's id asks the service for a job
with its token, and sends it if there is none. No run sends a text that is in a job's list; it leaves the list in the
transaction that stores its vector and cost. Files at the service are deleted when no job needs them any more.
"""

from collections.abc import Callable, Iterator, Sequence

from movie_assets.embeddings.bulk_jobs import BulkJobs
from movie_assets.embeddings.bulk_results import ResultWriter, is_due_again
from movie_assets.embeddings.embedder import Embedder, EmbedderError
from movie_assets.embeddings.openai_bulk import (
    BYTES_PER_FILE,
    TEXTS_PER_JOB,
    BulkApi,
    JobState,
    NoBatchApiError,
    TextResult,
    limit_named_in,
)
from movie_assets.embeddings.openai_request import Model
from movie_assets.embeddings.packing import packed
from movie_assets.embeddings.providers.openai import MODELS
from movie_assets.embeddings.refusals import Refusal
from movie_assets.embeddings.spending import DatabaseBudget
from movie_assets.embeddings.store import BulkJob, EmbeddingStore, Text
from movie_assets.embeddings.tokens import MAX_TOKENS_OF_A_TEXT, USUAL_BYTES_PER_TOKEN

CHUNK = 512  # vectors in one transaction
FAILS_THE_JOB = ("stop", "omit", "diagnose")  # a refusal of one text with such an action holds for all of the job
SHARE_OF_QUEUE = 0.9  # of the tokens that may wait at the service, as ours are estimated
HOURS_TO_LIVE = 26  # a job is done or expired after a day; one that the service does not know then is lost


class BulkClient:
    """Sends bulk jobs and collects their results, for one run that holds the lock on bulk jobs."""

    def __init__(
        self, embedder: Embedder, bulk_api: BulkApi, store: EmbeddingStore, budget: DatabaseBudget,
        log: Callable[[str], None], bytes_per_token: float = USUAL_BYTES_PER_TOKEN,
    ) -> None:  # fmt: skip
        self._bytes_per_token = bytes_per_token
        self._embedder, self._bulk_api, self._store, self._budget, self._log = embedder, bulk_api, store, budget, log
        self._model = Model(embedder.model, embedder.dimensions)
        self.jobs = BulkJobs(embedder, store)
        self.running = 0  # jobs that had not ended when they were last asked for

    def collect(self, *, may_send: bool) -> Iterator[list[str]]:
        """Store the results of all jobs that have ended, and ask for the state of the others.

        Yields hashes of texts of this set that got a vector or were rejected, one transaction at a time. Jobs that were
        recorded and not created are left for `resume` if this run `may_send` them; else they end.
        """
        self.running = 0
        for job in self.jobs.open():
            if job.service_id is None and job.input_file_id is None:
                self._keep_or_end(job, may_send=may_send)
                continue
            state = self._state_of(job)
            if state is None:
                self._without_service(job, may_send=may_send)
            elif state.was_refused_for_room:
                self._wait_for_room(job, state.problem, may_send=may_send)
            elif state.has_ended:
                yield from self._collect_job(job, state)
            else:
                self.running += 1
                self._log(f"batch {job.bulk_id}: {state.status}, {state.done:,} of {job.texts:,} texts")

    def resume(self) -> str | None:
        """Send the recorded jobs of this set that were not created; return the reason if the budget is too small.

        Their texts are due again then, so that the sensor waits for the budget. Jobs for which the service's queue has
        no room stay.
        """
        for job in self.jobs.open():
            if job.service_id is not None or job.input_file_id is not None:
                continue
            self.jobs.drop_texts_without_movie(job.bulk_id)
            texts = self.jobs.texts_of(job.bulk_id)
            cut = self._cut(list(texts.values()))
            if not cut:
                self.jobs.end(job.bulk_id, job.reservation_id, "without texts")
            elif not self._has_room(tokens := self._estimate(cut)):
                self._log(f"batch {job.bulk_id}: {len(cut):,} texts wait for room in the service's queue")
                self.jobs.defer(job)
            elif (reservation := self._reserve(cut)) is None:
                self.jobs.end(job.bulk_id, job.reservation_id, "not sent")
                return self._budget.exhausted_message()
            else:
                self._delete_unrecorded_files(job)
                self.jobs.begin(job, len(cut), tokens, reservation or None)
                self._send(job.bulk_id, job.token, list(zip(texts, cut, strict=True)), reservation)
        return None

    def submit(self, texts: Sequence[Text]) -> str | None:
        """Send texts in as many jobs as they need; return the reason if not all of them were sent."""
        cut = self._cut(texts)
        waiting = [tuple(pack) for pack in self._packs(cut)]
        if waiting and self._embedder.model not in MODELS:
            # Not a model of OpenAI: the probe learns which parameters the server accepts before a file has them.
            self._embedder.probe()
        while waiting:
            pack = waiting.pop(0)
            in_pack = [(texts[n].text_hash, cut[n]) for n in pack]
            tokens = self._estimate([text for _, text in in_pack])
            if not self._has_room(tokens):
                bulk_id, _ = self.jobs.plan([text_hash for text_hash, _ in in_pack], tokens, None)
                self._log(f"batch {bulk_id}: {len(pack):,} texts wait for room in the service's queue")
                continue
            reservation = self._reserve([text for _, text in in_pack])
            if reservation is not None:
                bulk_id, token = self.jobs.plan([text_hash for text_hash, _ in in_pack], tokens, reservation or None)
                self._send(bulk_id, token, in_pack, reservation)
            elif len(pack) > 1:
                waiting[:0] = [pack[: len(pack) // 2], pack[len(pack) // 2 :]]
            else:
                return self._budget.exhausted_message()
        return None

    def delete_files(self) -> None:
        """Delete the files at the service that no job needs any more; a refusal is logged, and tried again later."""
        for job in self.jobs.unneeded_files():
            for number, file_id in enumerate(job.files):
                try:
                    self._bulk_api.delete(file_id)
                except EmbedderError as error:
                    self.jobs.record_files_left(job.bulk_id, job.files[number:])
                    self._log(f"a file of batch {job.bulk_id} stays at the service, {file_id}: {error}")
                    return
            self.jobs.record_files_left(job.bulk_id, [])

    def _delete_unrecorded_files(self, job: BulkJob) -> None:
        """Delete what a run uploaded for a job that was killed before it recorded the file."""
        try:
            for file_id in self._bulk_api.uploaded(job.token):
                self._bulk_api.delete(file_id)
        except EmbedderError as error:
            self._log(f"a file of batch {job.bulk_id} may stay at the service: {error}")

    def _cut(self, texts: Sequence[Text]) -> list[str]:
        """Return the texts as they are sent: marked as documents where the model tells them from queries, and cut."""
        marked = self._embedder.roles.applied([text.text for text in texts], "document")
        return [self._embedder.counter.cut(text, MAX_TOKENS_OF_A_TEXT) for text in marked]

    def _estimate(self, texts: Sequence[str]) -> int:
        return sum(self._embedder.counter.estimate(text, self._bytes_per_token) for text in texts)

    def _packs(self, texts: Sequence[str]) -> Iterator[Sequence[int]]:
        """Yield the positions of each job's texts: a file is bounded, and so are the tokens that may wait."""
        # A line has a hundred bytes of frame, and a character outside ASCII takes twelve as JSON escapes it.
        sizes = [300 + 6 * len(text.encode(errors="replace")) for text in texts]
        limit = self.jobs.queue().token_limit
        for pack in packed(sizes, TEXTS_PER_JOB, BYTES_PER_FILE):
            if limit is None:
                yield pack
            else:
                tokens = [self._estimate([texts[n]]) for n in pack]
                yield from (
                    pack[part.start : part.stop] for part in packed(tokens, len(pack), int(SHARE_OF_QUEUE * limit))
                )

    def _has_room(self, tokens: int) -> bool:
        """Return whether so many more tokens may wait at the service; always if nothing waits."""
        queue = self.jobs.queue()
        return (
            queue.token_limit is None or not queue.jobs or queue.tokens + tokens <= SHARE_OF_QUEUE * queue.token_limit
        )

    def _reserve(self, texts: Sequence[str]) -> int | None:
        tokens = sum(self._embedder.counter.count(text) for text in texts)
        return self._budget.reserve(tokens, self._embedder.price.of(tokens, in_bulk=True))

    def _send(self, bulk_id: int, token: str, texts: Sequence[tuple[str, str]], reservation: int) -> None:
        """Send a job that was recorded."""
        try:
            file_id = self._bulk_api.upload(self._model, texts, token)
        except NoBatchApiError:
            self.jobs.end(bulk_id, reservation or None, "not sent")
            raise
        self.jobs.record_file(bulk_id, file_id)
        try:
            state = self._bulk_api.create(file_id, token)
        except EmbedderError as error:
            self.jobs.end(bulk_id, reservation or None, "refused", str(error)[:300])
            raise
        self._store.totals.sent_in_bulk += len(texts)
        if state is not None:
            self.jobs.record_state(bulk_id, state)
            self._log(f"batch {bulk_id}: {len(texts):,} texts sent to the service ({state.service_id})")

    def _state_of(self, job: BulkJob) -> JobState | None:
        """Ask for the state of a job, and record it; None if the service has no such job."""
        if job.service_id is not None:
            state = self._bulk_api.state(job.service_id)
        else:
            state = self._bulk_api.find_or_prevent(job.input_file_id or "", job.token)
        if state is not None:
            self.jobs.record_state(job.bulk_id, state)
        return state

    def _without_service(self, job: BulkJob, *, may_send: bool) -> None:
        """Deal with a job that the service does not know: it was never created, or it can be read no longer."""
        if job.service_id is None:
            self._keep_or_end(job, may_send=may_send)
            return
        hours = (self._store.as_of - job.as_of).total_seconds() / 3600
        if hours > HOURS_TO_LIVE:
            self.jobs.end(job.bulk_id, job.reservation_id, "lost", "the service does not know this batch")
        self._log(
            f"batch {job.bulk_id}: the service does not know {job.service_id}; was the key changed? "
            + (
                "its texts are due again"
                if hours > HOURS_TO_LIVE
                else f"it is given up {HOURS_TO_LIVE} h after it was sent"
            )
        )

    def _keep_or_end(self, job: BulkJob, *, may_send: bool) -> None:
        """Keep a job that was not created for `resume`; end it if this run sends none, or only those of another set."""
        if not may_send or job.set_id != self._store.set_id:
            self._delete_unrecorded_files(job)
            self.jobs.end(job.bulk_id, job.reservation_id, "never made")
        elif job.input_file_id is not None:
            self.jobs.defer(job)

    def _wait_for_room(self, job: BulkJob, problem: str, *, may_send: bool) -> None:
        """Let a job wait that the service refused as too many tokens wait; a job that is too large itself is split."""
        limit = limit_named_in(problem) or max(1, self.jobs.queue().tokens // 2)
        self.jobs.defer(job, limit, problem)
        self._log(f"batch {job.bulk_id}: {problem}; its {job.texts:,} texts wait for room in the service's queue")
        if not may_send or job.set_id != self._store.set_id or job.tokens > SHARE_OF_QUEUE * limit:
            self.jobs.end(job.bulk_id, None, "never made")  # its texts are due again, in smaller jobs

    def _collect_job(self, job: BulkJob, state: JobState) -> Iterator[list[str]]:
        """Store the results of a job that has ended, then mark it as collected."""
        pending = self.jobs.texts_of(job.bulk_id)
        writer = ResultWriter(self._store, self._embedder, job, self._bytes_per_token)
        chunk: dict[str, TextResult] = {}
        for result in self._bulk_api.results(state, Model(job.model, job.dimensions)):
            if result.text_hash not in pending or is_due_again(result):
                continue
            if isinstance(result.outcome, Refusal) and result.outcome.action in FAILS_THE_JOB:
                self.jobs.end(job.bulk_id, job.reservation_id, state.status, result.outcome.problem)
                raise EmbedderError(f"batch {job.bulk_id}: {result.outcome.problem}")
            chunk[result.text_hash] = result
            if len(chunk) == CHUNK:
                yield writer.store([pending.pop(each) for each in chunk], list(chunk.values()))
                chunk = {}
        if chunk:
            yield writer.store([pending.pop(each) for each in chunk], list(chunk.values()))
        self.jobs.end(job.bulk_id, job.reservation_id, state.status)
        self._store.totals.left_by_bulk.update(each for each, text in pending.items() if text.films)
        due_again = f", {len(pending):,} are due again" if pending else ""
        problem = f" ({state.problem})" if state.problem else ""
        self._log(f"batch {job.bulk_id}: {state.status}, {writer.stored:,} vectors stored{due_again}{problem}")
