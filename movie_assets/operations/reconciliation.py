"""The weekly comparison of tables that must agree: other runs update them in steps, and a mistake would remain.

`response_comparison` compares films and their related rows with the stored responses, and writes rows that differ
again. `derived_comparison` and sql/operations/reconcile.sql compare tables with those that they are made from; rows
that differ become due for the run that makes them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import dagster as dg

from movie_assets.catalog.embedding_text import TEMPLATE
from movie_assets.database.database import Database
from movie_assets.operations.agreements import MAX_EXAMPLES, Agreement, Difference
from movie_assets.operations.derived_comparison import DRIFTS, compare_documents, compare_scores, compare_similar_lists
from movie_assets.operations.response_comparison import RepairedRows, ResponseComparison
from movie_assets.runs.metadata_tables import shown_table
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of

MAX_SHOWN = 500  # differences in a run's table
REPAIRS = {  # query by agreement; others are repaired by the run that is due for them
    "each accepted id has its film, its numbers and its answer, and no other has": "repair_films",
    "each vector that is searched is the one that was paid for": "remove_strange_vectors",
    "each film is found by the words that it has now": "forget_lost_documents",
    "each word of the vocabulary is counted right": "recount_vocabulary",
    "each film is listed under the words that it has now": "correct_postings",
}


class Comparison(NamedTuple):
    """The result of comparing two tables in SQL; `examples` has the keys of rows that differ."""

    agreement: str
    rows_compared: int
    rows_differing: int
    examples: list[str]


class StoredAgreement(NamedTuple):
    """A result that a run of `reconciliation` stored."""

    agreement: str
    rows_compared: int
    rows_differing: int
    examples: list[str]
    repaired: int


@dg.asset(group_name="operations", kinds={"postgres"})
@logged(checked="rows_compared", changed="rows_repaired")
def reconciliation(
    context: dg.AssetExecutionContext, database: dg.ResourceParam[Database]
) -> dg.MaterializeResult[None]:
    """An agreement between two tables, with the number of its rows that were compared and that differ.

    Films and their related rows are compared with their stored responses, column by column, and written again where
    they differ. Tables that are made from them are compared with them and become due. TMDB is not called.
    """
    as_of = run_time_of(context.run)
    responses = ResponseComparison(database, as_of, repair=True)
    agreements = compare(database, responses, as_of, repair=True)
    for each in agreements:
        database.execute(
            "record_reconciliation", as_of=as_of, run_id=context.run.run_id, agreement=each.agreement,
            rows_compared=each.rows_compared, rows_differing=each.rows_differing, examples=each.examples,
            repaired=each.repaired,
        )  # fmt: skip
        if each.rows_differing:
            examples = "; ".join(each.examples)
            context.log.warning(
                f"{each.rows_differing:,} rows differ, {each.repaired:,} repaired or due: {each.agreement}: {examples}"
            )
    if responses.skipped:
        context.log.warning(f"{len(responses.skipped)} batches were skipped, as another run is working on them")
    return dg.MaterializeResult(metadata={**_totals(agreements), **_tables(agreements, len(responses.skipped))})


def _totals(agreements: Sequence[Agreement]) -> dict[str, int]:
    return {
        "rows_compared": sum(each.rows_compared for each in agreements),
        "rows_differing": sum(each.rows_differing for each in agreements),
    }


def _tables(agreements: Sequence[Agreement], batches_skipped: int) -> dict[str, int | dg.TableMetadataValue]:
    return {
        "rows_repaired": sum(each.repaired for each in agreements),
        "batches_left": batches_skipped,
        "agreements": shown_table(
            ("agreement", "rows", "differ", "repaired", "for example"),
            [(e.agreement, e.rows_compared, e.rows_differing, e.repaired, "; ".join(e.examples)) for e in agreements],
        ),
        "differences": shown_table(
            ("agreement", "table", "key", "differs in"),
            [(e.agreement, d.table, d.key, d.columns) for e in agreements for d in e.differences][:MAX_SHOWN],
        ),
    }


def compare(database: Database, responses: ResponseComparison, as_of: datetime, *, repair: bool) -> list[Agreement]:
    """Compare all tables that must agree; with `repair`, write rows that differ again or make them due."""
    from_responses = responses.run()
    counted = compare_in_sql(database)
    derived = [
        compare_documents(database, repair=repair),
        *compare_similar_lists(database, repair=repair),
        compare_scores(database, repair=repair),
    ]
    for each in counted:
        if repair and each.rows_differing and (query := REPAIRS.get(each.agreement)):
            (rows,) = database.execute_returning(RepairedRows, query, as_of=as_of)
            each.repaired = rows.repaired
    return [*from_responses, *counted, *derived]


def compare_in_sql(database: Database) -> list[Agreement]:
    """Compare the tables whose comparison is a query. Nothing is repaired."""
    return [
        Agreement(
            row.agreement, row.rows_compared, row.rows_differing, row.examples[:MAX_EXAMPLES],
            differences=[Difference("", key, "") for key in row.examples],
        )
        for row in database.fetch(Comparison, "reconcile", template=TEMPLATE)
    ]  # fmt: skip


@dg.asset_check(
    asset=reconciliation,
    description="Films and the rows around them are what their stored responses say; ids, texts, vectors, similar "
    "films, words and scores agree with what they are made from, row by row. In a run of reconciliation it reports "
    "its result; executed alone it compares again and repairs nothing.",
)
def everything_agrees(
    context: dg.AssetCheckExecutionContext,
    database: dg.ResourceParam[Database],
) -> dg.AssetCheckResult:
    """Report rows that differ: those that the same run of `reconciliation` stored, or those of a new comparison."""
    stored = database.fetch(StoredAgreement, "recount_of_run", run_id=context.run.run_id)
    agreements = [Agreement(**row._asdict()) for row in stored]
    if not agreements:
        as_of = run_time_of(context.run)
        responses = ResponseComparison(database, as_of, repair=False)
        agreements = compare(database, responses, as_of, repair=False)
    differing = [each for each in agreements if each.rows_differing and each.agreement not in DRIFTS]
    return dg.AssetCheckResult(
        passed=not differing,
        description="; ".join(
            f"not true for {e.rows_differing:,}: {e.agreement} ({'; '.join(e.examples)})" for e in differing
        )
        or None,
        metadata=_totals(agreements),
    )
