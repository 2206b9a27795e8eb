"""Searches for the command line, through the same SQL functions that applications call."""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple, NotRequired, TypedDict

from movie_assets.config.embedding_settings import LOCAL
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.embeddings.embedder import EmbedderError, former_provider
from movie_assets.embeddings.providers.local import HASHING
from movie_assets.embeddings.registry import embedder_for
from movie_assets.embeddings.sets import ActiveSet

Filters = Mapping[str, object]  # as catalog.condition_of takes them
MAX_QUESTION = 10_000  # characters that catalog.question_vector takes
NO_VECTORS = "the catalogue has no vectors yet"
SAME_TITLE = ("id", "exact", "normalised", "loose")  # first words of matched_by where a film has the given title
MAX_DIGITS = 10  # of an id
MIN_CONFIDENCE = 0.6  # in a title that is spelt differently …
MIN_LEAD = 0.1  # … and how far it has to be ahead of the next film


class TitleMatch(NamedTuple):
    """A film that a title or an id can mean, with a confidence from 0 to 1 and a description of the match."""

    title_id: int
    title: str
    release_year: int | None
    confidence: float
    matched_by: str


class SharedFeatures(TypedDict, total=False):
    """The features that two films have in common, from catalog.shared_features; `collection` is TMDB's id of one."""

    people: list[str]
    genres: list[str]
    keywords: list[str]
    collection: int


class Reason(TypedDict):
    """A film for which another one is recommended, from catalog.reasons_of.

    The title is None when the catalogue no longer has the film. `how` is `loved` or `liked`.
    """

    title_id: int
    media_type: str
    tmdb_id: int
    title: str | None
    how: str
    weight: float
    shared: SharedFeatures | None


FoundWord = TypedDict("FoundWord", {"word": str, "in": list[str], "meant": NotRequired[list[str]]})


class NamedMovie(TypedDict):
    """A film that a question names, of the media type of the film that was found."""

    tmdb_id: int
    title: str


class Why(TypedDict, total=False):
    """Why a search found a film, from catalog.why_found, which says what each key holds."""

    title: str
    series: str
    like: NamedMovie
    words: list[FoundWord]
    missing: list[str]
    sentence: str
    similarity: float


class FoundMovie(NamedTuple):
    """A film that a search found. `found_by` names the fields that matched, and `meaning` for its vector; see `Why`."""

    title_id: int
    media_type: str
    tmdb_id: int
    title: str
    release_year: int | None
    score: float
    found_by: list[str]
    genres: list[str]
    directors: list[str]
    overview: str | None
    vote_average: float | None
    vote_count: int | None
    why: Why


class SimilarMovie(NamedTuple):
    """A film near another one, with the cosine similarity of their vectors and the features that both have."""

    title_id: int
    media_type: str
    tmdb_id: int
    title: str
    release_year: int | None
    similarity: float
    shared_features: SharedFeatures
    genres: list[str]
    directors: list[str]
    overview: str | None
    vote_average: float | None
    vote_count: int | None


class RecommendedMovie(NamedTuple):
    """A film recommended by its likeness to others; `because` is the title of the loved or liked film nearest to it."""

    title_id: int
    media_type: str
    tmdb_id: int
    title: str
    release_year: int | None
    similarity: float | None
    score: float
    because: str | None
    shared_features: SharedFeatures | None
    reasons: list[Reason]
    genres: list[str]
    directors: list[str]
    overview: str | None
    vote_average: float | None
    vote_count: int | None


class PersonalRecommendation(NamedTuple):
    """A film recommended to a person with a watch history. A precomputed one was read from the person's stored list."""

    title_id: int
    media_type: str
    tmdb_id: int
    title: str
    release_year: int | None
    score: float
    is_precomputed: bool
    reasons: list[Reason]
    genres: list[str]
    directors: list[str]
    overview: str | None
    vote_average: float | None
    vote_count: int | None


class PersonWithHistory(NamedTuple):
    """The name of a person who has a watch history."""

    person: str


Movie = FoundMovie | SimilarMovie | RecommendedMovie | PersonalRecommendation


class NothingToSearchError(Exception):
    """There is no catalogue to search in yet, or no film of that name; the message names the remedy."""


class NoSuchMovieError(NothingToSearchError):
    """The catalogue has no film of that name."""


def search(
    database: Database, settings: Settings, text: str, count: int, filters: Filters | None = None
) -> tuple[list[FoundMovie], str | None]:
    """Find films by the words and the meaning of a text.

    Returns the films, best first, and the reason if the search used only words. Raises NothingToSearchError when the
    catalogue or the text is empty.
    """
    _require_movies(database)
    if not text.strip():
        raise NothingToSearchError("say what the films should be about")
    set_id, vector, missing = _embedded(database, settings, text, media_of(filters))
    films = database.fetch(
        FoundMovie, "search_movies", text=text, count=count, filters=json.dumps(filters or {}), embedding=vector,
        set_id=set_id,
    )  # fmt: skip
    return films, missing


