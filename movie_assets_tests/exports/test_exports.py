"""Exports are read back and compared with the tables; what fails or is killed leaves no export that looks whole."""

import hashlib
import json
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from movie_assets.config.settings import Settings, SettingsError
from movie_assets.exports import table_files
from movie_assets.exports.destination import FILES
from movie_assets_tests.conftest import database_of_ones_own, failed_checks, figures_of
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import FIRST_DAY, SmallPipeline, small_pipelines
from movie_assets_tests.support.world import film

CHECK = dg.AssetCheckKey(dg.AssetKey("exports"), "the_newest_export_is_whole")
SERIES = 1_000_000_064
QUERIES = {
    "titles": "select t.*, popularity, vote_count from catalog.titles t join catalog.title_stats s using (title_id)",
    "vectors": "select title_id, text_hash, embedding::vector::real[] as embedding from catalog.title_vectors_1 "
    "union all select title_id, text_hash, embedding::vector::real[] from catalog.series_vectors_1",
    "scores": "select title_id, votes, score, score_low, score_high, source_scores::text as source_scores, computed_at "
    "from catalog.title_scores",
}
Small = Callable[[], SmallPipeline]


@pytest.fixture(scope="module")
def published(server: str, template: str) -> Iterator[SmallPipeline]:
    """Twelve movies that were published, one of them with texts that need care, and a series with a vector."""
    with database_of_ones_own(server, template) as database, small_pipelines(database) as make:
        pipeline = make(*(film(64 * n, imdb_id=f"tt{n:07}") for n in range(1, 13)))
        pipeline.run_all()
        put_films(database, SERIES, SERIES)
        pipeline.do(
            "update catalog.titles set overview = E'a\\nb \"c\" ☃ \\u2028', release_date = null where title_id = 64"
        )
        pipeline.do(
            "insert into pipeline.title_embeddings (set_id, title_id, text_hash, embedding, embedded_at) "
            f"select e.set_id, t.title_id, t.text_hash, e.embedding, now() from catalog.titles t, "
            f"pipeline.title_embeddings e where t.title_id = {SERIES} and e.title_id = 64"
        )
        pipeline.do("select pipeline.refresh_vectors(1)")
        yield pipeline


