"""Upkeep: a weekly recount of what runs keep up step by step, so that a slip does not stay for ever.

What must agree is sql/functions/reconcile.sql. What differs is repaired by being made due for the run that usually
makes it; with nothing to repair nothing is launched.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import dagster as dg

from movie_assets.assets.run_log import logged
from movie_assets.core.films import UnusableAnswerError
from movie_assets.core.filters import Thresholds
from movie_assets.core.judgement import judge, judge_name
from movie_assets.core.text import TEMPLATE
from movie_assets.moment import moment_of
from movie_assets.partitions import BATCH_COUNT
from movie_assets.resources.postgres import Database

EXAMPLES = 5
ANSWERS = "each film is what its stored answer says"
REPAIRS = {  # by agreement; what is not here is made right by the run that is due for it
    "each vector that is searched is the one that was paid for": "remove_strange_vectors",
    "each film is found by the words that it has now": "forget_lost_documents",
    "each word of the vocabulary is counted right": "recount_vocabulary",
}
CHECK = dg.AssetCheckSpec(
    "everything_agrees",
    asset="reconciliation",
    description="Ids, films, texts, vectors, similar films, words and scores agree with what they are made from, "
    "counted anew row by row.",
)


@dataclass(frozen=True)
class Agreement:
    """Two tables that must agree, as they were found."""

    agreement: str
    rows_compared: int
    rows_differing: int
    examples: list[str]
    repaired: int = 0


@dg.asset(group_name="operations", kinds={"postgres"}, check_specs=[CHECK])
@logged(checked="rows_compared", changed="rows_repaired")
def reconciliation(
    context: dg.AssetExecutionContext, database: dg.ResourceParam[Database], thresholds: dg.ResourceParam[Thresholds]
) -> Iterator[dg.MaterializeResult[None]]:
    """An agreement between two tables, with how many rows of it were compared and how many differ.

    Rows that differ are put right, or made due for the run that makes them.
    """
    moment = moment_of(context.run)
    found = [Agreement(**row._mapping) for row in database.rows("reconcile", template=TEMPLATE)]  # noqa: SLF001
    found.append(_answers(database, thresholds, context))
    found = [_repaired(database, each) for each in found]
    for each in found:
        database.execute("record_reconciliation", moment=moment, run_id=context.run.run_id, **each.__dict__)
    differing = [each for each in found if each.rows_differing]
    table = "\n".join(
        f"| {e.agreement} | {e.rows_compared:,} | {e.rows_differing:,} | {e.repaired:,} | {', '.join(e.examples)} |"
        for e in found
    )
    yield dg.MaterializeResult(
        metadata={
            "rows_compared": sum(each.rows_compared for each in found),
            "rows_differing": sum(each.rows_differing for each in found),
            "rows_repaired": sum(each.repaired for each in found),
            "agreements": dg.MetadataValue.md(
                f"| agreement | rows | differ | repaired | for example |\n|---|--:|--:|--:|---|\n{table}"
            ),
        },
        check_results=[
            dg.AssetCheckResult(
                passed=not differing,
                check_name=CHECK.name,
                description="; ".join(f"not true for {e.rows_differing:,}: {e.agreement}" for e in differing) or None,
                metadata={"rows_differing": sum(each.rows_differing for each in found)},
            )
        ],
    )


def _answers(database: Database, thresholds: Thresholds, context: dg.AssetExecutionContext) -> Agreement:
    """Read every stored answer again, batch by batch; films that come out otherwise are judged again."""
    name, day = judge_name(thresholds), moment_of(context.run).date()
    compared, differing, unusable = 0, list[int](), list[int]()
    for batch in range(BATCH_COUNT):
        for row in database.rows("answers_of_batch", batch=batch, judge=name):
            compared += 1
            try:
                judged = judge(row.body, row.tmdb_id, thresholds, day, is_kept=row.is_kept)
            except UnusableAnswerError:
                unusable.append(row.tmdb_id)
                continue
            if (judged.text_hash, judged.facts_hash) != (row.text_hash, row.facts_hash):
                differing.append(row.tmdb_id)
    wrong = unusable + differing
    if wrong:
        database.execute("judge_again", tmdb_ids=differing)
        database.execute("fetch_again", tmdb_ids=unusable, moment=moment_of(context.run))
        context.log.warning(
            f"{len(differing):,} films are not what their answers say and are judged again; "
            f"{len(unusable):,} answers cannot be read and are fetched again"
        )
    return Agreement(ANSWERS, compared, len(wrong), [str(tmdb_id) for tmdb_id in wrong[:EXAMPLES]], len(wrong))


def _repaired(database: Database, found: Agreement) -> Agreement:
    repair = REPAIRS.get(found.agreement)
    if repair is None or not found.rows_differing:
        return found
    return replace(found, repaired=database.row(repair).repaired)
