"""Loads of files of ratings in tests: IMDb's file, a run of the assets, and its results."""

import gzip
from pathlib import Path
from typing import Any

from movie_assets_tests.support.small_pipelines import SmallPipeline

IMDB = "tconst\taverageRating\tnumVotes\n"
HEADER = "tmdb_id,imdb_id,source,scale_min,scale_max,value,votes,seen_at\n"


def imdb_file(path: Path, films: int = 120, **changes: str) -> Path:
    """IMDb's file with so many titles; `changes` replaces lines by their number, `t7="…"`."""
    lines = [changes.get(f"t{n}", f"tt{n:07}\t{5 + n % 40 / 10}\t{100 + n}") for n in range(1, films + 1)]
    path.write_bytes(gzip.compress((IMDB + "\n".join(lines) + "\n").encode()))
    return path


def take(pipeline: SmallPipeline, **settings: Any) -> Any:
    pipeline.with_settings(**settings)
    return pipeline.run("read_ratings")


def metadata_of(result: Any, asset: str) -> dict[str, Any]:
    """Metadata of an asset's materialization, which must be there."""
    (event,) = [e for e in result.get_asset_materialization_events() if e.asset_key.path == [asset]]
    return {name: value.value for name, value in event.step_materialization_data.materialization.metadata.items()}


def failure_of(result: Any) -> str:
    (event,) = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    return str(event.step_failure_data.user_failure_data.description)


def stored(pipeline: SmallPipeline) -> list[tuple[Any, ...]]:
    with pipeline.database.transaction() as connection:
        rows = connection.exec_driver_sql(
            "select tmdb_id, source, round(raw_value::numeric, 4)::float, round(value::numeric, 3)::float, votes "
            "from catalog.external_ratings order by 1, 2"
        )
        return [tuple(row) for row in rows]
