"""Upkeep: a weekly recount of what runs keep up step by step, so that a slip does not stay for ever.

What must agree is sql/functions/reconcile.sql. What differs is repaired by being made due for the run that usually
makes it; with nothing to repair nothing is launched.
"""

from dataclasses import dataclass, replace

import dagster as dg

from movie_assets.assets.run_log import logged
from movie_assets.assets.shown_tables import shown_table
from movie_assets.core.films import UnusableAnswerError
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


@dataclass(frozen=True)
class Agreement:
    """Two tables that must agree, as they were found."""

    agreement: str
    rows_compared: int
    rows_differing: int
    examples: list[str]
    repaired: int = 0


@dg.asset(group_name="operations", kinds={"postgres"})
@logged(checked="rows_compared", changed="rows_repaired")
def reconciliation(
    context: dg.AssetExecutionContext, database: dg.ResourceParam[Database]
) -> dg.MaterializeResult[None]:
    """An agreement between two tables, with how many rows of it were compared and how many differ.

    Rows that differ are put right, or made due for the run that makes them.
    """
    moment = moment_of(context.run)
    answers = read_answers_again(database)
    _make_due(database, answers, context)
    found = [_repaired(database, each) for each in [*count_again(database), answers.agreement(repaired=answers.wrong)]]
    for each in found:
        database.execute("record_reconciliation", moment=moment, run_id=context.run.run_id, **each.__dict__)
    return dg.MaterializeResult(
        metadata={
            "rows_compared": sum(each.rows_compared for each in found),
            "rows_differing": sum(each.rows_differing for each in found),
            "rows_repaired": sum(each.repaired for each in found),
            "agreements": shown_table(
                ("agreement", "rows", "differ", "repaired", "for example"),
                [(e.agreement, e.rows_compared, e.rows_differing, e.repaired, ", ".join(e.examples)) for e in found],
            ),
        },
    )


def count_again(database: Database) -> list[Agreement]:
    """Compare the tables that must agree, in SQL. Nothing is repaired."""
    return [Agreement(**row._mapping) for row in database.rows("reconcile", template=TEMPLATE)]  # noqa: SLF001


@dataclass(frozen=True)
class Answers:
    """The stored answers, read again: how many, and the films that come out otherwise or cannot be read."""

    compared: int
    differing: list[int]
    unusable: list[int]

    @property
    def wrong(self) -> int:
        """How many are not what their films say."""
        return len(self.differing) + len(self.unusable)

    def agreement(self, repaired: int = 0) -> Agreement:
        """As an agreement beside the others."""
        examples = [str(tmdb_id) for tmdb_id in [*self.unusable, *self.differing][:EXAMPLES]]
        return Agreement(ANSWERS, self.compared, self.wrong, examples, repaired)


def read_answers_again(database: Database) -> Answers:
    """Read every stored answer again, batch by batch. Nothing is repaired."""
    compared, differing, unusable = 0, list[int](), list[int]()
    for batch in range(BATCH_COUNT):
        for row in database.rows("answers_of_batch", batch=batch, judge=judge_name()):
            compared += 1
            try:
                judged = judge(row.body, row.tmdb_id)
            except UnusableAnswerError:
                unusable.append(row.tmdb_id)
                continue
            if (judged.text_hash, judged.facts_hash) != (row.text_hash, row.facts_hash):
                differing.append(row.tmdb_id)
    return Answers(compared, differing, unusable)


def _make_due(database: Database, answers: Answers, context: dg.AssetExecutionContext) -> None:
    if answers.wrong:
        database.execute("judge_again", tmdb_ids=answers.differing)
        database.execute("fetch_again", tmdb_ids=answers.unusable, moment=moment_of(context.run))
        context.log.warning(
            f"{len(answers.differing):,} films are not what their answers say and are judged again; "
            f"{len(answers.unusable):,} answers cannot be read and are fetched again"
        )


def _repaired(database: Database, found: Agreement) -> Agreement:
    repair = REPAIRS.get(found.agreement)
    if repair is None or not found.rows_differing:
        return found
    return replace(found, repaired=database.row(repair).repaired)


@dg.asset_check(
    asset=reconciliation,
    description="Ids, films, texts, vectors, similar films, words and scores agree with what they are made from, "
    "counted again row by row. After a recount it reports what that found; executed alone it counts again and repairs "
    "nothing.",
)
def everything_agrees(
    context: dg.AssetCheckExecutionContext,
    database: dg.ResourceParam[Database],
) -> dg.AssetCheckResult:
    """Report what differs: in the recount of the same run, or now."""
    rows = database.rows("recount_of_run", run_id=context.run.run_id)
    found = [Agreement(**row._mapping) for row in rows]  # noqa: SLF001  # SQLAlchemy's documented way
    if not found:
        answers = read_answers_again(database)
        found = [*count_again(database), answers.agreement()]
    differing = [each for each in found if each.rows_differing]
    return dg.AssetCheckResult(
        passed=not differing,
        description="; ".join(f"not true for {e.rows_differing:,}: {e.agreement}" for e in differing) or None,
        metadata={
            "rows_compared": sum(each.rows_compared for each in found),
            "rows_differing": sum(each.rows_differing for each in found),
        },
    )
