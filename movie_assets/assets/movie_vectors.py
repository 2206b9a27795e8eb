"""Stage 5: the vectors that searches see, with their index, switched from set to set in one transaction."""

import dagster as dg

from movie_assets.assets.movie_embeddings import embedding_set
from movie_assets.resources.embedder import Embedder
from movie_assets.resources.postgres import Database, execute, rows

LEAST_COVERAGE = 0.99  # of the accepted films, before a new set takes the place of the active one
LEAST_RECALL = 0.95
SAMPLES = 10


@dg.asset(group_name="search", kinds={"postgres"}, deps=["movie_embeddings"])
def movie_vectors(
    context: dg.AssetExecutionContext,
    database: dg.ResourceParam[Database],
    embedder: dg.ResourceParam[Embedder],
) -> dg.MaterializeResult[None]:
    """A film that can be found: its vector in the active embedding set, behind an index of nearest neighbours.

    Films that left the catalogue leave it too; vectors that did not move are not touched.
    """
    set_id = embedding_set(database, embedder)
    with database.transaction() as connection:
        (moved,) = rows(connection, "refresh_vectors", set_id=set_id)
    with database.transaction() as connection:
        (index,) = rows(connection, "build_vector_index", set_id=set_id)
    films = database.row("count_movies").films
    active = database.rows("active_set")
    is_active = bool(active) and active[0].set_id == set_id
    covers = moved.total >= LEAST_COVERAGE * films
    if not is_active and moved.total and (covers or not active):
        with database.transaction() as connection:
            execute(connection, "activate_set", set_id=set_id)
        context.log.info(f"searches now see the vectors of {embedder.provider} {embedder.model}")
    elif active and not is_active:
        context.log.info(f"the new set has {moved.total:,} of {films:,} films; the old one goes on being searched")
        with database.transaction() as connection:
            execute(connection, "refresh_vectors", set_id=active[0].set_id)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": moved.total,
            "films": films,
            "vectors": moved.total,
            "rows_out": moved.written,
            "rows_removed": moved.removed,
            "index_built": index.built,
            "embedding_model": f"{embedder.provider} {embedder.model}",
            "dimensions": embedder.dimensions,
        }
    )


@dg.asset_check(asset=movie_vectors)
def vectors_agree_with_the_catalogue(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Each accepted film has the vector of its text as it stands, and no vector is left without a film."""
    found = dict(database.row("vector_agreement")._mapping)  # noqa: SLF001  # SQLAlchemy's documented way
    films = found.pop("either")
    return dg.AssetCheckResult(passed=not any(found.values()), metadata={"films": films, **found})


@dg.asset_check(asset=movie_vectors)
def the_index_is_valid(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """The active set has an index, and it was built to its end."""
    found = database.rows("index_state")
    return dg.AssetCheckResult(
        passed=bool(found) and found[0].is_valid,
        metadata={"megabytes": round(found[0].bytes / 2**20, 1) if found else 0.0},
    )


@dg.asset_check(asset=movie_vectors)
def searches_find_the_nearest(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """`match_movies` finds what looking at every vector finds: recall@10 of at least 0.95 over ten films."""
    recalls = []
    for sample in database.rows("recall_samples", samples=SAMPLES):
        vector = str(sample.embedding.to_list())
        exact = database.rows("nearest_exactly", embedding=vector)
        found = database.rows("nearest_by_index", embedding=vector)
        # Films at the very distance of the tenth are as good as the tenth.
        least = exact[-1].similarity - 1e-6
        recalls.append(sum(row.similarity >= least for row in found) / len(exact))
    recall = sum(recalls) / len(recalls) if recalls else 0.0
    return dg.AssetCheckResult(
        passed=recall >= LEAST_RECALL, metadata={"recall_at_10": recall, "searches": len(recalls)}
    )
