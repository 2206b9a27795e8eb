"""A server with as little shared memory as a container's, which parallel builds of an index find too small."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from movie_assets.database.creation import ensure_database
from movie_assets.database.database import Database
from movie_assets.database.embedded import embedded_postgres
from movie_assets.database.migrations import migrate
from movie_assets.search.vector_index import build_index
from movie_assets_tests.conftest import address_of
from movie_assets_tests.database.test_embedded_postgres import USER

SMALL = 'mount -t tmpfs -o size=8m,mode=1777 tmpfs /dev/shm && exec "$0" "$@"'
VECTORS = """
insert into pipeline.embedding_sets (provider, model, dimensions, template) values ('p', 'm', 8, 't');
select pipeline.refresh_vectors(1);
insert into catalog.title_vectors_1 (title_id, text_hash, embedding, genres)
select n, '', array(select random() from generate_series(1, 8) where n > 0)::vector::halfvec, '{}'
from generate_series(1, 3000) n;
alter table catalog.title_vectors_1 set (parallel_workers = 2)
"""


@pytest.fixture
def small() -> Iterator[Database]:
    """A catalogue with vectors and no index, on a server that sees 8 MB of shared memory."""
    on_disk = "/var/tmp"  # noqa: S108  # the usual folder can be the one that is made small
    with tempfile.TemporaryDirectory(prefix="ma-", dir=on_disk, ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        home = Path(folder) / "home"
        process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", SMALL, sys.executable, "-c", USER, str(home)],  # noqa: S607
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        if not process.stdout.readline().startswith("postgresql://"):
            pytest.skip(f"shared memory cannot be made small here: {process.communicate()[1].strip()}")
        try:
            with embedded_postgres(home) as server:
                address = address_of(server, "catalogue")
                ensure_database(address)
                database = Database(address)
                migrate(database)
                with database.transaction() as connection:
                    for statement in VECTORS.split(";"):
                        connection.exec_driver_sql(statement)
                yield database
                database.close()
        finally:
            process.communicate("leave\n", timeout=120)


def test_an_index_is_built_without_parallel_workers_and_that_is_logged(
    small: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    with dg.build_asset_context() as context:  # closed here: one that is left to the collector fails another test
        log = context.log
        assert build_index(log, small, 1)
        assert not build_index(log, small, 1)
    warnings = [line for line in capfd.readouterr().err.splitlines() if " WARNING " in line]
    assert len(warnings) == 1, warnings
    assert "built without parallel workers, which takes longer: could not resize shared memory segment" in warnings[0]
    assert "--shm-size" in warnings[0]
    with small.transaction() as connection:
        valid = connection.exec_driver_sql(
            "select indisvalid from pg_index where indexrelid = 'catalog.title_vectors_1_nearest'::regclass"
        ).scalar()
    assert valid is True
