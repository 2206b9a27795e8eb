"""The commands that find films, and the options that they share: the filters of catalog.condition_of."""

import json
from collections.abc import Callable, Mapping, Sequence

import click
from rich.markup import escape

from movie_assets.cli import report_films
from movie_assets.cli.terminal import console, notes
from movie_assets.config.setting_values import MEDIA_WORDS
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, open_database
from movie_assets.orchestration.startup import database_for
from movie_assets.search.queries import (
    Movie,
    NoSuchMovieError,
    NothingToSearchError,
    TitleMatch,
    is_certain,
    media_of,
    recommend,
    recommend_for,
    resolve,
    search,
    similar,
)
from movie_assets.search.rerank import candidates, rerank_films

Command = Callable[..., object]
YEARS = click.IntRange(1870, 2200)
ALL_MEDIA = tuple(MEDIA_WORDS.values())
NAMED_BY_TMDB = {"genres", "without_genres", "keywords"}  # filters whose values have to be TMDB's names
MINUTES = click.IntRange(0, 30_000)
# An option, the filter of catalog.condition_of that it sets, its type (None for a list of texts), and its help text.
FILTERS: tuple[tuple[str, str, click.IntRange | click.FloatRange | click.types.StringParamType | None, str], ...] = (
    ("--media", "media_types", None, "Titles of this media type, movie or series, in place of movies."),
    ("--genre", "genres", None, "Only films of this genre."),
    ("--without-genre", "without_genres", None, "No films of this genre."),
    ("--language", "languages", None, "Only films in this original language (ISO 639-1)."),
    ("--country", "countries", None, "Only films produced in this country (ISO 3166-1)."),
    ("--certification", "certifications", None, "Only films with this certification in the United States."),
    (
        "--max-age",
        "max_age",
        click.IntRange(0, 21),
        "Only films that are suitable at this age by their certifications.",
    ),
    ("--certified-in", "country", click.STRING, "The country of these certifications, in place of the United States."),
    ("--keyword", "keywords", None, "Only films with this TMDB keyword."),
    ("--person", "people", None, "Only films with this person in cast or crew."),
    ("--from", "year_from", YEARS, "Only films released in this year or later."),
    ("--to", "year_to", YEARS, "Only films released in this year or earlier."),
    ("--runtime-from", "runtime_from", MINUTES, "Only films of at least so many minutes."),
    ("--runtime-to", "runtime_to", MINUTES, "Only films of at most so many minutes."),
    ("--min-votes", "min_votes", click.IntRange(0), "Only films with at least so many votes."),
    ("--min-average", "min_average", click.FloatRange(0, 10), "Only films with at least this average vote."),
)


def with_filters(command: Command) -> Command:
    """Add the options of FILTERS to a command; `filters_of` turns their values into filters."""
    for option, name, value_type, text in reversed(FILTERS):
        if value_type is None:
            command = click.option(option, name, multiple=True, help=f"{text} May be given several times.")(command)
        else:
            command = click.option(option, name, type=value_type, help=text)(command)
    return command


def filters_of(options: Mapping[str, object]) -> dict[str, object]:
    """Return the filters that were set, as catalog.condition_of takes them."""
    listed = {name: list(value) if isinstance(value, tuple) else value for name, value in options.items()}
    return {name: value for name, value in listed.items() if value not in (None, [])}


def with_count(command: Command) -> Command:
    """Add the options for the number of films and for JSON to a command."""
    command = click.option("--json", "as_json", is_flag=True, help="Print the films as JSON.")(command)
    return click.option(
        "--count", "-n", type=click.IntRange(1, 1000), default=10, show_default=True, help="Number of films."
    )(command)


@click.command("search")
@click.argument("text", nargs=-1, required=True)
@with_count
@with_filters
def search_command(text: tuple[str, ...], count: int, as_json: bool, **options: object) -> None:
    """Find films by title, people, keywords or plot; spelling mistakes are tolerated.

    The search compares words, and also meaning if the text can be embedded with the catalogue's model. Where
    MOVIE_ASSETS_RERANK_URL is set, a reranker orders the best films anew.

    Example: movie-assets search a detective investigates a murder in a mansion
    """
    query, filters = " ".join(text), filters_of(options)
    with database_for(Settings.from_env(), only_reads=True) as ready, open_database(ready) as database:
        films, reason_without_vector = search(database, ready, query, candidates(ready, count), filters)
        if reason_without_vector:
            notes.print(escape(f"Searched by words only: {reason_without_vector}."), highlight=False)
        films, reason_without_rerank = rerank_films(database, ready, query, films, count)
        if reason_without_rerank:
            notes.print(escape(f"In the order of the search: {reason_without_rerank}."), highlight=False)
        show_films(f"“{query}”", films, filters, as_json=as_json)


@click.command("similar")
@click.argument("title_or_id", nargs=-1, required=True)
@with_count
@with_filters
def similar_command(title_or_id: tuple[str, ...], count: int, as_json: bool, **options: object) -> None:
    """Find films similar to one, given by its title (with its year, if there are several) or its TMDB id.

    Example: movie-assets similar The Dark Knight (2008)
    """
    filters = filters_of(options)
    with database_for(Settings.from_env(), only_reads=True) as ready, open_database(ready) as database:
        film = _resolve_one(database, " ".join(title_or_id), media_of(filters))
        films = similar(database, film.title_id, count, filters)
        show_films(f"like {film.title} ({film.release_year})", films, filters, as_json=as_json)


