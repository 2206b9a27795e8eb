"""Stage 4: a vector for each film whose text is not the one that was embedded.

What the text is belongs to `core.text`; what may be searched, to `movie_vectors`.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import dagster as dg
import sqlalchemy as sa

from movie_assets.assets.batches import BatchContent, BatchRun, listed
from movie_assets.core.text import TEMPLATE
from movie_assets.moment import moment_of
from movie_assets.partitions import batches
from movie_assets.resources.embedder import Embedder, EmbedderError
from movie_assets.resources.postgres import Database, copy_rows, execute

CHUNK = 512  # texts in one request and one transaction; what a kill can cost

WIDTH = dg.AssetCheckSpec(
    "every_vector_has_the_declared_dimensions",
    asset="movie_embeddings",
    description="Each vector of the set has as many dimensions as the set declares.",
)
FINITE = dg.AssetCheckSpec(
    "every_vector_is_finite_and_not_zero",
    asset="movie_embeddings",
    description="Each vector has length 1: none is zero, which has no cosine, and none holds NaN or infinity.",
)
CURRENT = dg.AssetCheckSpec(
    "every_text_is_embedded_as_it_stands",
    asset="movie_embeddings",
    description="For each film, the hash of its text today is the hash of the text that was embedded.",
)


@dg.asset(
    group_name="catalogue",
    kinds={"python", "openai", "postgres"},
    partitions_def=batches,
    backfill_policy=dg.BackfillPolicy.single_run(),
    deps=["movie_details"],
    check_specs=[WIDTH, FINITE, CURRENT],
    output_required=False,
    pool="embedder",
)
def movie_embeddings(
    context: dg.AssetExecutionContext,
    database: dg.ResourceParam[Database],
    embedder: dg.ResourceParam[Embedder],
) -> Iterator[dg.AssetCheckResult]:
    """A film's vector in an embedding set, with the hash of the text that it was made from.

    Provider, model, dimensions and template name a set: after a change of any of them vectors are made for a
    new set, and the old one goes on being searched until the new one covers the catalogue.
    """
    set_id = embedding_set(database, embedder)
    store = _Store(database, embedder, set_id, moment_of(context.run), context.run.run_id)
    run = BatchRun(context, "texts", store.content)
    with database.batch_locks(run.batches, "movie_embeddings") as ours:
        run.exclude_locked(ours)
        database.execute("drop_damaged_vectors", set_id=set_id, batches=sorted(ours))
        films = database.rows("texts_to_embed", set_id=set_id, batches=sorted(ours))
        run.plan(film.batch for film in films)
        try:
            for start in range(0, len(films), CHUNK):
                chunk = films[start : start + CHUNK]
                store.embed(chunk)
                run.advance(film.batch for film in chunk)
        except EmbedderError as error:
            run.fail_unfinished(str(error))
    context.log.info(f"{store.texts:,} texts embedded, {store.tokens:,} tokens, ${store.dollars:.4f}")
    yield from _checks(database, set_id, store)
    run.raise_if_failed()


def embedding_set(database: Database, embedder: Embedder) -> int:
    """The number of the set that an embedder's vectors belong to."""
    set_id: int = database.row(
        "ensure_set",
        provider=embedder.provider,
        model=embedder.model,
        dimensions=embedder.dimensions,
        template=TEMPLATE,
    ).set_id
    return set_id


class _Store:
    """Embeds and stores chunks, and counts what that cost."""

    def __init__(self, database: Database, embedder: Embedder, set_id: int, moment: datetime, run_id: str) -> None:
        self.texts = 0
        self.tokens = 0
        self.dollars = 0.0
        self._database = database
        self._embedder = embedder
        self._set_id = set_id
        self._moment = moment
        self._run_id = run_id

    def embed(self, films: Sequence[sa.Row[Any]]) -> None:
        """Embed a chunk, equal texts once, and store vectors and cost in one transaction."""
        text_by_hash = {film.text_hash: film.embedding_text for film in films}
        embedded = self._embedder.embed(list(text_by_hash.values()))
        vector_by_hash = dict(zip(text_by_hash, embedded.vectors, strict=True))
        columns = {"tmdb_id": "int8", "text_hash": "text", "embedding": "vector"}
        with self._database.transaction() as connection:
            execute(connection, "stage_embeddings")
            copy_rows(
                connection, "incoming_embeddings", columns,
                ((film.tmdb_id, film.text_hash, vector_by_hash[film.text_hash]) for film in films),
            )  # fmt: skip
            execute(connection, "store_embeddings", set_id=self._set_id, moment=self._moment)
            execute(
                connection, "record_cost", set_id=self._set_id, run_id=self._run_id, texts=len(text_by_hash),
                tokens=embedded.tokens, dollars=embedded.dollars, moment=self._moment,
            )  # fmt: skip
        self.texts += len(text_by_hash)
        self.tokens += embedded.tokens
        self.dollars += embedded.dollars

    def content(self, batch: int) -> BatchContent:
        """What a finished batch holds; the set is part of its data version."""
        content = self._database.row("embedded_content", set_id=self._set_id, batch=batch)
        return BatchContent(f"set-{self._set_id}-{content.content}", {"vectors": content.films})


def _checks(database: Database, set_id: int, store: _Store) -> Iterator[dg.AssetCheckResult]:
    names = batches.get_partition_keys()
    damaged = database.rows("damaged_vectors", set_id=set_id)
    for check, count in ((WIDTH, "wrong_width"), (FINITE, "wrong_length")):
        bad = {names[row.batch]: getattr(row, count) for row in damaged if getattr(row, count)}
        yield dg.AssetCheckResult(
            passed=not bad,
            check_name=check.name,
            description=f"materialize again: {listed(bad)}" if bad else None,
            metadata={"vectors": sum(bad.values()), "by_batch": bad},
        )
    stale = {names[row.batch]: row.films for row in database.rows("stale_vectors", set_id=set_id, template=TEMPLATE)}
    yield dg.AssetCheckResult(
        passed=not stale,
        check_name=CURRENT.name,
        description=f"materialize again: {listed(stale)}" if stale else None,
        metadata={
            "films": sum(stale.values()),
            "by_batch": stale,
            "texts_embedded": store.texts,
            "tokens": store.tokens,
            "dollars": store.dollars,
        },
    )
