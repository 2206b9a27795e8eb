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
    "export": "select title_id::text, original_title || popularity from pipeline.exported_titles e "
    "where export_date = (select max(export_date) from pipeline.title_exports x "
    "where x.media_type = catalog.media_type(title_id))",
    "exports": "select media_type || export_date, concat_ws('/', lines, rejected_lines, duplicate_lines, kept, "
    "min_popularity) from pipeline.title_exports",
    "discovered": "select title_id::text, (to_jsonb(d) - 'read_at')::text from pipeline.discovered_titles d",
    "ids": "select title_id::text, state || coalesce(reason, '') || batch from pipeline.title_ids",
    "movies": "select title_id::text, (to_jsonb(m) - 'changed_at' - 'facts_hash')::text from catalog.titles m",
    "facts": "select title_id::text, facts_hash from catalog.titles",  # of all tables around a title
    "stats": "select title_id::text, (to_jsonb(s) - 'seen_at')::text from catalog.title_stats s",
    "stats by day": "select title_id || '/' || day, (to_jsonb(h) - 'title_id' - 'day')::text "
    "from catalog.title_stats_history h",
    "genres": "select title_id || '/' || genre_id, '' from catalog.title_genres",
    "cast": "select title_id || '/' || to_jsonb(c)::text, '' from catalog.title_cast c",
    "crew": "select title_id || '/' || to_jsonb(c)::text, '' from catalog.title_crew c",
    "people": "select person_id::text, to_jsonb(p)::text from catalog.people p",
    "keywords": "select title_id || '/' || keyword_id, '' from catalog.title_keywords",
    "answers": "select title_id::text, body::text from pipeline.title_details",
    "broadcasts": "select title_id::text, to_jsonb(b)::text from catalog.broadcasts b",
    "seasons": "select season_id::text, to_jsonb(s)::text from catalog.seasons s",
    "episodes": "select episode_id::text, to_jsonb(e)::text from catalog.episodes e",
    "networks": "select title_id || '/' || network_id, position::text from catalog.series_networks",
    "answers for seasons": "select title_id || '/' || season_number, body::text || runtimes::text "
    "from pipeline.season_details",
    "changes": "select title_id || '/' || change_date, '' from pipeline.changed_titles",
    "embeddings": "select set_id || '/' || title_id, text_hash || embedding::text from pipeline.title_embeddings",
    "vectors": "select tmdb_id::text, text_hash || embedding::text from catalog.movie_vectors",
    # Which of equally near films is listed depends on the order in which the index was built.
    "similar": "select title_id || '/' || place, round(similarity::numeric, 3)::text from catalog.similar_titles",
    "documents": "select title_id::text, titles::text || words::text from catalog.title_documents",
    "scores": "select scope || '/' || key, (to_jsonb(a) - 'computed_at')::text from catalog.rating_aggregates a",
    "release dates": "select concat_ws('/', title_id, country, release_type, note, entry), to_jsonb(r)::text "
    "from catalog.release_dates r",
    "offers": "select concat_ws('/', title_id, country, kind, provider_id), is_opening || coalesce(left_at::text, '') "
    "from catalog.offer_intervals",
    # All events replayed give the catalogue, and no number is missing.
    "events": "select 'titles that differ from their events', differing::text from pipeline.compare_events()",
    "event numbers": "select 'missing', (max(sequence) - min(sequence) + 1 - count(*))::text from catalog.events",
    # These have no key: work that is committed twice leaves a row twice. Each run keeps the rejects that it saw.
    "history": "select title_id::text, concat_ws('/', state_before, reason_before, state, reason) "
    "from pipeline.title_id_history",
    "rejects": "select distinct stage || '/' || sample, reason || count(*) from pipeline.rejects "
    "group by run_id, stage, reason, sample",
    "paid": "select 'texts', sum(texts)::text from pipeline.embedding_costs",
    "vocabulary": "select word, films::text from catalog.vocabulary",
}

# What a service did on a bad day stays in these; after a day without one they are the truth's too.
OF_BAD_DAYS = ("history", "rejects", "exports", "stats by day")
# A day that is read twice has the numbers of its new films; each day that is read, its own.
OF_DAYS = ("exports", "stats by day")
OF_SERIES = ("broadcasts", "seasons", "episodes", "networks", "answers for seasons")

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