@pytest.fixture
def pipeline(published: SmallPipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallPipeline:
    """The catalogue with a destination, on its first day; chunks are a few rows."""
    monkeypatch.setattr(table_files, "VALUES_IN_CHUNK", 6000)
    published.day = FIRST_DAY
    published.with_settings(export_to=str(tmp_path / "exports"))
    return published


def write(pipeline: SmallPipeline, *, succeeds: bool = True) -> Any:
    result = pipeline.run("write_exports")
    failures = [str(event.event_specific_data) for event in result.all_events if event.is_step_failure]
    assert result.success == succeeds, "\n".join(failures)
    return result


def folder(pipeline: SmallPipeline) -> Path:
    assert pipeline.settings.export_to is not None
    return Path(pipeline.settings.export_to) / str(pipeline.day)


def rows(pipeline: SmallPipeline, table: str) -> list[dict[str, Any]]:
    with pipeline.database.transaction() as connection:
        found = connection.exec_driver_sql(f"{QUERIES[table]} order by title_id").mappings().all()
    return [dict(row) for row in found]


def as_json(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in row.items()}


def in_single_precision(row: dict[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    """Some columns of a row; numbers of a vector are those that 32 bits can hold."""
    chosen = {column: row[column] for column in columns}
    if "embedding" in chosen:
        chosen["embedding"] = np.asarray(chosen["embedding"], np.float32).tolist()
    return chosen


def names(path: Path) -> set[str]:
    return {each.name for each in path.iterdir()}


def test_files_have_the_rows_of_the_tables(pipeline: SmallPipeline) -> None:
    result = write(pipeline)
    assert failed_checks(result) == set()
    manifest = json.loads((folder(pipeline) / "manifest.json").read_text())
    assert names(folder(pipeline)) == {*FILES, "manifest.json"}
    for table in QUERIES:
        expected = rows(pipeline, table)
        parquet = pq.read_table(folder(pipeline) / f"{table}.parquet")
        lines = (folder(pipeline) / f"{table}.jsonl").read_text(encoding="utf-8").removesuffix("\n").split("\n")
        columns = parquet.column_names if table == "titles" else list(expected[0])
        common = [column for column in columns if column in expected[0]]
        wanted = [in_single_precision(row, common) for row in expected]
        assert parquet.select(common).to_pylist() == wanted
        assert [in_single_precision(row, common) for row in map(json.loads, lines)] == list(map(as_json, wanted))
        for kind in ("parquet", "jsonl"):
            entry = manifest["files"][f"{table}.{kind}"]
            assert entry["rows"] == len(expected) >= 12
            assert entry["schema"] == [{"name": f.name, "type": str(f.type)} for f in parquet.schema]
    assert pq.ParquetFile(folder(pipeline) / "vectors.parquet").num_row_groups == 5  # 3 rows at a time
    assert len(rows(pipeline, "titles")) == len(rows(pipeline, "vectors")) == 13
    assert figures_of(result, "exports")["rows_written"] == sum(len(rows(pipeline, table)) for table in QUERIES)


def test_the_manifest_has_hashes_terms_and_an_expiry(pipeline: SmallPipeline) -> None:
    pipeline.do("update pipeline.title_details set fetched_at = '2026-08-01 12:00+00' where title_id = 64")
    write(pipeline)
    manifest = json.loads((folder(pipeline) / "manifest.json").read_text())
    for name in FILES:
        content = (folder(pipeline) / name).read_bytes()
        entry = manifest["files"][name]
        assert (entry["sha256"], entry["bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
    assert manifest["expires_at"] == "2027-01-26T12:00:00+00:00"  # 178 days later
    assert manifest["made_at"] == "2026-10-05T12:00:00+00:00"
    terms = (folder(pipeline) / "TERMS.txt").read_text()
    assert manifest["notice"] in terms
    assert "2027-01-26" in terms
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder(pipeline).iterdir()}
    assert modes == {0o600}
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder(pipeline), folder(pipeline).parent)] == [0o700] * 2


def test_details_of_six_months_ago_are_not_exported(pipeline: SmallPipeline) -> None:
    pipeline.do("update pipeline.title_details set fetched_at = '2026-04-10 11:00+00' where title_id = 64")
    result = write(pipeline, succeeds=False)
    assert "launch fetch_details" in str(result.all_events)
    pipeline.do("update pipeline.title_details set fetched_at = '2026-10-05 12:00+00' where title_id = 64")
    assert names(folder(pipeline)) == set()


def test_an_error_in_the_middle_leaves_the_export_of_before(pipeline: SmallPipeline) -> None:
    pipeline.do("alter view catalog.title_scores rename to no_scores")  # titles and vectors are written before scores
    try:
        write(pipeline, succeeds=False)
        assert names(folder(pipeline)) == set()
        pipeline.do("alter view catalog.no_scores rename to title_scores")
        write(pipeline)
        before = (folder(pipeline) / "manifest.json").read_bytes()
        pipeline.do("alter view catalog.title_scores rename to no_scores")
        write(pipeline, succeeds=False)
    finally:
        pipeline.do("alter view if exists catalog.no_scores rename to title_scores")
    assert (folder(pipeline) / "manifest.json").read_bytes() == before
    assert failed_checks(pipeline.check(CHECK)) == set()


def test_a_failure_between_two_names_leaves_no_manifest(
    pipeline: SmallPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(pipeline)
    moves = list[str]()

    def stop_at_the_third(_: LocalFileSystem, old: str, new: str, **__: object) -> None:
        moves.append(new)
        if len(moves) == 3:
            raise OSError("no space left")
        Path(old).rename(new)

    with monkeypatch.context() as patched:
        patched.setattr(LocalFileSystem, "mv", stop_at_the_third)
        assert "no space left" in str(write(pipeline, succeeds=False).all_events)
    assert names(folder(pipeline)) == set(FILES)
    assert failed_checks(pipeline.check(CHECK)) == {"the_newest_export_is_whole"}
    (folder(pipeline) / ".part-former.parquet").write_bytes(b"of a run that was killed")
    pipeline.do("update catalog.titles set tagline = 'new' where title_id = 128")
    assert failed_checks(write(pipeline)) == set()
    assert names(folder(pipeline)) == {*FILES, "manifest.json"}
    assert "new" in pq.read_table(folder(pipeline) / "titles.parquet")["tagline"].to_pylist()


@pytest.mark.parametrize(
    ("damage", "problem"),
    [(lambda path: path.write_bytes(path.read_bytes()[:-1]), "bytes instead of"),
     (lambda path: path.write_bytes(b"\0" + path.read_bytes()[1:]), "has another sha256"),
     (lambda path: path.unlink(), "is absent")],
    ids=["short", "changed", "absent"],
)  # fmt: skip
def test_the_check_finds_damage(pipeline: SmallPipeline, damage: Callable[[Path], object], problem: str) -> None:
    write(pipeline)
    damage(folder(pipeline) / "scores.jsonl")
    (found,) = pipeline.check(CHECK).get_asset_check_evaluations()
    assert not found.passed
    assert found.description.startswith("the export of 2026-10-05: scores.jsonl ")
    assert problem in found.description


def test_expired_exports_are_deleted_with_nothing_else(pipeline: SmallPipeline) -> None:
    now = datetime(2026, 10, 5, 12, tzinfo=UTC)
    root = folder(pipeline).parent
    made = {"2026-05-08": now + timedelta(days=9), "2026-10-01": now, "2026-10-02": now + timedelta(seconds=1),
            "2026-10-03": None}  # fmt: skip
    for day, expires_at in made.items():
        (root / day).mkdir(parents=True)
        (root / day / "titles.parquet").touch()
        (root / day / ".part-titles.jsonl").touch()
        if expires_at:
            manifest = {"expires_at": expires_at.isoformat(), "files": {}}
            (root / day / "manifest.json").write_text(json.dumps(manifest))
    (root / "2026-10-01" / "mine.txt").touch()
    (root / "notes").mkdir()
    result = write(pipeline)
    assert names(root) == {"2026-10-01", "2026-10-02", "2026-10-05", "notes"}
    assert names(root / "2026-10-01") == {"mine.txt"}
    assert "titles.parquet" in names(root / "2026-10-02")
    assert figures_of(result, "exports")["exports_deleted"] == 3


def test_an_object_store_gets_the_same(pipeline: SmallPipeline) -> None:
    write(pipeline)
    manifest = json.loads((folder(pipeline) / "manifest.json").read_text())
    pipeline.with_settings(export_to="memory://bucket/exports")
    try:
        for _ in range(2):
            assert failed_checks(write(pipeline)) == set()
        store = MemoryFileSystem()
        found = {path.rpartition("/")[2] for path in store.ls(f"/bucket/exports/{pipeline.day}", detail=False)}
        assert found == {*FILES, "manifest.json"}
        assert json.loads(store.cat_file(f"/bucket/exports/{pipeline.day}/manifest.json")) == manifest
    finally:
        MemoryFileSystem().rm("/bucket", recursive=True)


@pytest.mark.parametrize("module", ["pyarrow", "pyarrow.parquet", "fsspec.core"])
def test_an_absent_library_is_named(pipeline: SmallPipeline, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    result = write(pipeline, succeeds=False)
    assert "which is not installed: pip install 'movie-assets[exports]'" in str(result.all_events)


@pytest.mark.parametrize("address", ["nowhere://bucket", "s3://bucket/exports"])
def test_a_store_without_its_library_is_refused(
    pipeline: SmallPipeline, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    pipeline.with_settings(export_to=address)
    assert "MOVIE_ASSETS_EXPORT_TO cannot be used" in str(write(pipeline, succeeds=False).all_events)


def test_without_a_destination_it_is_off(pipeline: SmallPipeline) -> None:
    pipeline.with_settings()
    assert "exports" in pipeline.settings.switched_off
    result = write(pipeline)
    assert failed_checks(result) == set()
    assert "set MOVIE_ASSETS_EXPORT_TO" in figures_of(result, "exports")["state"]


def test_another_day_cannot_be_exported(pipeline: SmallPipeline) -> None:
    result = pipeline.run("write_exports", as_of="2026-10-06T00:10:00+00:00")
    assert not result.success
    assert not folder(pipeline).exists()


@pytest.mark.parametrize("value", ["exports", "sftp://me:secret@host/exports"])
def test_an_unusable_destination_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="MOVIE_ASSETS_EXPORT_TO") as raised:
        Settings.from_env({"MOVIE_ASSETS_EXPORT_TO": value})
    assert "secret" not in str(raised.value)
