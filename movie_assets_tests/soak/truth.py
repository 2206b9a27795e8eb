"""What the catalogue has to hold after the last day: the emulator's world itself, read without HTTP.

Both sides are tables of keys and contents, compared as the fault matrix compares them. What has to agree within the
catalogue (lists, words, scores) is the job `reconcile`'s to recount. Responses are read by the pipeline's own parser,
which has tests of its own.
"""

import json
import random
from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

import numpy as np
import psycopg
from pgvector.psycopg import register_vector

from movie_assets.catalog.eligibility import Derived, derive
from movie_assets.config.filter_profiles import FilterProfiles
from movie_assets.embeddings.hashing import hashed_vectors
from movie_assets.emulator.world import World
from movie_assets.tmdb.media import MOVIES
from movie_assets.tmdb.movies import Movie
from movie_assets_tests.chaos.truth import Differences, State, compared
from movie_assets_tests.support.expected_eligibility import reason_to_reject

PARTS = MOVIES.appended
RELATED_ROWS = (
    "imdb_id", "title", "original_title", "original_language", "release_date", "runtime_minutes", "tagline",
    "overview", "genres", "keywords", "directors", "leading_cast", "countries", "collection_id", "collection",
    "certification", "poster_path", "backdrop_path",
)  # fmt: skip  # not status, budget, revenue: no change feed names them, so they may be as old as a copy of a film may
VECTORS = 1000  # are made again and compared
AS_GOOD_AS_EQUAL = 1e-3  # half precision keeps three digits
QUERIES = {
    "ids": "select tmdb_id::text, case when state = 'gone' then 'gone' else 'there' end from pipeline.movie_ids",
    "stats": "select tmdb_id::text, vote_count || ' ' || round(vote_average::numeric, 3) || ' ' "
    "|| round(popularity::numeric, 4) from catalog.movie_stats",
    "genres": "select tmdb_id || '/' || genre_id, '' from catalog.movie_genres",
    "cast": "select tmdb_id || '/' || person_id, coalesce(character, '') from catalog.movie_cast",
    "keywords": "select tmdb_id || '/' || keyword_id, '' from catalog.movie_keywords",
    "texts of vectors": "select tmdb_id::text, text_hash from catalog.movie_vectors",
    "documents": "select tmdb_id::text, '' from catalog.search_documents",
    "lists": "select distinct tmdb_id::text, '' from catalog.similar_movies",
    "scores": "select tmdb_id::text, source_scores -> 'tmdb' ->> 'votes' from catalog.film_scores "
    "where source_scores ? 'tmdb'",
}


def listed(world: World, day: date) -> dict[int, float]:
    """Ids of the day's export, each with its popularity."""
    return {row.tmdb_id: row.popularity for piece in world.export(day) for row in piece}


def worth_a_look(world: World, day: date, min_popularity: float = 1, min_votes: int = 100) -> set[int]:
    """Ids that the export's rules and the votes let through."""
    columns = world.columns(day)
    kept = {
        row.tmdb_id
        for piece in world.export(day)
        for row in piece
        if not (row.adult or row.video or row.softcore) and row.popularity >= min_popularity
    }
    has_votes = (columns.vote_count >= min_votes) & (columns.release > 0)
    return kept & set(columns.tmdb_id[has_votes].tolist())


def accepted(world: World, day: date, thresholds: FilterProfiles) -> dict[int, Derived]:
    """Every film that belongs in the catalogue on a day, as TMDB describes it then."""
    films = {}
    for tmdb_id in worth_a_look(world, day):
        derived = derive(json.loads(world.body(tmdb_id, day, PARTS) or b"null"), tmdb_id)
        assert isinstance(derived.title, Movie)
        if reason_to_reject(thresholds, derived.title, day) is None:
            films[tmdb_id] = derived
    return films


def truth_of(world: World, first: date, last: date, films: dict[int, Derived]) -> State:
    """What there has to be: ids that were listed on the first day are there on the last, or gone."""
    today = listed(world, last)
    ids = dict.fromkeys(today, "there") | dict.fromkeys(listed(world, first).keys() - today.keys(), "gone")
    rows = films.items()
    only_ids = Counter((str(tmdb_id), "") for tmdb_id in films)
    return {
        "ids": Counter((str(tmdb_id), state) for tmdb_id, state in ids.items()),
        "films": Counter((str(i), _content(getattr(j.title, name) for name in RELATED_ROWS)) for i, j in rows),
        "stats": Counter((str(i), f"{j.title.vote_count} {j.title.vote_average:.3f} {today[i]:.4f}") for i, j in rows),
        "genres": Counter((f"{i}/{row['id']}", "") for i, j in rows for row in j.related_rows["genres"]),
        "cast": Counter(
            (f"{i}/{row['person_id']}", str(row["character"] or "")) for i, j in rows for row in j.related_rows["cast"]
        ),
        "keywords": Counter((f"{i}/{row['id']}", "") for i, j in rows for row in j.related_rows["keywords"]),
        "texts of vectors": Counter((str(i), j.text_hash) for i, j in rows),
        "documents": only_ids,
        "lists": only_ids,
        "scores": Counter((str(i), str(j.title.vote_count)) for i, j in rows if j.title.vote_count),
    }


def found_in(connection: psycopg.Connection) -> State:
    """What there is."""
    found: State = {name: Counter(connection.execute(query.encode()).fetchall()) for name, query in QUERIES.items()}
    films = connection.execute(f"select tmdb_id::text, {', '.join(RELATED_ROWS)} from catalog.movies".encode())
    return {**found, "films": Counter((key, _content(facts)) for key, *facts in films)}


def strange_vectors(connection: psycopg.Connection, films: dict[int, Derived], seed: int) -> list[int]:
    """Films, of a thousand, whose vector is not that of their text."""
    register_vector(connection)
    sample = random.Random(seed).sample(sorted(films), min(VECTORS, len(films)))  # noqa: S311  # repeatable
    found = connection.execute("select tmdb_id, embedding from catalog.movie_vectors where tmdb_id = any(%s)", [sample])
    vectors = {tmdb_id: np.asarray(embedding.to_list()) for tmdb_id, embedding in found}
    width = len(next(iter(vectors.values()), ()))
    wanted = hashed_vectors([films[tmdb_id].text for tmdb_id in sample], width)
    return [
        tmdb_id
        for tmdb_id, vector in zip(sample, wanted, strict=True)
        if tmdb_id not in vectors or not np.allclose(vectors[tmdb_id], vector, atol=AS_GOOD_AS_EQUAL)
    ]


def derived(
    connection: psycopg.Connection, world: World, days: tuple[date, date], thresholds: FilterProfiles
) -> Differences:
    """Hold the catalogue against the world, and its vectors against the texts."""
    films = accepted(world, days[1], thresholds)
    truth, found = truth_of(world, *days, films), found_in(connection)
    # An id that came and went meanwhile is gone; whether it was ever seen depends on the days that could be read.
    passing = {key for key, state in found["ids"] if state == "gone"} - {key for key, _ in truth["ids"]}
    for key in passing:
        del found["ids"][key, "gone"]
    differences = compared(found, truth)
    strange = strange_vectors(connection, films, 1)
    examples = tuple(f"the vector of {tmdb_id} is not that of its text" for tmdb_id in strange[:2])
    wrong = differences.wrong + len(strange)
    return Differences(differences.lost, differences.duplicated, wrong, differences.for_example + examples)


def _content(values: Iterable[Any]) -> str:
    return repr([tuple(value) if isinstance(value, list) else value for value in values])
