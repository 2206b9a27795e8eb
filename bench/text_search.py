"""Finding films by words among 50,000: how long the documents take to be made, and each function to answer.

A catalogue of made-up words is put straight into Postgres: 25 titles and 22 people a film, words as frequent as words
are (Zipf), real ones on top. Then all documents are built, brought in line when nothing and when 1 % has changed, and
each function is asked questions of several kinds.
"""

import itertools
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from made_up_vectors import server_of_ones_own
from tables import in_rounds, parser_of, print_rows, print_section, write_figures

from movie_assets.database.database import Database, copy_rows
from movie_assets.search.search_documents import update_documents

TITLES, CAST, CREW, OVERVIEW = 25, 16, 6, 45
COMMON = [
    *("love", "man", "night", "day", "life", "girl", "house", "last", "world", "dead", "dark", "time", "woman"),
    *("black", "boy", "king", "red", "blood", "heart", "home", "city", "dream", "lost", "star", "blue", "war"),
    *("death", "little", "big", "good", "white", "fire", "ghost", "secret", "beautiful", "summer", "wild", "moon"),
    *("angel", "road", "story", "game"),
]
SMALL = ["the", "of", "and", "a", "in", "to", "is", "his", "her", "with", "for", "who", "on", "by", "an", "from", "he"]
LANGUAGES = ("", "áéíóú", "àâçéèê", "äöü", "ãõçé", "åäö", "łśżćę", "čšžřě")
GENRES = ("Drama", "Comedy", "Action", "Horror", "Science Fiction", "Romance", "Crime", "Animation", "Thriller", "War")
SENTENCES = (
    "a {} about a {} who finds a {}",
    "the {} and the {} in a {} house",
    "{} {} and {}",
    "a lonely {} {} the {}",
)
FUNCTIONS = {
    "search_movies": "select tmdb_id from catalog.search_movies(:q)",
    "find_movie": "select tmdb_id from catalog.find_movie(:q)",
    "complete_title": "select tmdb_id from catalog.complete_title(:q)",
}
MOVIE_COLUMNS = {
    "title_id": "int8", "title": "text", "original_title": "text", "original_language": "text", "release_date": "date",
    "tagline": "text", "overview": "text", "genres": "text[]", "keywords": "text[]", "directors": "text[]",
    "leading_cast": "text[]", "countries": "text[]", "embedding_text": "text", "text_hash": "text",
    "facts_hash": "text", "changed_at": "timestamptz",
}  # fmt: skip
BUILDS = 3  # lines that `builds` returns: all documents, none, a few
Words = Callable[[int], list[str]]


def words_of(chance: random.Random, count: int, accents: str, on_top: Sequence[str] = ()) -> Words:
    """Return a function that draws words of a made-up language by Zipf's law."""
    consonants, vowels = "bcdfghjklmnprstvwz", "aeiou" + accents
    made = [
        "".join(chance.choice(consonants) + chance.choice(vowels) for _ in range(chance.choice((1, 2, 2, 3, 3, 4))))
        + chance.choice(("", "n", "r", "s", "l"))
        for _ in range(count)
    ]
    known = [*on_top, *made]
    weights = list(itertools.accumulate(1 / (rank + 8) for rank in range(len(known))))
    return lambda n: chance.choices(known, cum_weights=weights, k=n)


