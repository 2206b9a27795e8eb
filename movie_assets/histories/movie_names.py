"""The keys of films' names: an id if a file has one, else title and year, with the source's mark for equal titles."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from movie_assets.histories.rows import MovieName


class NameKey(NamedTuple):
    """The name under which a movie is stored, and how many movies of the file have its title and year."""

    name: str
    rivals: int


def name_keys(movies: Sequence[MovieName]) -> list[NameKey]:
    """Return the keys of movies, in the same order.

    Movies without ids and with the same title and year, but different marks, are rivals: they get keys with the mark.
    """
    marks = defaultdict[tuple[str, int | None], set[str]](set)
    for movie in movies:
        if not movie.tmdb_id and not movie.imdb_id and movie.ref:
            marks[movie.title, movie.year].add(movie.ref)
    return [_name_key(movie, len(marks.get((movie.title, movie.year), ()))) for movie in movies]


def _name_key(movie: MovieName, rivals: int) -> NameKey:
    if movie.tmdb_id:
        return NameKey(f"tmdb:{movie.tmdb_id}", 1)
    if movie.imdb_id:
        return NameKey(f"imdb:{movie.imdb_id}", 1)
    name = movie.title if movie.year is None else f"{movie.title} ({movie.year})"
    return NameKey(f"{name} {movie.ref}".rstrip(), rivals) if rivals > 1 else NameKey(name, 1)