@click.command("recommend")
@click.option("--loved", multiple=True, metavar="FILM", help="A film you loved, by title or id; may be given again.")
@click.option("--liked", multiple=True, metavar="FILM", help="A film you liked; may be given again.")
@click.option("--disliked", multiple=True, metavar="FILM", help="A film you disliked; may be given again.")
@click.option("--for", "person", metavar="NAME", help="A person with a watch history, instead of films.")
@click.option(
    "--diversity", type=click.FloatRange(0, 1), help="How different from each other the films should be. Default 0.2."
)
@with_count
@with_filters
def recommend_command(
    loved: tuple[str, ...], liked: tuple[str, ...], disliked: tuple[str, ...], person: str | None,
    diversity: float | None, count: int, as_json: bool, **options: object,
) -> None:  # fmt: skip
    """Recommend films to somebody who loved, liked or disliked others; the named films are left out.

    With --for NAME it recommends films to a person with a watch history, and leaves out what this person has seen. With
    dislikes alone, or without any film, it starts from the films with the most votes.

    Example: movie-assets recommend --loved "Knives Out" --disliked Cats
    """
    if person is not None and (loved or liked or disliked or diversity is not None):
        raise click.UsageError(
            "--for uses the person's watch history: leave out --loved, --liked, --disliked and --diversity"
        )
    filters = filters_of(options)
    with database_for(Settings.from_env(), only_reads=True) as ready, open_database(ready) as database:
        if person is not None:
            recommended = recommend_for(database, person, count, filters)
            show_films(f"recommended for {person}", recommended, filters, as_json=as_json)
            return
        media = media_of(filters)
        named = {
            how: [_resolve_one(database, title, media) for title in titles]
            for how, titles in (("loved", loved), ("liked", liked), ("disliked", _known(database, disliked)))
        }
        _refuse_contradictions(named)
        ids = {how: [film.title_id for film in films] for how, films in named.items()}
        parameters = {} if diversity is None else {"diversity": diversity}
        show_films("recommended", recommend(database, ids, count, filters, parameters), filters, as_json=as_json)


def _refuse_contradictions(films: Mapping[str, list[TitleMatch]]) -> None:
    """Raise UsageError if a film is named as liked and as disliked, even by titles that are written differently."""
    disliked = {film.title_id for film in films["disliked"]}
    both = {film.title_id: _named(film) for film in [*films["loved"], *films["liked"]] if film.title_id in disliked}
    if both:
        raise click.UsageError(f"these are named as disliked and as loved or liked: {'; '.join(both.values())}")


def _known(database: Database, disliked: tuple[str, ...]) -> list[str]:
    """Return the disliked titles that the catalogue has; print the others, which it cannot recommend anyway."""
    known = []
    for title in disliked:
        try:
            resolve(database, title, ALL_MEDIA)
            known.append(title)
        except NoSuchMovieError as error:
            notes.print(escape(f"Left out: {error}"), highlight=False)
    return known


def _resolve_one(database: Database, title_or_id: str, media: Sequence[str]) -> TitleMatch:
    """Return the film that a title or an id means; print which one if the title is not exact.

    It is of one of the media types, or of any if none of these is clearly meant. Raises NothingToSearchError if no film
    matches, or if several match and none is clearly the best.
    """
    film, *others = _matches(database, title_or_id, media)
    if not is_certain(film, others):
        candidates = "; ".join(map(_named, [film, *others]))
        raise NothingToSearchError(
            f"the catalogue has no film that is clearly “{title_or_id}”; name one of these by its id: {candidates}"
        )
    if film.matched_by not in ("id", "exact title") or others:
        also = f" Also possible: {'; '.join(map(_named, others))}." if others else ""
        notes.print(escape(f"Taken as {_named(film)} ({film.matched_by}).{also}"), highlight=False)
    return film


def _matches(database: Database, title_or_id: str, media: Sequence[str]) -> list[TitleMatch]:
    """Return what a title or an id can mean among the media types; among all if only this makes it clear."""
    try:
        matches = resolve(database, title_or_id, media)
    except NoSuchMovieError:
        return resolve(database, title_or_id, ALL_MEDIA)
    if is_certain(matches[0], matches[1:]):
        return matches
    of_any = resolve(database, title_or_id, ALL_MEDIA)
    return of_any if is_certain(of_any[0], of_any[1:]) else matches


def _named(film: TitleMatch) -> str:
    return f"{film.title} ({film.release_year or 'year unknown'}), {film.title_id}"


def show_films(title: str, films: Sequence[Movie], filters: Mapping[str, object], *, as_json: bool) -> None:
    """Print films as JSON, or below a title for people."""
    if as_json:
        click.echo(json.dumps([report_films.film_as_json(film) for film in films], ensure_ascii=False))
    elif films:
        report_films.show_films(console, title, films)
    else:
        names = " Write genres and keywords as TMDB does: Comedy, Science Fiction …"
        notes.print(f"No film was found.{names if NAMED_BY_TMDB & filters.keys() else ''}")
