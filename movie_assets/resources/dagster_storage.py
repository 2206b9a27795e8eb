"""Dagster's records in Postgres over connections that are kept; `dagster.yaml` names it.

Dagster opens a connection for each event and each look, some 1,400 in a day without change, and each costs Postgres a
process. What is stored, and how, is Dagster's business.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import pg_url_from_config


class PooledPostgresStorage(DagsterPostgresStorage):
    """Dagster's own storage, whose three parts share one pool.

    A kept connection is asked whether it still lives before it is used, so that a restart of the server costs no more
    than it did; a connection beyond the one that is kept is closed after its use.
    """

    def __init__(
        self, postgres_url: str, should_autocreate_tables: bool = True, inst_data: ConfigurableClassData | None = None
    ) -> None:
        super().__init__(postgres_url, should_autocreate_tables, inst_data)
        engine = sa.create_engine(
            postgres_url, isolation_level="AUTOCOMMIT", pool_size=1, max_overflow=-1, pool_pre_ping=True
        )
        for part in (self._run_storage, self._event_log_storage, self._schedule_storage):
            part._engine = engine  # noqa: SLF001  # as its optimize_for_webserver does
        self._run_storage.dispose = engine.dispose  # type: ignore[method-assign]  # what an instance calls at its end

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "PooledPostgresStorage":
        """Open the storage that dagster.yaml configures, by the same keys as Dagster's own."""
        return cls(pg_url_from_config(config_value), config_value.get("should_autocreate_tables", True), inst_data)
