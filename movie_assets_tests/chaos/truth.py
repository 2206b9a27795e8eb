"""What the catalogue has to hold in the end: what an undisturbed run makes of the same world, row by row."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

import dagster as dg
import sqlalchemy as sa

from movie_assets.database.database import Database

# What the secrets of these tests have in common: a token, a key and a password.
CANARY = "canary-of-the-"
TOKEN, KEY, PASSWORD = CANARY + "token", CANARY + "key", CANARY + "password"

# Each table as keys and contents; moments are left out, as they differ between runs. Tables of what TMDB did not tell
# of these films are empty; logs of runs, calls and units tell of the disturbance itself.
TABLES = {
    "export": "select tmdb_id::text, original_title || popularity from pipeline.export_lines "
    "where export_date = (select max(export_date) from pipeline.exports)",
    "exports": "select export_date::text, concat_ws('/', lines, rejected_lines, duplicate_lines, kept, min_popularity) "
    "from pipeline.exports",
    "discovered": "select tmdb_id::text, (to_jsonb(d) - 'read_at')::text from pipeline.discovered d",
    "ids": "select tmdb_id::text, state || coalesce(reason, '') || batch from pipeline.movie_ids",
    "movies": "select tmdb_id::text, (to_jsonb(m) - 'changed_at')::text from catalog.movies m",
    "stats": "select tmdb_id::text, (to_jsonb(s) - 'seen_at')::text from catalog.movie_stats s",
    "stats by day": "select tmdb_id || '/' || day, (to_jsonb(h) - 'tmdb_id' - 'day')::text "
    "from catalog.movie_stats_history h",
    "genres": "select tmdb_id || '/' || genre_id, '' from catalog.movie_genres",
    "cast": "select tmdb_id || '/' || to_jsonb(c)::text, '' from catalog.movie_cast c",
    "crew": "select tmdb_id || '/' || to_jsonb(c)::text, '' from catalog.movie_crew c",
    "people": "select person_id::text, to_jsonb(p)::text from catalog.people p",
    "keywords": "select tmdb_id || '/' || keyword_id, '' from catalog.movie_keywords",
    "answers": "select tmdb_id::text, body::text from pipeline.raw_details",
    "embeddings": "select set_id || '/' || tmdb_id, text_hash || embedding::text from pipeline.embeddings",
    "vectors": "select tmdb_id::text, text_hash || embedding::text from catalog.movie_vectors",
    # Which of equally near films is listed depends on the order in which the index was built.
    "similar": "select tmdb_id || '/' || place, round(similarity::numeric, 3)::text from catalog.similar_movies",
    "documents": "select tmdb_id::text, titles::text || words::text from catalog.search_documents",
    "scores": "select scope || '/' || key, (to_jsonb(a) - 'computed_at')::text from catalog.rating_aggregates a",
    # These have no key: work that is committed twice leaves a row twice. Each run keeps the rejects that it saw.
    "history": "select tmdb_id::text, concat_ws('/', state_before, reason_before, state, reason) "
    "from pipeline.id_history",
    "rejects": "select distinct stage || '/' || sample, reason || count(*) from pipeline.rejects "
    "group by run_id, stage, reason, sample",
    "paid": "select 'texts', sum(texts)::text from pipeline.embedding_costs",
    "vocabulary": "select word, films::text from catalog.vocabulary",
}

# What a service did on a bad day stays in these; after a day without one they are the truth's too.
OF_BAD_DAYS = ("history", "rejects", "exports", "stats by day")
# A day that is read twice has the numbers of its new films; each day that is read, its own.
OF_DAYS = ("exports", "stats by day")

State = dict[str, Counter[tuple[str, str]]]


@dataclass(frozen=True)
class Differences:
    """Rows that are missing, duplicated or beyond the truth, or have other contents; secrets that were written."""

    lost: int
    duplicated: int
    wrong: int
    for_example: tuple[str, ...] = field(default=(), compare=False)
    secrets: int = 0

    @property
    def is_true(self) -> bool:
        """Whether nothing is amiss."""
        return not (self.lost or self.duplicated or self.wrong or self.secrets)


def state_of(database: Database) -> State:
    """All rows of all tables, with how often each is there."""
    with database.transaction() as connection:
        return {
            name: Counter((key, content) for key, content in connection.execute(sa.text(query)))
            for name, query in TABLES.items()
        }


def count_secrets(database: Database, instance: dg.DagsterInstance, logs: str) -> int:
    """Return the number of rows, records of Dagster and lines of logs that contain a canary."""
    with database.transaction() as connection:
        tables = connection.exec_driver_sql(
            "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables "
            "where schemaname !~ '^pg_' and schemaname <> 'information_schema'"
        ).scalars()
        counts = " + ".join(f"(select count(*) from {table} t where t::text like :secret)" for table in tables)
        rows: int = connection.execute(sa.text(f"select {counts}"), {"secret": f"%{CANARY}%"}).scalar_one()
    runs = instance.get_runs()
    records = [dg.serialize_value(run) for run in runs]
    records += [dg.serialize_value(entry) for run in runs for entry in instance.all_logs(run.run_id)]
    return rows + sum(CANARY in line for line in [*records, *logs.splitlines()])


def compared(found: State, truth: State, *, but: Collection[str] = ()) -> Differences:
    """Compare a state with the truth, in all tables but some."""
    lost = duplicated = wrong = 0
    examples: list[str] = []
    for table in (name for name in truth if name not in but):
        rows = truth[table]
        true_keys = Counter(key for key, _ in rows.elements())
        keys = Counter(key for key, _ in found[table].elements())
        lost += (true_keys - keys).total()
        duplicated += (keys - true_keys).total()
        wrong += sum(keys[key] == true_keys[key] for key, _ in found[table] - rows)
        examples += [f"{table} lacks {row}"[:300] for row in list(rows - found[table])[:2]]
        examples += [f"{table} has {row}"[:300] for row in list(found[table] - rows)[:2]]
    return Differences(lost, duplicated, wrong, tuple(examples))
