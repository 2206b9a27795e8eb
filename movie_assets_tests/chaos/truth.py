"""What the catalogue has to hold in the end: what an undisturbed run makes of the same world, row by row."""

from collections import Counter
from dataclasses import dataclass, field

import sqlalchemy as sa

from movie_assets.resources.postgres import Database

# Each table as keys and contents; moments are left out, as they differ between runs.
TABLES = {
    "export": "select tmdb_id::text, original_title || popularity from pipeline.export_lines "
    "where export_date = (select max(export_date) from pipeline.exports)",
    "ids": "select tmdb_id::text, state || coalesce(reason, '') || batch from pipeline.movie_ids",
    "movies": "select tmdb_id::text, (to_jsonb(m) - 'changed_at')::text from catalog.movies m",
    "stats": "select tmdb_id::text, (to_jsonb(s) - 'seen_at')::text from catalog.movie_stats s",
    "genres": "select tmdb_id || '/' || genre_id, '' from catalog.movie_genres",
    "cast": "select tmdb_id || '/' || to_jsonb(c)::text, '' from catalog.movie_cast c",
    "embeddings": "select set_id || '/' || tmdb_id, text_hash || embedding::text from pipeline.embeddings",
    "vectors": "select tmdb_id::text, text_hash || embedding::text from catalog.movie_vectors",
    # Which of equally near films is listed depends on the order in which the index was built.
    "similar": "select tmdb_id || '/' || place, round(similarity::numeric, 3)::text from catalog.similar_movies",
    "documents": "select tmdb_id::text, titles::text || words::text from catalog.search_documents",
    "scores": "select scope || '/' || key, (to_jsonb(a) - 'computed_at')::text from catalog.rating_aggregates a",
    "paid": "select 'texts', sum(texts)::text from pipeline.embedding_costs",
    "vocabulary": "select word, films::text from catalog.vocabulary",
}

State = dict[str, Counter[tuple[str, str]]]


@dataclass(frozen=True)
class Verdict:
    """Rows that are missing, there more than once or beyond the truth, and other than the truth."""

    lost: int
    duplicated: int
    wrong: int
    for_example: tuple[str, ...] = field(default=(), compare=False)

    @property
    def is_true(self) -> bool:
        """Whether nothing is amiss."""
        return not (self.lost or self.duplicated or self.wrong)


def state_of(database: Database) -> State:
    """All rows of all tables, with how often each is there."""
    with database.transaction() as connection:
        return {
            name: Counter((key, content) for key, content in connection.execute(sa.text(query)))
            for name, query in TABLES.items()
        }


def compared(found: State, truth: State) -> Verdict:
    """Hold a state against the truth."""
    lost = duplicated = wrong = 0
    examples: list[str] = []
    for table, rows in truth.items():
        true_keys = Counter(key for key, _ in rows.elements())
        keys = Counter(key for key, _ in found[table].elements())
        lost += (true_keys - keys).total()
        duplicated += (keys - true_keys).total()
        wrong += sum(keys[key] == true_keys[key] for key, _ in found[table] - rows)
        examples += [f"{table} lacks {row}"[:300] for row in list(rows - found[table])[:2]]
        examples += [f"{table} has {row}"[:300] for row in list(found[table] - rows)[:2]]
    return Verdict(lost, duplicated, wrong, tuple(examples))
