"""The first day of a catalogue, read when Dagster loads the definitions.

The web UI must not show earlier days as missing. `movie-assets refresh --date` with an earlier day moves the first day
back; Dagster's processes show that when they load the definitions again.
"""

import logging
from datetime import UTC, date, datetime

import psycopg

from movie_assets.config.settings import Settings
from movie_assets.database.addresses import DatabaseError, dsn_of, url_of
from movie_assets.database.queries import query_text
from movie_assets.runs.partitions import EARLIEST_DAY

SECONDS_TO_CONNECT = 3
log = logging.getLogger(__name__)


def first_day_of(settings: Settings) -> date:
    """Return the first day of the settings' catalogue; today if no day was read yet.

    Definitions must load without a database, too. If it cannot be reached, the earliest possible day is returned.
    """
    if settings.database_url is None:
        return EARLIEST_DAY
    try:
        with psycopg.connect(
            dsn_of(url_of(settings.database_url.get_secret_value())), connect_timeout=SECONDS_TO_CONNECT
        ) as connection:
            row = connection.execute(query_text("first_day").encode()).fetchone()
    except psycopg.errors.UndefinedTable:
        row = None  # an empty database, which the first run refuses until it is migrated
    except (psycopg.OperationalError, DatabaseError) as error:
        log.warning("the catalogue's first day cannot be read, so that earlier days are shown as missing: %s", error)
        return EARLIEST_DAY
    return row[0] if row else datetime.now(UTC).date()