def _require_movies(database: Database) -> None:
    if not database.fetch_value(int, "count_movies"):
        raise NothingToSearchError("the catalogue is empty; run `movie-assets refresh` first")


def media_of(filters: Filters | None) -> list[str]:
    """Return the media types that filters name; movies if they name none."""
    named = (filters or {}).get("media_types")
    return [str(media) for media in named] if isinstance(named, list) and named else ["movie"]


def _embedded(
    database: Database, settings: Settings, text: str, media: Sequence[str]
) -> tuple[int | None, str | None, str | None]:
    """Embed a text with the model of the active set, whatever model the settings name.

    A keyless model uses the words that titles of the media types have.

    Returns the set and the vector, or the reason why there is no vector.
    """
    active = database.fetch_optional(ActiveSet, "active_set")
    if active is None:
        return None, None, NO_VECTORS
    try:
        embedder = embedder_for(settings, active.provider, active.model, active.dimensions, active.template)
        if active.provider not in (embedder.provider, former_provider(embedder.provider)):
            return None, None, f"OPENAI_BASE_URL names {embedder.provider}, the vectors are {active.provider}'s"
        if embedder.provider == LOCAL and embedder.model in HASHING:
            # SQL knows which words the films have.
            text = text[:MAX_QUESTION]
            vector = database.fetch_value(
                str, "question_vector", text=text, set_id=active.set_id, media=list(media)
            )  # fmt: skip
            return active.set_id, vector, None
        return active.set_id, str(embedder.embed([text], "query").vectors[0].tolist()), None
    except EmbedderError as error:
        return None, None, str(error)


def resolve(database: Database, title_or_id: str, media: Sequence[str] = ("movie",)) -> list[TitleMatch]:
    """Return the films that a title or an id can mean, the most likely one first; at least one. See `is_certain`.

    They are of the media types in `media`; an id is TMDB's, or from 1,000,000,000 on a title_id. Raises
    NoSuchMovieError when no film matches, and NothingToSearchError without vectors or without a title.
    """
    if database.fetch_optional(ActiveSet, "active_set") is None:
        raise NothingToSearchError(f"{NO_VECTORS}; run `movie-assets refresh` first")
    if not title_or_id.strip():
        raise NothingToSearchError("name a film by its title or its TMDB id")
    matches: list[TitleMatch] = []
    if title_or_id.isdecimal() and len(title_or_id) <= MAX_DIGITS:
        matches = database.fetch(TitleMatch, "film_by_id", number=int(title_or_id), media=list(media))
    matches = matches or database.fetch(TitleMatch, "find_title", title=title_or_id, media=list(media))
    if not matches:
        raise NoSuchMovieError(
            f"the catalogue has no film that is titled “{title_or_id}” or nearly so; try `movie-assets search`"
        )
    return matches


def is_certain(film: TitleMatch, others: Sequence[TitleMatch]) -> bool:
    """Whether the most likely film can be taken without asking: by its exact title, or far ahead with a similar one."""
    if film.matched_by.split()[0] in SAME_TITLE:
        return True
    next_best = others[0].confidence if others else 0.0
    return film.confidence >= MIN_CONFIDENCE and film.confidence - next_best >= MIN_LEAD


def similar(database: Database, title_id: int, count: int, filters: Filters | None = None) -> list[SimilarMovie]:
    """Return the films nearest to a film, nearest first."""
    return database.fetch(
        SimilarMovie, "films_like", title_id=title_id, count=count, filters=json.dumps(filters or {})
    )  # fmt: skip


def recommend(
    database: Database, named: Mapping[str, Sequence[int]], count: int, filters: Filters, options: Mapping[str, object]
) -> list[RecommendedMovie]:
    """Recommend films by others: `named` has the ids of films under `loved`, `liked` and `disliked`.

    `options` are those of catalog.recommend_titles. Raises NothingToSearchError when the catalogue is empty.
    """
    _require_movies(database)
    return database.fetch(
        RecommendedMovie, "recommended_movies", loved=list(named["loved"]), liked=list(named["liked"]),
        disliked=list(named["disliked"]), filters=json.dumps(filters), count=count, options=json.dumps(options),
    )  # fmt: skip


def recommend_for(database: Database, person: str, count: int, filters: Filters) -> list[PersonalRecommendation]:
    """Recommend films that are not in a person's watch history. Raises NothingToSearchError for an unknown person."""
    known = [row.person for row in database.fetch(PersonWithHistory, "people_with_histories", person=person)]
    if person not in known:
        others = f"; some who have one: {', '.join(known)}" if known else ""
        raise NothingToSearchError(f"nobody called “{person}” has a watch history here{others}")
    return database.fetch(
        PersonalRecommendation, "person_recommendations", person=person, filters=json.dumps(filters), count=count
    )
