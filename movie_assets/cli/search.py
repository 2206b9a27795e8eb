"""The commands that find films, and the filters that they share: the names of catalog.condition_of as options."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click
from rich.markup import escape

from movie_assets.cli import report
from movie_assets.cli.terminal import console, notes
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, open_database
from movie_assets.orchestration.startup import database_for
from movie_assets.search.queries import (
    Movie,
    NoSuchMovieError,
    NothingToSearchError,
    TitleMatch,
    is_certain,
    recommend,
    recommend_for,
    resolve,
    search,
    similar,
)

Command = Callable[..., Any]
YEARS = click.IntRange(1870, 2200)
SPELT = {"genres", "without_genres", "keywords"}  # filters whose values have to be TMDB's names
MINUTES = click.IntRange(0, 30_000)
# An option, the filter of catalog.condition_of that it sets, what it takes (a list of texts unless said), and its help.
FILTERS: tuple[tuple[str, str, click.ParamType[Any] | None, str], ...] = (
    ("--genre", "genres", None, "Only films of this genre."),
    ("--without-genre", "without_genres", None, "No films of this genre."),
    ("--language", "languages", None, "Only films in this original language (ISO 639-1)."),
    ("--country", "countries", None, "Only films produced in this country (ISO 3166-1)."),
    ("--certification", "certifications", None, "Only films with this certification in the United States."),
    ("--keyword", "keywords", None, "Only films with this keyword of TMDB's."),
    ("--person", "people", None, "Only films with this person in cast or crew."),
    ("--from", "year_from", YEARS, "Only films released in this year or later."),
    ("--to", "year_to", YEARS, "Only films released in this year or earlier."),
    ("--runtime-from", "runtime_from", MINUTES, "Only films of so many minutes or more."),
    ("--runtime-to", "runtime_to", MINUTES, "Only films of so many minutes or less."),
    ("--min-votes", "min_votes", click.IntRange(0), "Only films with so many votes or more."),
    ("--min-average", "min_average", click.FloatRange(0, 10), "Only films with this average of votes or a higher one."),
)


def with_filters(command: Command) -> Command:
    """Give a command the options of FILTERS; `filters_of` turns what they were set to into filters."""
    for option, name, takes, says in reversed(FILTERS):
        if takes is None:
            command = click.option(option, name, multiple=True, help=f"{says} May be given several times.")(command)
        else:
            command = click.option(option, name, type=takes, help=says)(command)
    return command


def filters_of(given: dict[str, Any]) -> dict[str, Any]:
    """The filters that were set, as catalog.condition_of takes them."""
    listed = {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}
    return {name: value for name, value in listed.items() if value not in (None, [])}


def with_count(command: Command) -> Command:
    """Give a command the options that say how many films, and in which form."""
    command = click.option("--json", "as_json", is_flag=True, help="Print the films as JSON.")(command)
    return click.option(
        "--count", "-n", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many films."
    )(command)


@click.command("search")
@click.argument("text", nargs=-1, required=True)
@with_count
@with_filters
def search_command(text: tuple[str, ...], count: int, as_json: bool, **filters: Any) -> None:
    """Find films by title, people, keywords or what they are about; typing errors are forgiven.

    Words always count. Meaning counts too where the text can be embedded as the catalogue was. Example: movie-assets
    search a detective investigates a murder in a mansion
    """
    wanted = " ".join(text)
    with database_for(Settings.from_env(), only_reads=True) as ready, open_database(ready) as database:
        wished = filters_of(filters)
        films, missing = search(database, ready, wanted, count, wished)
        if missing:
            notes.print(escape(f"Searched by words only: {missing}."), highlight=False)
        show_films(f"“{wanted}”", films, wished, as_json=as_json)


@click.command("similar")
@click.argument("title_or_id", nargs=-1, required=True)
@with_count
@with_filters
def similar_command(title_or_id: tuple[str, ...], count: int, as_json: bool, **filters: Any) -> None:
    """Find films like a film, given by its title (with its year, if there are several) or its TMDB id.

    Example: movie-assets similar The Dark Knight (2008)
    """
    with database_for(Settings.from_env(), only_reads=True) as ready, open_database(ready) as database:
        wanted = " ".join(title_or_id)
        film = _the_film(database, wanted)
        wished = filters_of(filters)
        films = similar(database, film.tmdb_id, count, wished)
        show_films(f"like {film.title} ({film.release_year})", films, wished, as_json=as_json)


@click.command("recommend")
@click.option("--loved", multiple=True, metavar="FILM", help="A film you loved, by title or id; may be given again.")
@click.option("--liked", multiple=True, metavar="FILM", help="A film you liked.")
@click.option("--disliked", multiple=True, metavar="FILM", help="A film you disliked.")
@click.option("--for", "person", metavar="NAME", help="Somebody with a watch history, instead of films.")
@click.option(
    "--diversity", type=click.FloatRange(0, 1), help="How unlike each other the films should be. Default 0.2."
)
@with_count
@with_filters
def recommend_command(
    loved: tuple[str, ...], liked: tuple[str, ...], disliked: tuple[str, ...], person: str | None,
    diversity: float | None, count: int, as_json: bool, **filters: Any,
) -> None:  # fmt: skip
    """Find films for somebody who loved, liked or disliked others; none of those are among them.

    For somebody whose watch history is known, --for NAME: nothing that this person saw is among them. With dislikes
    alone, or nothing, it begins from the films that most people voted for. Example: movie-assets recommend --loved
    "Knives Out" --disliked Cats
    """
    if person is not None and (loved or liked or disliked or diversity is not None):
        raise click.UsageError(
            "--for goes by what the person watched: leave out --loved, --liked, --disliked, --diversity"
        )
    wished = filters_of(filters)
    with database_for(Settings.from_env(), only_reads=True) as ready, open_database(ready) as database:
        if person is not None:
            found = recommend_for(database, person, count, wished)
            show_films(f"recommended for {person}", found, wished, as_json=as_json)
            return
        films = {
            how: [_the_film(database, title) for title in titles]
            for how, titles in (("loved", loved), ("liked", liked), ("disliked", _known(database, disliked)))
        }
        _refuse_contradictions(films)
        named = {how: [film.tmdb_id for film in of_them] for how, of_them in films.items()}
        options = {} if diversity is None else {"diversity": diversity}
        show_films("recommended", recommend(database, named, count, wished, options), wished, as_json=as_json)


def _refuse_contradictions(films: Mapping[str, list[TitleMatch]]) -> None:
    """No film is named both ways; titles that are written differently may mean the same one."""
    disliked = {film.tmdb_id for film in films["disliked"]}
    both = {film.tmdb_id: _named(film) for film in [*films["loved"], *films["liked"]] if film.tmdb_id in disliked}
    if both:
        raise click.UsageError(f"these are named as disliked and as loved or liked: {'; '.join(both.values())}")


def _known(database: Database, disliked: tuple[str, ...]) -> list[str]:
    """Disliked films that the catalogue has. It cannot recommend another, so that one is left out, said aloud."""
    known = []
    for title in disliked:
        try:
            resolve(database, title)
            known.append(title)
        except NoSuchMovieError as error:
            notes.print(escape(f"Left out: {error}"), highlight=False)
    return known


def _the_film(database: Database, wanted: str) -> TitleMatch:
    """The film that a title or an id means, said aloud where it is not plain; raises when nobody can tell."""
    film, *others = resolve(database, wanted)
    if not is_certain(film, others):
        told = "; ".join(map(_named, [film, *others]))
        raise NothingToSearchError(
            f"the catalogue has no film that is clearly “{wanted}”; say one of these by its id: {told}"
        )
    if film.matched_by not in ("id", "exact title") or others:
        also = f" Also possible: {'; '.join(map(_named, others))}." if others else ""
        notes.print(escape(f"Taken as {_named(film)} ({film.matched_by}).{also}"), highlight=False)
    return film


def _named(film: TitleMatch) -> str:
    return f"{film.title} ({film.release_year or 'year unknown'}), {film.tmdb_id}"


def show_films(title: str, films: Sequence[Movie], filters: Mapping[str, Any], *, as_json: bool) -> None:
    """Films for a program or for a person."""
    if as_json:
        click.echo(json.dumps([report.film_as_json(film) for film in films], ensure_ascii=False))
    elif films:
        report.show_films(console, title, films)
    else:
        names = " Genres and keywords are written as TMDB writes them: Comedy, Science Fiction …"
        notes.print(f"No film is found.{names if SPELT & filters.keys() else ''}")
