"""Keep the searchable table in line with this project's stages, with and without Dagster; incremental.py starts it.

Usage: incremental_ours.py plain|dagster|floor ADDRESS FILMS. Prints a JSON list, an object a day. `floor` runs the same
jobs with hollow assets (dagster_floor.py): what is left of a day through Dagster when nothing at all is done.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from unittest import mock

import dagster as dg
from dagster_floor import hollow_job
from peers.days import DIMENSIONS, Source, StubEmbedder, pass_days

from movie_assets.catalog.embedding_text import text_hash
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, copy_rows
from movie_assets.embeddings.embedder import Embedded, UnlimitedBudget
from movie_assets.embeddings.movie_embeddings import movie_embeddings
from movie_assets.embeddings.providers.local import LOCAL_MODEL, LocalEmbedder
from movie_assets.embeddings.roles import Role
from movie_assets.embeddings.sets import embedding_set
from movie_assets.embeddings.store import DueMovie, EmbeddingStore, texts_of
from movie_assets.orchestration.resources import RESOURCES
from movie_assets.orchestration.startup import everything_for
from movie_assets.runs.partitions import BATCH_COUNT, range_tags, ranges
from movie_assets.search import movie_vectors as vectors

EMBED = dg.define_asset_job("embed", selection=[movie_embeddings])
PUBLISH = dg.define_asset_job("publish", selection=[vectors.movie_vectors])
RUN_ID = "a day without Dagster"
INCOMING = {"title_id": "int8", "title": "text", "embedding_text": "text", "text_hash": "text", "popularity": "float8"}
STAGE = f"create temp table incoming_films ({', '.join(map(' '.join, INCOMING.items()))}) on commit drop"
TAKE_IN = (
    """insert into catalog.titles (
           title_id, title, original_title, original_language, release_date, runtime_minutes, genres, keywords,
           directors, leading_cast, countries, embedding_text, text_hash, changed_at
       )
       select
           i.title_id, i.title, '', 'en', date '2000-01-01', 100, '{}', '{}', '{}', '{}', '{}', i.embedding_text,
           i.text_hash, now()
       from incoming_films i left join catalog.titles old using (title_id)
       where old.text_hash is distinct from i.text_hash
       on conflict (title_id) do update set
           title = excluded.title, embedding_text = excluded.embedding_text, text_hash = excluded.text_hash,
           changed_at = excluded.changed_at""",
    """insert into catalog.title_stats (title_id, popularity, vote_average, vote_count, seen_at)
       select i.title_id, i.popularity, 7, 100, now()
       from incoming_films i left join catalog.title_stats old using (title_id)
       where old.popularity is distinct from i.popularity
       on conflict (title_id) do update set popularity = excluded.popularity""",
)


class Stub(LocalEmbedder):
    """The embedder that everybody gets, as ours asks for one."""

    provider = "stub"

    def __init__(self, stub: StubEmbedder) -> None:
        super().__init__(LOCAL_MODEL, DIMENSIONS)
        self.stub = stub

    def embed(self, texts: Sequence[str], role: Role = "document") -> Embedded:  # noqa: ARG002  # no roles
        """A batch of texts."""
        return Embedded(self.stub.embed(texts), tokens=0, dollars=0.0)


def take_in(database: Database, source: Source) -> None:
    """The source's films into the catalogue: texts that are others, popularities that moved."""
    lines = ((f.tmdb_id, f.title, f.text, text_hash(f.text), f.popularity) for f in source.films())
    with database.transaction() as connection:
        connection.exec_driver_sql(STAGE)
        copy_rows(connection, "incoming_films", INCOMING, lines)
        for statement in TAKE_IN:
            connection.exec_driver_sql(statement)


def build_plainly(database: Database, embedder: Stub) -> None:
    """What the assets do, by their own functions and statements; neither runs, checks nor an index."""
    set_id, as_of = embedding_set(database, embedder), datetime.now(UTC)
    store = EmbeddingStore(database, set_id, as_of, RUN_ID)
    due = database.fetch(
        DueMovie,
        "texts_to_embed",
        set_id=set_id,
        batches=list(range(BATCH_COUNT)),
        as_of=as_of,
        by_hand=True,
        force=False,
        forced_since=None,
    )
    texts = texts_of(due)
    for chunk in embedder.stream([text.text for text in texts], UnlimitedBudget()):
        store.store(chunk, texts)
    database.execute("refresh_vectors", set_id=set_id)


def our_assets(embedder: Stub) -> dg.Definitions:
    """The two stages with their checks, as in the pipeline, and the stub."""
    return dg.Definitions(
        assets=[movie_embeddings, vectors.movie_vectors],
        asset_checks=[
            vectors.the_wanted_set_is_searched,
            vectors.vectors_agree_with_the_catalogue,
            vectors.the_index_is_valid,
        ],
        jobs=[EMBED, PUBLISH],
        resources={**RESOURCES, "embedder": dg.ResourceDefinition.hardcoded_resource(embedder)},
        executor=dg.in_process_executor,
    )


def real_job(job: Any, definitions: dg.Definitions) -> dg.JobDefinition:
    """A job as it is."""
    return definitions.resolve_job_def(job.name)


def runs_of(embed: dg.JobDefinition, publish: dg.JobDefinition, instance: dg.DagsterInstance) -> Callable[[], None]:
    """Both jobs, one after the other, as `movie-assets refresh` runs them."""

    def run() -> None:
        embed.execute_in_process(instance=instance, tags=range_tags(*ranges(1)[0]))
        publish.execute_in_process(instance=instance)

    return run


def main() -> None:
    """Build, day by day, in one of the three ways."""
    way, address, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    for name in [name for name in os.environ if name.startswith("MOVIE_ASSETS_")]:
        del os.environ[name]  # settings of yours are left out
    os.environ |= {"MOVIE_ASSETS_DATABASE_URL": address, "MOVIE_ASSETS_EMBEDDER": "local", "TMDB_API_TOKEN": "unused"}
    stub = StubEmbedder()
    embedder = Stub(stub)
    with (
        tempfile.TemporaryDirectory(prefix="movie_assets_incremental_") as home,
        mock.patch.dict(os.environ, MOVIE_ASSETS_HOME=home),
        everything_for(Settings.from_env()),
        dg.DagsterInstance.get() as instance,
    ):
        database = Database(address)
        source = Source(address, count)
        if way == "plain":
            work: Callable[[], None] = partial(build_plainly, database, embedder)
        else:
            resolve, definitions = hollow_job if way == "floor" else real_job, our_assets(embedder)
            work = runs_of(resolve(EMBED, definitions), resolve(PUBLISH, definitions), instance)

        def build() -> None:
            if way != "floor":
                take_in(database, source)
            work()

        set_id = embedding_set(database, embedder)
        database.execute("refresh_vectors", set_id=set_id)  # makes the table, still empty
        found = (
            "select title_id as tmdb_id, m.embedding_text as text, s.popularity, v.embedding from catalog.titles m "
            f"join catalog.title_stats s using (title_id) join catalog.title_vectors_{set_id} v using (title_id)"
        )
        print(json.dumps(pass_days(source, stub, build, found, beside=False)))
        database.close()


if __name__ == "__main__":
    main()
