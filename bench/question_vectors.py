"""Embed questions as an application would, with the movie_assets of whatever checkout the interpreter finds.

Reads {"questions": […], "documents": […]} from standard input, and prints vectors of the questions as SQL takes them,
the milliseconds of embedding one question, and how many of the documents are embedded a second.
"""

import inspect
import json
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

import movie_assets
from movie_assets.config.settings import Settings
from movie_assets.embeddings.embedder import EmbedderError, UnlimitedBudget
from movie_assets.embeddings.registry import embedder_from

QUESTIONS_ONE_BY_ONE = 20
TEXTS_AT_ONCE = 100


def main() -> None:
    """Embed what standard input has. Ends with 1 and a sentence on standard error when a text gets no vector."""
    wanted: dict[str, list[str]] = json.load(sys.stdin)
    try:
        print(json.dumps({"code": movie_assets.__file__, **embedded(wanted["questions"], wanted["documents"])}))
    except EmbedderError as error:
        sys.exit(str(error))


def embedded(questions: Sequence[str], documents: Sequence[str]) -> dict[str, Any]:
    """Return the vectors of the questions, and the speed with questions and with documents."""
    embedder: Any = embedder_from(Settings.from_env())
    # Earlier releases did not tell questions from documents.
    role = {"role": "query"} if "role" in inspect.signature(embedder.embed).parameters else {}
    vectors: list[str] = []
    for start in range(0, len(questions), TEXTS_AT_ONCE):
        made = embedder.embed(questions[start : start + TEXTS_AT_ONCE], **role).vectors
        vectors += [json.dumps([round(value, 7) for value in vector.tolist()]) for vector in made]
    milliseconds = []
    for question in questions[:QUESTIONS_ONE_BY_ONE]:
        started = time.perf_counter()
        embedder.embed([question], **role)
        milliseconds.append(1000 * (time.perf_counter() - started))
    started = time.perf_counter()
    texts = sum(len(chunk.positions) for chunk in embedder.stream(documents, UnlimitedBudget()))
    return {
        "vectors": vectors,
        "question_ms": statistics.median(milliseconds) if milliseconds else None,
        "texts_a_second": texts / (time.perf_counter() - started),
    }


if __name__ == "__main__":
    main()
