"""What names of films are told apart by: ids where a file has them, else title and year, and the mark of twins."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from movie_assets.histories.rows import MovieName


class Keyed(NamedTuple):
    """The name under which a film is kept, and how many films of the file have its title and year."""

    name: str
    rivals: int


def keyed(films: Sequence[MovieName]) -> list[Keyed]:
    """The films' names, in the same order. Films without ids, of one title and year but other marks, are twins."""
    marks = defaultdict[tuple[str, int | None], set[str]](set)
    for film in films:
        if not film.tmdb_id and not film.imdb_id and film.ref:
            marks[film.title, film.year].add(film.ref)
    return [_keyed(film, len(marks.get((film.title, film.year), ()))) for film in films]


def _keyed(film: MovieName, twins: int) -> Keyed:
    if film.tmdb_id:
        return Keyed(f"tmdb:{film.tmdb_id}", 1)
    if film.imdb_id:
        return Keyed(f"imdb:{film.imdb_id}", 1)
    name = film.title if film.year is None else f"{film.title} ({film.year})"
    return Keyed(f"{name} {film.ref}".rstrip(), twins) if twins > 1 else Keyed(name, 1)
