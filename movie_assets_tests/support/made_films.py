"""Films of a made-up catalogue that are hard to tell apart, and searches in it as applications call them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from movie_assets.database.database import Database


@dataclass(frozen=True)
class Made:
    """A film of this test's world."""

    tmdb_id: int
    title: str
    year: int | None
    votes: int
    original: str = ""
    overview: str = ""
    people: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    genres: tuple[str, ...] = ("Drama",)
    alternative: tuple[str, ...] = ()
    translated: dict[str, str] = field(default_factory=dict)


FILMS = (
    Made(1, "Alien", 1979, 14000, people=("Ridley Scott", "Sigourney Weaver"), keywords=("spaceship",),
         translated={"fr": "Alien, le huitième passager"}),
    Made(2, "Aliens", 1986, 9000, people=("James Cameron", "Sigourney Weaver"), keywords=("spaceship", "marines")),
    Made(3, "Alien³", 1992, 5000, people=("David Fincher",)),
    Made(4, "The Dark Knight", 2008, 33000, people=("Christopher Nolan", "Christian Bale"), genres=("Action",),
         overview="A masked vigilante fights a clown who wants chaos.", translated={"de": "Der dunkle Ritter"}),
    Made(5, "The Dark Knight Rises", 2012, 22000, people=("Christopher Nolan", "Christian Bale")),
    Made(6, "Dune", 1984, 3000, people=("David Lynch",), keywords=("desert planet",)),
    Made(7, "Dune", 2021, 12000, people=("Denis Villeneuve",), keywords=("desert planet",)),
    Made(8, "Amélie", 2001, 11000, original="Le Fabuleux Destin d'Amélie Poulain",
         overview="A shy waitress in Paris decides to help her neighbours.", people=("Jean-Pierre Jeunet",)),
    Made(9, "Spirited Away", 2001, 16000, original="千と千尋の神隠し", people=("Hayao Miyazaki",)),
    Made(10, "WALL·E", 2008, 18000, keywords=("robot",), genres=("Animation",)),
    Made(11, "Tom & Jerry", 2021, 2000),
    Made(12, "Ocean's Eleven", 2001, 11000, people=("George Clooney", "Brad Pitt"), keywords=("heist", "casino")),
    Made(13, "12 Angry Men", 1957, 8000, overview="Twelve jurors argue about a murder."),
    Made(14, "Rocky II", 1979, 4000), Made(15, "It", 2017, 18000), Made(16, "$", 1971, 100),
    Made(17, "Seven Samurai", 1954, 3500, original="七人の侍", alternative=("The Magnificent Seven Samurai",)),
    Made(18, "The Thing", 1982, 6000), Made(19, "The Thing", 2011, 3000), Made(20, "Nameless Year", None, 50),
    Made(21, "Dinosaur Island", 1994, 40, overview="A boy befriends a lonely dinosaur on a tropical island.",
         keywords=("dinosaur", "friendship")),
    Made(22, "Brat", 1997, 400, original="Брат", translated={"en": "Brother"}),
)  # fmt: skip
MOVIE = """
insert into catalog.titles (
    title_id, title, original_title, original_language, release_date, overview, genres, keywords, directors,
    leading_cast, countries, embedding_text, text_hash, changed_at, runtime_minutes)
values (%(id)s, %(title)s, %(original)s, 'en', make_date(%(year)s, 1, 1), %(overview)s, %(genres)s, %(keywords)s,
    %(people)s, '{}', '{}', '', %(id)s, now(), 100)
"""


def put(database: Database, films: tuple[Made, ...]) -> None:
    with database.transaction() as connection:
        for film in films:
            values = {
                "id": film.tmdb_id, "title": film.title, "original": film.original or film.title, "year": film.year,
                "overview": film.overview, "genres": list(film.genres), "keywords": list(film.keywords),
                "people": list(film.people), "votes": film.votes,
            }  # fmt: skip
            connection.exec_driver_sql(MOVIE, values)
            connection.exec_driver_sql(
                "insert into catalog.title_stats values (%(id)s, 1, 7, %(votes)s, now())", values
            )
            for title in film.alternative:
                connection.exec_driver_sql(
                    "insert into catalog.title_alternative_titles values (%(id)s, 'US', %(title)s)",
                    {"id": film.tmdb_id, "title": title},
                )
            for language, title in film.translated.items():
                connection.exec_driver_sql(
                    "insert into catalog.title_translations values (%(id)s, %(language)s, '', %(title)s)",
                    {"id": film.tmdb_id, "language": language, "title": title},
                )


def put_set(database: Database, model: str, vectors: dict[int, str], dimensions: int) -> None:
    """Make an embedding set with these vectors, and make it the active one."""
    with database.transaction() as connection:
        connection.exec_driver_sql(
            "insert into pipeline.embedding_sets (provider, model, dimensions, template) "
            "values ('local', %(model)s, %(dimensions)s, 't')",
            {"model": model, "dimensions": dimensions},
        )
        for tmdb_id, embedding in vectors.items():
            connection.exec_driver_sql(
                "insert into pipeline.title_embeddings (set_id, title_id, text_hash, embedding, embedded_at) "
                "values (1, %(id)s, %(id)s::text, %(vector)s, now())",
                {"id": tmdb_id, "vector": embedding},
            )
        for function in ("refresh_vectors", "build_vector_index", "activate_set"):
            connection.exec_driver_sql(f"select pipeline.{function}(1::smallint)")


def rows(database: Database, statement: str, **parameters: Any) -> list[Any]:
    with database.transaction() as connection:
        return list(connection.execute(sa.text(statement), parameters))


def search(database: Database, text: str | None, count: int = 10, **filters: Any) -> list[Any]:
    return rows(
        database, "select * from catalog.search_movies(:text, :count, cast(:filters as jsonb))",
        text=text, count=count, filters=json.dumps(filters),
    )  # fmt: skip


def find(database: Database, title: str | None, year: int | None = None, **filters: Any) -> list[Any]:
    return rows(
        database, "select * from catalog.find_movie(:title, :year, 5, cast(:filters as jsonb))",
        title=title, year=year, filters=json.dumps(filters),
    )  # fmt: skip


def complete(database: Database, prefix: str | None, **filters: Any) -> list[Any]:
    return rows(
        database, "select * from catalog.complete_title(:prefix, 10, cast(:filters as jsonb))",
        prefix=prefix, filters=json.dumps(filters),
    )  # fmt: skip


def ids(found: Sequence[Any]) -> list[int]:
    return [film.tmdb_id for film in found]
