"""The questions with which embedding models are compared, made of the films of a catalogue.

A question is one sentence of a film's overview, or half of an overview of one sentence. It is left out of the film's
text, so that the text can only be found by what the question means. It has no word of the title, which the text keeps.
The same films and sentences are chosen each time.
"""

import re
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
WORD = re.compile(r"\w+")
MIN_SENTENCE = 40  # characters of a question, and of what is left of the overview without it
SHORT_WORD = 3  # letters; a sentence may share such words with the title ("The", "of")


class SampledMovie(NamedTuple):
    """A film of the sample; `collection_id` is None if it is in no collection."""

    title_id: int
    title: str
    overview: str | None
    embedding_text: str
    collection_id: int | None


class PlotQuestion(NamedTuple):
    """A question, and the place in the sample of the film that it is about."""

    text: str
    place: int


@dataclass(frozen=True)
class ComparisonSample:
    """The texts of the sampled films, questions about some of them, and the others of each film's collection.

    `franchises` has places in the sample.
    """

    texts: Sequence[str]
    questions: Sequence[PlotQuestion]
    franchises: Mapping[int, frozenset[int]]


def sample_of(movies: Sequence[SampledMovie], max_questions: int) -> ComparisonSample:
    """Make a sample of films: a question about each of the first films that allow one, up to `max_questions`."""
    texts, questions = [movie.embedding_text for movie in movies], list[PlotQuestion]()
    for place, movie in enumerate(movies):
        if len(questions) < max_questions and (split := question_and_rest(movie)):
            question, texts[place] = split
            questions.append(PlotQuestion(question, place))
    together = defaultdict[int, set[int]](set)
    for place, movie in enumerate(movies):
        if movie.collection_id is not None:
            together[movie.collection_id].add(place)
    franchises = {place: frozenset(places - {place}) for places in together.values() for place in places}
    return ComparisonSample(texts, questions, {place: others for place, others in franchises.items() if others})


def question_and_rest(movie: SampledMovie) -> tuple[str, str] | None:
    """Return a part of the overview, and the film's text without it; None if the overview allows no question."""
    overview = " ".join((movie.overview or "").split())
    if overview not in movie.embedding_text:
        return None
    of_title = {word for word in _words(movie.title) if len(word) > SHORT_WORD} or _words(movie.title)
    sentences = [
        sentence
        for sentence in _parts(overview)
        if MIN_SENTENCE <= len(sentence) <= len(overview) - MIN_SENTENCE and not of_title & _words(sentence)
    ]
    if not sentences:
        return None
    sentence = sentences[zlib.crc32(str(movie.title_id).encode()) % len(sentences)]
    return sentence, " ".join(movie.embedding_text.replace(sentence, " ").split())


def _parts(overview: str) -> list[str]:
    """Return the sentences, or both halves if there is only one sentence."""
    sentences = SENTENCE_END.split(overview)
    middle = overview.find(" ", len(overview) // 2)
    return sentences if len(sentences) > 1 or middle < 0 else [overview[:middle], overview[middle + 1 :]]


def _words(text: str) -> set[str]:
    return set(WORD.findall(text.casefold()))
