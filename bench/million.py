"""Search a catalogue of up to a million made-up titles: what holds at that size, what it takes, and what one sets.

Texts and vectors are those of search_curves.py, with one title a film and no people. What needs no index is measured
first, so that a run which is stopped while the graph is built leaves those figures: each table is printed when it is
known. An embedded Postgres of its own in a temporary folder (some 10 GB for a million).
Usage: million.py [--films N] [--queries Q] [--memory-mb M] [--model M] [--dimensions D] [--details FILE] [--json FILE]
"""

import os
import random
import tempfile
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from made_up_vectors import percentile
from processes import Watch
from search_curves import asked_for, cpu_seconds, curve, indexed
from tables import parser_of, print_section, report_progress, write_json
from text_catalogue import fill, opened, title_of
from text_search import with_a_slip
from text_vectors import film_texts, question_texts

from movie_assets.database.database import Database, driver_connection
from movie_assets.embeddings.providers.local import LOCAL_MODEL, LocalEmbedder
from movie_assets.search.search_documents import update_documents

T = TypeVar("T")
PLOT_WORDS = 12
SHOWN_MB = 1  # tables that take more are in the table of sizes
WORDS = {
    "find_movie": "select tmdb_id from catalog.find_movie(%s)",
    "complete_title": "select tmdb_id from catalog.complete_title(%s)",
    "search_movies": "select tmdb_id from catalog.search_movies(%s)",
}
BOTH = "select tmdb_id from catalog.search_movies(%s, 10, '{}', catalog.question_vector(%s))"
SIMILAR = "select tmdb_id from catalog.similar_movies(%s)"
EXACT = "select tmdb_id from catalog.nearest_movies(%b, 10, '{}', null, true)"
SIZES = f"""
    select c.oid::regclass::text as name, pg_table_size(c.oid) / 1e6, pg_indexes_size(c.oid) / 1e6
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('catalog', 'pipeline') and c.relkind = 'r' and pg_total_relation_size(c.oid) > {SHOWN_MB}e6
    order by pg_total_relation_size(c.oid) desc
"""
BUILT = "select phase, tuples_done from pg_stat_progress_create_index"


class Steps:
    """Steps of a build with their time, and the most memory that Postgres had meanwhile."""

    def __init__(self, home: Path) -> None:
        self.rows: list[dict[str, Any]] = []
        self._home = home
        self._spent = 0.0

    def take(self, name: str, work: Callable[[], T]) -> T:
        """Do some work and keep what it took."""
        started = time.perf_counter()
        with Watch(os.getpid(), self._home) as watch:
            done = work()
            time.sleep(1)  # the watch looks twice a second
        seconds, postgres = time.perf_counter() - started - 1, watch.postgres
        self.rows.append({
            "step": name, "s": round(seconds, 1), "postgres_cpu_s": round(postgres.cpu_seconds - self._spent, 1),
            "postgres_mb": round(postgres.peak_megabytes),
        })  # fmt: skip
        self._spent = postgres.cpu_seconds
        report_progress(f"{name}: {seconds:,.0f} s")
        return done


def main() -> None:
    """Fill the catalogue, search by words, build the index, search by meaning."""
    parser = parser_of(__doc__)
    parser.add_argument("--films", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=40)
    parser.add_argument("--memory-mb", type=int, default=2048, help="MOVIE_ASSETS_POSTGRES_MEMORY_MB")
    parser.add_argument("--model", default=LOCAL_MODEL)
    parser.add_argument("--dimensions", type=int, default=4000)
    parser.add_argument("--details", type=Path, help="answers of /movie/{id}, a line each (.gz too)")
    options = parser.parse_args()
    embedder = LocalEmbedder(options.model, options.dimensions)
    configured = (
        f"{options.films:,} films with a title each, vectors of {options.model} ({options.dimensions:,} dimensions) of "
        f"{'recorded' if options.details else 'emulated'} texts; a cache of {options.memory_mb:,} MB; "
        f"{options.queries} questions of each kind."
    )
    with tempfile.TemporaryDirectory(prefix="movie_assets_million_") as home:
        steps = Steps(Path(home))
        with opened(Path(home), options.memory_mb) as database:
            texts = film_texts(options.films, options.details)
            set_id, sampled = steps.take(
                "films and vectors stored", lambda: fill(database, embedder, texts, options.films)
            )
            found, curves, built = searched(database, steps, set_id, sampled, embedder, options)
            sizes = sizes_of(database)
    print_section("Recall and time of searches by meaning", configured, curves)
    print_section("Other searches", configured, found)
    print_section("Steps", "Seconds by the clock, those of Postgres' processors, and its memory at most.", steps.rows)
    print_section("Index", "Seconds, and megabytes.", [built])
    print_section("Sizes", f"Tables of more than {SHOWN_MB} MB.", sizes)
    more = {"steps": steps.rows, "built": built, "sizes": sizes, "others": found}
    write_json(options.json, "million", "exact search", options.rounds, configured, curves, **more)


