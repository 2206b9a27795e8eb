"""Documents for searches by words, which need no embedding. sql/search/search_documents.sql writes them."""

import time
from dataclasses import dataclass
from typing import NamedTuple

import dagster as dg

from movie_assets.database.database import Database
from movie_assets.runs.batch_runs import amiss
from movie_assets.runs.run_log import logged

FILMS_PER_CHUNK = 2000  # in a transaction of some seconds, which is lost when a run is killed


class RemovedDocuments(NamedTuple):
    """The number of removed documents, whose films left the catalogue."""

    removed: int


class WrittenDocuments(NamedTuple):
    """Counts of a chunk of documents; `last_id` is the chunk's last film, None when no film was left."""

    last_id: int | None
    films_due: int | None
    documents_written: int | None
    names_written: int | None


class Vocabulary(NamedTuple):
    """The number of words in the vocabulary."""

    words: int


class DocumentAgreement(NamedTuple):
    """The number of films, and the number of each kind of row that does not match them."""

    films: int
    films_without_their_document: int
    documents_half_there: int
    documents_without_a_film: int
    films_without_a_name: int
    words_not_counted: int
    documents_not_listed: int
    indexes_missing: int


@dataclass
class DocumentCounts:
    """Counts of an update of the documents."""

    films_due: int = 0
    written: int = 0
    names_written: int = 0
    removed: int = 0
    words: int = 0
    seconds: float = 0.0


@dg.asset(group_name="search", kinds={"postgres"}, deps=["movie_details"])
@logged(checked="rows_in", changed="rows_out", gone="rows_removed")
def search_documents(database: dg.ResourceParam[Database]) -> dg.MaterializeResult[None]:
    """A film as a document for searches by words: its titles in every language, people, keywords and plot.

    Only documents whose words changed are written; those of films that left the catalogue are deleted. The names of
    films and the vocabulary, which corrects typing errors, are updated too.
    """
    documents = update_documents(database)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": database.fetch_value(int, "count_movies"),
            "rows_in": documents.films_due,
            "rows_out": documents.written,
            "rows_removed": documents.removed,
            "names_written": documents.names_written,
            "words": documents.words,
            "seconds": round(documents.seconds, 2),
        }
    )


def update_documents(database: Database) -> DocumentCounts:
    """Delete documents without a film, write those that changed, and count the words of all.

    Each step, and each chunk of documents, is a transaction of its own. An interrupted update is continued by
    the next one.
    """
    counts, started, after = DocumentCounts(), time.monotonic(), 0
    (removed,) = database.execute_returning(RemovedDocuments, "remove_documents")
    counts.removed = removed.removed
    while True:
        (chunk,) = database.execute_returning(
            WrittenDocuments, "write_documents", after=after, films=FILMS_PER_CHUNK
        )  # fmt: skip
        if chunk.last_id is None:
            break
        after = chunk.last_id
        counts.films_due += chunk.films_due or 0
        counts.written += chunk.documents_written or 0
        counts.names_written += chunk.names_written or 0
    (vocabulary,) = database.execute_returning(Vocabulary, "finish_documents")
    counts.words = vocabulary.words
    counts.seconds = time.monotonic() - started
    return counts


@dg.asset_check(asset=search_documents)
def documents_agree_with_the_catalogue(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Each film is found by its current words, and no document is left without a film."""
    counts = database.fetch_one(DocumentAgreement, "document_agreement")._asdict()
    films = counts.pop("films")
    return dg.AssetCheckResult(
        passed=not any(counts.values()), description=amiss(counts), metadata={"films": films, **counts}
    )
