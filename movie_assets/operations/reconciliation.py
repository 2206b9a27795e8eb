"""Upkeep: a weekly recount of what runs keep up step by step, so that a slip does not stay for ever.

Films and the rows around them are compared with their stored responses (`response_comparison`) and written again where
they differ; tables that are made from other tables are compared with those (`derived_comparison`,
sql/operations/reconcile.sql) and made due for the run that makes them.
"""

from datetime import datetime

import dagster as dg

from movie_assets.catalog.embedding_text import TEMPLATE
from movie_assets.database.database import Database, as_dict
from movie_assets.operations.agreements import MAX_EXAMPLES, Agreement, Difference
from movie_assets.operations.derived_comparison import DRIFTS, compare_documents, compare_scores, compare_similar_lists
from movie_assets.operations.response_comparison import ResponseComparison
from movie_assets.runs.metadata_tables import shown_table
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of

MAX_SHOWN = 500  # rows that differ, in a run's table
REPAIRS = {  # by agreement; what is not here is made right by the run that is due for it
    "each accepted id has its film, its numbers and its answer, and no other has": "repair_films",
    "each vector that is searched is the one that was paid for": "remove_strange_vectors",
    "each film is found by the words that it has now": "forget_lost_documents",
    "each word of the vocabulary is counted right": "recount_vocabulary",
}


@dg.asset(group_name="operations", kinds={"postgres"})
@logged(checked="rows_compared", changed="rows_repaired")
def reconciliation(
    context: dg.AssetExecutionContext, database: dg.ResourceParam[Database]
) -> dg.MaterializeResult[None]:
    """An agreement between two tables, with how many rows of it were compared and how many differ.

    Films and the rows around them are compared with their stored responses, column by column, and written again where
    they differ; what is made from them is compared with them and made due. No call to TMDB is made.
    """
    as_of = run_time_of(context.run)
    responses = ResponseComparison(database, as_of, repair=True)
    found = compare(database, responses, as_of, repair=True)
    for each in found:
        database.execute(
            "record_reconciliation", as_of=as_of, run_id=context.run.run_id, agreement=each.agreement,
            rows_compared=each.rows_compared, rows_differing=each.rows_differing, examples=each.examples,
            repaired=each.repaired,
        )  # fmt: skip
        if each.rows_differing:
            told = "; ".join(each.examples)
            context.log.warning(
                f"{each.rows_differing:,} rows differ, {each.repaired:,} repaired or due: {each.agreement}: {told}"
            )
    if responses.left:
        context.log.warning(f"{len(responses.left)} batches were left out, as another run is working on them")
    return dg.MaterializeResult(
        metadata={
            "rows_compared": sum(each.rows_compared for each in found),
            "rows_differing": sum(each.rows_differing for each in found),
            "rows_repaired": sum(each.repaired for each in found),
            "batches_left": len(responses.left),
            "agreements": shown_table(
                ("agreement", "rows", "differ", "repaired", "for example"),
                [(e.agreement, e.rows_compared, e.rows_differing, e.repaired, "; ".join(e.examples)) for e in found],
            ),
            "differences": shown_table(
                ("agreement", "table", "key", "differs in"),
                [(e.agreement, d.table, d.key, d.columns) for e in found for d in e.differences][:MAX_SHOWN],
            ),
        },
    )


def compare(database: Database, responses: ResponseComparison, as_of: datetime, *, repair: bool) -> list[Agreement]:
    """Compare everything that must agree; with `repair`, write it again or make it due."""
    found = responses.run()
    counted = count_again(database)
    derived = [
        compare_documents(database, repair=repair),
        *compare_similar_lists(database, repair=repair),
        compare_scores(database, repair=repair),
    ]
    for each in counted:
        if repair and each.rows_differing and (query := REPAIRS.get(each.agreement)):
            each.repaired = database.row(query, as_of=as_of).repaired
    return [*found, *counted, *derived]


def count_again(database: Database) -> list[Agreement]:
    """Compare the tables that must agree, in SQL. Nothing is repaired."""
    return [
        Agreement(
            row.agreement, row.rows_compared, row.rows_differing, row.examples[:MAX_EXAMPLES],
            differences=[Difference("", key, "") for key in row.examples],
        )
        for row in database.rows("reconcile", template=TEMPLATE)
    ]  # fmt: skip


@dg.asset_check(
    asset=reconciliation,
    description="Films and the rows around them are what their stored responses say; ids, texts, vectors, similar "
    "films, words and scores agree with what they are made from, row by row. After a recount it reports what it "
    "found; executed alone it counts again and repairs nothing.",
)
def everything_agrees(
    context: dg.AssetCheckExecutionContext,
    database: dg.ResourceParam[Database],
) -> dg.AssetCheckResult:
    """Report what differs: in the recount of the same run, or now."""
    rows = database.rows("recount_of_run", run_id=context.run.run_id)
    found = [Agreement(**as_dict(row)) for row in rows]
    if not found:
        as_of = run_time_of(context.run)
        responses = ResponseComparison(database, as_of, repair=False)
        found = compare(database, responses, as_of, repair=False)
    differing = [each for each in found if each.rows_differing and each.agreement not in DRIFTS]
    return dg.AssetCheckResult(
        passed=not differing,
        description="; ".join(
            f"not true for {e.rows_differing:,}: {e.agreement} ({'; '.join(e.examples)})" for e in differing
        )
        or None,
        metadata={
            "rows_compared": sum(each.rows_compared for each in found),
            "rows_differing": sum(each.rows_differing for each in found),
        },
    )