def searched(
    database: Database, steps: Steps, set_id: int, sampled: Sequence[str], embedder: LocalEmbedder, options: Namespace
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]:
    """Search by words and without the index, build it, search with it; return the searches, recall, and the build."""
    asked, queries = asked_for(embedder, sampled, options.queries), options.queries
    steps.take("documents for searches by words made", lambda: update_documents(database))
    found = [
        asking(database, function, kind, WORDS[function], [(text,) for text in texts])
        for (function, kind), texts in words_of(sampled, queries).items()
    ]
    print_section("Searches by words", "Milliseconds of processor time, and by the clock.", found)
    steps.take("vectors published", lambda: database.execute("refresh_vectors", set_id=set_id))
    database.execute("activate_set", set_id=set_id, hold=False)
    found += [
        asking(database, "nearest_movies, all compared", kind, EXACT, [(vector,) for vector in vectors[:10]])
        for kind, vectors in asked._asdict().items()
    ]
    print_section("Searches without an index", "As above.", found[-2:])
    print_section("Sizes before the index", f"Tables of more than {SHOWN_MB} MB.", sizes_of(database))
    with progress_reported(database):
        built = steps.take("index built, searches tuned", lambda: indexed(database, set_id))
    questions = [(text, text) for text in question_texts(sampled, queries)]
    films = [(film,) for film in random.Random(6).sample(range(1, options.films + 1), queries)]  # noqa: S311
    found += [
        asking(database, "search_movies, words and vector", "words of two plots", BOTH, questions),
        asking(database, "similar_movies", "a film", SIMILAR, films),
    ]
    return found, curve(database, asked, "built", ()), built


def words_of(sampled: Sequence[str], queries: int) -> dict[tuple[str, str], list[str]]:
    """Return questions by function and kind."""
    chance = random.Random(5)  # noqa: S311
    texts = chance.sample(sampled, queries)
    titles = [title_of(text) for text in texts]
    slips = [with_a_slip(title, chance) for title in titles]
    plots = [" ".join(chance.sample(words, min(PLOT_WORDS, len(words)))) for words in map(str.split, texts)]
    return {
        ("find_movie", "a title"): titles,
        ("find_movie", "one slip"): slips,
        ("complete_title", "three letters"): [title[:3] for title in titles],
        ("complete_title", "half a title"): [title[: len(title) // 2 + 1] for title in titles],
        ("search_movies", "a title"): titles,
        ("search_movies", f"{PLOT_WORDS} words of a plot"): plots,
    }


def asking(
    database: Database, function: str, kind: str, statement: str, questions: Sequence[tuple[Any, ...]]
) -> dict[str, Any]:
    """Ask all questions, after a few that warm the caches; return the share that found something, and the times."""
    clock, processor, answered = [], [], 0
    with database.transaction() as connection:
        raw = driver_connection(connection)
        pid = connection.exec_driver_sql("select pg_backend_pid()").scalar_one()
        for question in questions[:3]:
            raw.execute(statement, question).fetchall()
        for question in questions:
            before, started = cpu_seconds(pid), time.perf_counter()
            answered += bool(raw.execute(statement, question).fetchall())
            clock.append(1000 * (time.perf_counter() - started))
            processor.append(1000 * (cpu_seconds(pid) - before))
    return {
        "function": function, "question": kind, "answered": round(answered / len(questions), 3),
        **{f"cpu_p{share}_ms": round(percentile(processor, share / 100), 1) for share in (50, 95)},
        **{f"p{share}_ms": round(percentile(clock, share / 100), 1) for share in (50, 95)},
    }  # fmt: skip


def sizes_of(database: Database) -> list[dict[str, Any]]:
    """Return the tables and their megabytes, the largest first."""
    with database.transaction() as connection:
        rows = connection.exec_driver_sql(SIZES).all()
        return [{"table": name, "mb": round(table), "indexes_mb": round(indexes)} for name, table, indexes in rows]


@contextmanager
def progress_reported(database: Database) -> Iterator[None]:
    """Report each half minute how many films an index has that is being built."""
    ended = threading.Event()

    def report() -> None:
        while not ended.wait(30):
            with database.transaction() as connection:
                for row in connection.exec_driver_sql(BUILT).all():
                    report_progress(f"index: {row.phase}, {row.tuples_done:,} films")

    thread = threading.Thread(target=report)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


if __name__ == "__main__":
    main()
