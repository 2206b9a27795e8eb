"""The JSON that the documents show is what a receiver gets when that check fails."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from movie_assets.catalog.detail_checks import AGE, _age
from movie_assets.database.database import Database
from movie_assets.operations.alerts.messages import Entry, Message
from movie_assets.operations.alerts.observations import figures_of
from movie_assets.tmdb.media import MOVIES
from movie_assets_tests.support.definitions import defs
from movie_assets_tests.support.rows import put_films

ALERTS_PAGE = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text(encoding="utf-8")
KEY = dg.AssetCheckKey(dg.AssetKey("movie_details"), AGE)
RUNBOOK = "https://github.com/you/movie_assets/blob/main/docs/runbook.md"
NOW = datetime(2026, 11, 25, 13, 5, tzinfo=UTC)
CATALOGUE = """
insert into pipeline.movie_ids (
    tmdb_id, original_title, first_seen, judged_by, answer_version, release_date, fetched_at, changed_at
)
select
    n, '', '2026-01-01', 'the rules', pipeline.answer_version(),
    case when n <= 20 then date '2026-11-20' when n <= 80 then '2026-08-01' else '1999-01-01' end,
    timestamptz '2026-11-25 09:00+00' - case when n > 960 then interval '40 days' else interval '1 day' end,
    case when n between 71 and 80 then timestamptz '2026-11-25 08:31+00' end
from generate_series(1, 1000) n
"""


def test_an_alert_in_the_documents_is_a_real_one(database: Database) -> None:
    put_films(database, 1, 1000)
    with database.transaction() as connection:
        connection.exec_driver_sql(CATALOGUE)
    failed = _age(database, NOW, MOVIES)
    alert = Entry(
        alert_id=7, event="broken", kind="check", place="movie_details", name=AGE, severity=failed.severity.value,
        message=failed.description or "",
        expected=defs.resolve_asset_graph().get_check_spec(KEY).description or "", figures=figures_of(failed.metadata),
        link=f"/assets/movie_details?view=checks&checkDetail={AGE}", since=NOW.replace(minute=4, second=41),
    )  # fmt: skip
    (documented,) = re.findall(r"```json\n(.*?)```", ALERTS_PAGE, re.DOTALL)
    assert json.loads(documented) == Message([alert], NOW, "https://dagster.example.org", RUNBOOK).payload