class MadeUpFilms:
    """Films with titles, plots, keywords and people of made-up words, all drawn from one source of chance."""

    def __init__(self, count: int, chance: random.Random) -> None:
        english = words_of(chance, 15_000, "", COMMON)
        self.count, self.chance = count, chance
        self.languages = [words_of(chance, 12_000, accents) for accents in LANGUAGES]
        self.plot_words = words_of(chance, 40_000, "", [*SMALL, *COMMON])
        self.keywords = words_of(chance, 6_000, "", COMMON)
        first, last = words_of(chance, 3_000, "é"), words_of(chance, 60_000, "")
        self.people = [f"{first(1)[0]} {last(1)[0]}".title() for _ in range(5 * count)]
        self.main_titles = [f"{chance.choice(('The ', '', '', ''))}{self.title(english)}" for _ in range(count)]

    def title(self, words: Words) -> str:
        """Draw a title of one to four words."""
        return " ".join(words(self.chance.choice((1, 2, 2, 3, 3, 4)))).title()

    def movies(self) -> Iterator[Sequence[object]]:
        """Yield the films as rows of MOVIE_COLUMNS; every third has an original title in another language."""
        for number, main in enumerate(self.main_titles, start=1):
            plot = " ".join(self.plot_words(OVERVIEW))
            yield (
                number, main, self.title(self.chance.choice(self.languages)) if number % 3 == 0 else main, "en",
                date(self.chance.randint(1950, 2025), 5, 5), None, plot, self.chance.sample(GENRES, 2),
                self.keywords(9), [], [], [], plot, str(number), "0", datetime.now(UTC),
            )  # fmt: skip

    def alternative_titles(self) -> Iterator[Sequence[object]]:
        """Yield (film, country, title), so that each film has TITLES titles with the main and the original one."""
        for number in range(1, self.count + 1):
            for country in range(TITLES - 2):
                yield number, f"{country:02}", self.title(self.languages[country % len(self.languages)])

    def roles(self, count: int) -> Iterator[tuple[int, int, int]]:
        """Yield (film, person, place) with so many people a film; some people have many more roles than others."""
        for number in range(1, self.count + 1):
            drawn = {1 + int(self.chance.random() ** 1.6 * len(self.people)) for _ in range(2 * count)}
            yield from ((number, person, place) for place, person in enumerate(list(drawn)[:count]))


def put_films(database: Database, count: int, chance: random.Random) -> list[str]:
    """Fill the catalogue with made-up films, and return their main titles."""
    films = MadeUpFilms(count, chance)
    with database.transaction() as connection:
        copy_rows(connection, "catalog.titles", MOVIE_COLUMNS, films.movies())
        connection.exec_driver_sql(
            "insert into catalog.movie_stats "
            "select tmdb_id, 1, 7, (200000 / (1 + tmdb_id * 7919 %% 50021))::integer, now() from catalog.movies"
        )
        columns = {"title_id": "int8", "country": "text", "title": "text"}
        copy_rows(connection, "catalog.title_alternative_titles", columns, films.alternative_titles())
        people = enumerate(films.people, start=1)
        copy_rows(connection, "catalog.people", {"person_id": "int8", "name": "text"}, people)
        cast = {"title_id": "int8", "person_id": "int8", "billing": "int2"}
        copy_rows(connection, "catalog.title_cast", cast, films.roles(CAST))
        crew = {"title_id": "int8", "person_id": "int8", "job": "text"}
        copy_rows(connection, "catalog.title_crew", crew, ((a, b, "Writer") for a, b, _ in films.roles(CREW)))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("vacuum analyze")
    return films.main_titles


def with_a_slip(text: str, chance: random.Random) -> str:
    """Return a text with one letter missing, wrong or added, or with two letters swapped."""
    at = chance.randrange(len(text))
    letter = chance.choice("abcdefghijklmnopqrstuvwxyz")
    return chance.choice((
        text[:at] + text[at + 1 :], text[:at] + letter + text[at + 1 :], text[:at] + letter + text[at:],
        text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :],
    ))  # fmt: skip


