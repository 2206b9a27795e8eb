"""Prints films that a search or a recommendation found, and returns them as JSON values."""

import json
import textwrap
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from rich.console import Console
from rich.markup import escape

from movie_assets.search.queries import (
    FoundMovie,
    Movie,
    PersonalRecommendation,
    Reason,
    RecommendedMovie,
    SharedFeatures,
    SimilarMovie,
)

MAX_NAMES = 3  # of people, keywords and genres that explain a result
MAX_PEOPLE = 2


def show_films(console: Console, title: str, films: Iterable[Movie]) -> None:
    """Print films below a title: score or similarity, film title, year, directors, why it was found, id, plot.

    Recommended films have the score that orders them, similar films their cosine similarity. Films that a search found
    have neither.
    """
    console.print(f"[bold]{escape(title)}[/]", highlight=False)
    for film in films:
        order = _order_of(film)
        number = f"{order:.2f}  " if order is not None else ""
        reasons = f"  ({explanation})" if (explanation := _explanation(film)) else ""
        year = f" ({film.release_year})" if film.release_year else ""
        by = f" by {', '.join(film.directors[:2])}" if film.directors else ""
        console.print(
            f"  {number}{escape(f'{film.title}{year}{by}{reasons}')}  [dim]{film.title_id}[/]", highlight=False
        )
        plot = textwrap.shorten(_sentence(film), 90, placeholder=" …")
        console.print(f"        [dim]{escape(plot)}[/]", highlight=False)


class TitleOfList(NamedTuple):
    """A title at its place in one of TMDB's lists."""

    rank: int
    title: str | None
    release_date: date | None
    in_catalogue: bool


def show_list(console: Console, title: str, listed: Iterable[TitleOfList]) -> None:
    """Print the first titles of a list below a title, a line each."""
    console.print(f"[bold]{escape(title)}[/]", highlight=False)
    for each in listed:
        year = f" ({each.release_date.year})" if each.release_date else ""
        lacks = "" if each.in_catalogue else "  not in the catalogue"
        console.print(escape(f"  {each.rank}. {each.title}{year}{lacks}"), highlight=False)


class Card(NamedTuple):
    """A card of a title in a language: its short payload, and the tag that changes with its facts."""

    language: str
    short_payload: dict[str, Any]
    facts_etag: str


def show_cards(console: Console, title: str, cards: Iterable[Card]) -> None:
    """Print cards as JSON below a title, a line each."""
    console.print(f"[bold]{escape(title)}[/]", highlight=False)
    for each in cards:
        text = json.dumps(each.short_payload, ensure_ascii=False)
        console.print(escape(f"  {each.language}: {text}"), highlight=False, soft_wrap=True)


class AiredEpisode(NamedTuple):
    """An episode of a series, with the day on which it is first broadcast."""

    title: str
    air_date: date
    season_number: int
    episode_number: int
    name: str | None


def show_episodes(console: Console, title: str, episodes: Iterable[AiredEpisode]) -> None:
    """Print episodes below a title, a line each, in the order of their days."""
    console.print(f"[bold]{escape(title)}[/]", highlight=False)
    for each in sorted(episodes, key=lambda each: each.air_date):
        name = f"  {each.name}" if each.name else ""
        console.print(
            escape(
                f"  {each.air_date}  {each.title}, season {each.season_number}, episode {each.episode_number}{name}"
            ),
            highlight=False,
        )


def _sentence(film: Movie) -> str:
    """Return the sentence of the plot that a search found, else the plot."""
    return (isinstance(film, FoundMovie) and film.why.get("sentence")) or film.overview or ""


def _order_of(film: Movie) -> float | None:
    """Return the number by which films of this kind are ordered; None for those of a search."""
    if isinstance(film, FoundMovie):
        return None
    return film.similarity if isinstance(film, SimilarMovie) else film.score


def _explanation(film: Movie) -> str:
    """Return why a film was found: the fields that matched, or the features that it shares with other films."""
    if isinstance(film, FoundMovie):
        return _from_why(film)
    if not isinstance(film, SimilarMovie) and film.reasons:
        return _from_reasons(film.reasons, film.directors)
    if isinstance(film, PersonalRecommendation):
        return ""
    names = _names(film.shared_features or {}, with_people=True)
    like = [f"like {film.because}"] if isinstance(film, RecommendedMovie) and film.because else []
    return ": ".join([*like, ", ".join(names)] if names else like)


def _from_why(film: FoundMovie) -> str:
    """Describe why a search found a film: the fields with their words, corrected words, and how near it is."""
    why, words = film.why, film.why.get("words", [])
    parts = [f"like {why['like']['title']}"] if "like" in why else []
    parts += [why["series"]] if "series" in why else []
    for name in film.found_by:
        if name == "meaning":
            parts.append(f"meaning {why['similarity']:.2f}" if "similarity" in why else name)
        elif name == "spelling":
            corrected = [f"{word['word']} as {' or '.join(word['meant'])}" for word in words if "meant" in word]
            parts.append(" ".join([name, ", ".join(corrected)]).strip())
        else:
            found = [word["word"] for word in words if name in word["in"]]
            parts.append(f"{name}: {' '.join(found)}" if found else name)
    return ", ".join(parts)


def _from_reasons(reasons: Sequence[Reason], directors: Sequence[str]) -> str:
    """Describe reasons of catalog.reasons_of: the films behind a recommendation, and what it shares with the first."""
    named = [reason for reason in reasons if reason["title"]]
    because = [
        f"you {how} {', '.join(titles)}"
        for how in ("loved", "liked")
        if (titles := [reason["title"] for reason in named if reason["title"] and reason["how"] == how])
    ]
    shared = next((reason["shared"] for reason in named if reason["shared"]), SharedFeatures())
    people = shared.get("people", [])
    parts = []
    if others := [name for name in people if name not in directors][:MAX_PEOPLE]:
        parts.append(f"with {', '.join(others)}")
    if makers := [name for name in people if name in directors][:MAX_PEOPLE]:
        parts.append(f"by {', '.join(makers)}")
    if not people and (names := _names(shared, with_people=False)):
        parts.append(f"also {', '.join(names)}")
    if because:
        parts.insert(0, f"because {' and '.join(because)}")
    return "; ".join(parts[:1]) + ("; " if parts[1:] else "") + ", ".join(parts[1:])


def _names(shared: SharedFeatures, *, with_people: bool) -> list[str]:
    people = shared.get("people", []) if with_people else []
    return [*people, *shared.get("keywords", []), *shared.get("genres", [])][:MAX_NAMES]


def film_as_json(film: Movie) -> dict[str, object]:
    """Return the fields of a film as JSON values: similarity and score with six decimals."""
    return {
        name: round(value, 6) if name in ("similarity", "score") and value is not None else value
        for name, value in film._asdict().items()
    }
