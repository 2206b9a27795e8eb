"""Stage 6: films as words, for searches that need no embedding; sql/search/search_documents.sql makes them."""

import time
from dataclasses import dataclass
from functools import partial

import dagster as dg

from movie_assets.database.database import Database, as_dict, rows
from movie_assets.runs.batch_runs import amiss
from movie_assets.runs.run_log import logged

FILMS_PER_CHUNK = 2000  # a transaction of some seconds; a kill costs one of them


@dataclass
class Documents:
    """What bringing the documents in line with the catalogue came to."""

    films_due: int = 0
    written: int = 0
    names_written: int = 0
    removed: int = 0
    words: int = 0
    seconds: float = 0.0


@dg.asset(group_name="search", kinds={"postgres"}, deps=["movie_details"])
@logged(checked="rows_in", changed="rows_out", gone="rows_removed")
def search_documents(database: dg.ResourceParam[Database]) -> dg.MaterializeResult[None]:
    """A film as words: its titles in every language, people, keywords and plot, behind an index of words.

    Only films whose words changed are looked at; films that left the catalogue leave. Names and the vocabulary, by
    which slips of the finger are mended, go with it.
    """
    documents = bring_in_line(database)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": database.row("count_movies").films,
            "rows_in": documents.films_due,
            "rows_out": documents.written,
            "rows_removed": documents.removed,
            "names_written": documents.names_written,
            "words": documents.words,
            "seconds": round(documents.seconds, 2),
        }
    )


def bring_in_line(database: Database) -> Documents:
    """Remove, write chunk by chunk, and count the words; each a transaction of its own, each safe to do again."""
    documents, started, after = Documents(), time.monotonic(), 0
    documents.removed = database.row("remove_documents").removed
    while True:
        (chunk,) = database.once(partial(rows, query="write_documents", after=after, films=FILMS_PER_CHUNK))
        if chunk.last_id is None:
            break
        after = chunk.last_id
        documents.films_due += chunk.looked_at
        documents.written += chunk.documents_written
        documents.names_written += chunk.names_written
    documents.words = database.row("finish_documents").words
    documents.seconds = time.monotonic() - started
    return documents


@dg.asset_check(asset=search_documents)
def documents_agree_with_the_catalogue(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Each film is searched by the words that it has now, and no document is left without a film."""
    found = as_dict(database.row("document_agreement"))
    films = found.pop("films")
    return dg.AssetCheckResult(
        passed=not any(found.values()), description=amiss(found), metadata={"films": films, **found}
    )