def questions(
    database: Database, mains: Sequence[str], count: int, chance: random.Random
) -> dict[str, dict[str, list[str]]]:
    """Return questions by function and by kind."""
    titles = chance.sample(list(mains), count)
    with database.transaction() as connection:
        sampled = connection.exec_driver_sql(f"select name from catalog.people order by person_id limit {20 * count}")
        people = chance.sample(list(sampled.scalars()), count)
        overviews = connection.exec_driver_sql(
            f"select overview from catalog.movies order by md5(tmdb_id::text) limit {count}"
        )
        plots = [overview.split() for overview in overviews.scalars()]
    slips = [with_a_slip(title, chance) for title in titles]
    two_slips = [with_a_slip(slip, chance) for slip in slips]
    common = [" ".join(chance.sample(COMMON, size)) for size in (1, 1, 2, 3) for _ in range(count // 4)]
    sentences = [chance.choice(SENTENCES).format(*chance.choices(titles, k=3)) for _ in range(count)]
    starts = [title.lower().removeprefix("the ") for title in titles]
    return {
        "search_movies": {
            "a title": titles, "a title, one slip": slips, "a title, two slips": two_slips, "a person": people,
            "a person, one slip": [with_a_slip(name, chance) for name in people],
            "common words": common, "a sentence": sentences,
            "12 words of a plot": [" ".join(words[:12]) for words in plots],
            "30 words of a plot": [" ".join(words[:30]) for words in plots],
        },
        "find_movie": {
            "a title": titles, "one slip": slips, "two slips": two_slips, "common words": common,
            "a sentence": sentences,
        },
        "complete_title": {
            "two letters": [start[:2] for start in starts], "three letters": [start[:3] for start in starts],
            "half a title": [start[: len(start) // 2 + 1] for start in starts],
            "a slip": [slip[: len(slip) * 2 // 3] for slip in slips],
        },
    }  # fmt: skip


def milliseconds(database: Database, function: str, asked: Sequence[str]) -> dict[str, Any]:
    """p50, p95 and the longest time, after a round that warms the caches."""
    statement = sa.text(FUNCTIONS[function])
    took, found = [], 0
    with database.transaction() as connection:
        for is_measured in (False, True):
            for question in asked if is_measured else asked[:20]:
                started = time.perf_counter()
                rows = connection.execute(statement, {"q": question}).all()
                if is_measured:
                    took.append((time.perf_counter() - started) * 1000)
                    found += bool(rows)
    quantiles = statistics.quantiles(took, n=20)
    return {
        "queries": len(took), "answered": round(found / len(took), 3), "p50_ms": round(quantiles[9], 1),
        "p95_ms": round(quantiles[18], 1), "max_ms": round(max(took), 1),
    }  # fmt: skip


def builds(database: Database, films: int) -> list[dict[str, Any]]:
    """Return the seconds to build all documents, to update none, and to update those of 1 % of the films."""
    figures = {
        "all documents": update_documents(database).seconds,
        "nothing changed": update_documents(database).seconds,
    }
    with database.transaction() as connection:
        connection.exec_driver_sql(
            "update catalog.movies set text_hash = text_hash || 'x', overview = overview || ' ' || title "
            f"where tmdb_id * 7919 %% 100 = 0 and tmdb_id <= {films}"
        )
    figures["1 % changed"] = update_documents(database).seconds
    return [{"documents": label, "seconds": round(seconds, 2)} for label, seconds in figures.items()]


def main() -> None:
    """Measure, print the tables and write the figures."""
    parser = parser_of(__doc__)
    parser.add_argument("--movies", type=int, default=50_000, help="films in the catalogue")
    parser.add_argument("--queries", type=int, default=200, help="questions of each kind")
    options = parser.parse_args()
    found, kept = in_rounds(options.rounds, lambda: one_round(options.movies, options.queries))
    configuration = (
        f"{options.movies:,} films with {TITLES} titles and {CAST + CREW} people each, made-up words as frequent as "
        "words are; one client, warm caches; “answered” is the share that found something; medians of "
        f"{options.rounds} rounds, each from an empty database."
    )
    print_section("Searching by words", configuration, found[:BUILDS])
    print_rows(found[BUILDS:])
    write_figures(options.json, kept)


def one_round(movies: int, queries: int) -> list[dict[str, Any]]:
    """Build the catalogue and its documents, then ask: lines of what builds took, then of what questions took."""
    chance = random.Random(1)  # noqa: S311  # repeatable, not secret
    with server_of_ones_own("text_search") as (_, database):
        mains = put_films(database, movies, chance)
        return builds(database, movies) + [
            {"function": function, "question": kind, **milliseconds(database, function, texts)}
            for function, kinds in questions(database, mains, queries, chance).items()
            for kind, texts in (kinds | {"all of these": list(itertools.chain.from_iterable(kinds.values()))}).items()
        ]


if __name__ == "__main__":
    main()
