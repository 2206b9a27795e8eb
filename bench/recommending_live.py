"""Recommend from named films in a catalogue of films with texts and made-up weights; print the database's time.

An embedded Postgres of its own in a temporary folder. The real path: catalog.recommend_movies with 200 weights for each
film beside the vectors that the local embedder makes of the emulator's texts, or with --details of recorded ones; they
are published, indexed and tuned as movie_vectors does. To compare two states of the code, run it in a clone of each.
"""

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from made_up_vectors import percentile
from made_up_world import run
from processes import cpu_seconds
from search_curves import indexed
from tables import in_rounds, parser_of, print_section, write_figures
from text_catalogue import fill, opened
from text_vectors import film_texts

from movie_assets.database.database import Database, copy_rows, driver_connection
from movie_assets.embeddings.providers.local import LOCAL_MODEL, LocalEmbedder

KEPT = 200
WARM_UP = 5  # questions that are not measured: plans are made
WEIGHTS = {
    "model_id": "int4", "title_id": "int8", "popularity": "float4", "others": "int8[]", "weights": "float4[]",
    "directions": "float4[]",
}  # fmt: skip
ASK = "select tmdb_id, because, reasons from catalog.recommend_movies(%s::bigint[], %s::bigint[], %s::bigint[])"
CASES = ((1, 0, 1), (3, 5, 2), (20, 60, 20))  # loved, liked and disliked films that are named


class RecordedModel(NamedTuple):
    """The number of a recommendation model that was recorded."""

    model_id: int


def main() -> None:
    """Build, ask, print."""
    parser = parser_of(__doc__)
    parser.add_argument("--films", type=int, default=20_000)
    parser.add_argument("--model", default=LOCAL_MODEL)
    parser.add_argument("--dimensions", type=int, default=4_000)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--details", type=Path, help="answers of /movie/{id}, a line each (.gz too)")
    options = parser.parse_args()
    embedder = LocalEmbedder(options.model, options.dimensions)
    with tempfile.TemporaryDirectory(prefix="movie_assets_recommend_") as home, opened(Path(home)) as database:
        build(database, embedder, options.films, options.details)
        found, kept = in_rounds(
            options.rounds, lambda: [asked(database, case, options.films, options.questions) for case in CASES]
        )
    configuration = (
        f"`catalog.recommend_movies` among {options.films:,} films with vectors of {options.model} "
        f"({options.dimensions:,} dimensions) of {'recorded' if options.details else 'emulated'} texts and {KEPT} "
        f"weights each, {options.questions} questions a line, medians of {options.rounds} rounds; CPU is what one "
        "costs the server."
    )
    lines = [row | {"with reasons": f"{row['with reasons']:.1%}"} for row in found]
    print_section("Recommending to somebody who is not known", configuration, lines)
    write_figures(options.json, kept)


def build(database: Database, embedder: LocalEmbedder, films: int, details: Path | None) -> None:
    """A catalogue with vectors as searches use them, votes, and weights from each film to others, chosen by chance."""
    set_id, _ = fill(database, embedder, film_texts(films, details), films)
    run(database, "update catalog.movie_stats set vote_count = 100 + tmdb_id %% 5000")
    indexed(database, set_id)
    (recorded,) = database.execute_returning(
        RecordedModel, "record_model", media="movie", kind="ease", method="made up", inputs="", parameters="{}",
        persons=1, films=films, likes=1, entries=1, newest=datetime.now(UTC), seconds=0, fitted_at=datetime.now(UTC),
    )  # fmt: skip
    chance = np.random.default_rng(1)
    lines = (
        (recorded.model_id, n + 1, 0.5, (1 + chance.choice(films, KEPT, replace=False)).tolist(),
         chance.normal(0.01, 0.03, KEPT).tolist(), [1.0])
        for n in range(films)
    )  # fmt: skip
    with database.transaction() as connection:
        copy_rows(connection, "pipeline.title_weights", WEIGHTS, lines)
    database.execute("mark_served", model_id=recorded.model_id)
    run(database, "analyze")


def asked(database: Database, case: tuple[int, int, int], films: int, questions: int) -> dict[str, Any]:
    """Milliseconds, CPU of a question in the server, fewest films, share with reasons, films named before."""
    chance = np.random.default_rng(7)
    milliseconds, counts, reasons, seen = [], [], [], 0
    with database.transaction() as connection:
        raw = driver_connection(connection)
        before = 0.0
        for question in range(questions + WARM_UP):
            named = (1 + chance.choice(films, sum(case), replace=False)).tolist()
            parts = (named[: case[0]], named[case[0] : case[0] + case[1]], named[case[0] + case[1] :])
            if question == WARM_UP:
                before = cpu_seconds([raw.info.backend_pid])
            started = time.perf_counter()
            found: list[Any] = raw.execute(ASK, parts).fetchall()
            if question >= WARM_UP:
                milliseconds.append(1000 * (time.perf_counter() - started))
            counts.append(len(found))
            reasons += [bool(row[2]) and row[1] is not None for row in found]
            seen += len({row[0] for row in found} & set(named))
        cpu = 1000 * (cpu_seconds([raw.info.backend_pid]) - before) / questions
    return {
        "loved, liked, disliked": ", ".join(map(str, case)),
        "p50_ms": round(percentile(milliseconds, 0.5), 1),
        "p95_ms": round(percentile(milliseconds, 0.95), 1),
        "cpu_ms": round(cpu, 1),
        "films found, at least": min(counts),
        "with reasons": round(float(np.mean(reasons)), 4),
        "seen before": seen,
    }


if __name__ == "__main__":
    main()
