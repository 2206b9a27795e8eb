"""Attributes of all assets for the web UI: table, columns, tags, owners, links to code.

The group, kinds and description of an asset are in its definition. An asset needs an entry here only if its table has
another name; tests name missing entries.
"""

import inspect
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import dagster as dg

from movie_assets.config.paths import PACKAGE
from movie_assets.config.settings import Settings

TABLES_FILE = Path(__file__).parent / "tables.json"  # made by `make docs` from a migrated database

# The table of an asset's rows, if it does not have the asset's name.
TABLE_OF = {
    "tmdb_lists": "catalog.list_snapshots",
    "series_details": "catalog.series",
    "movie_embeddings": "pipeline.title_embeddings",
    "imdb_ratings": "catalog.title_ratings",
    "movielens_ratings": "catalog.title_ratings",
    "csv_ratings": "catalog.title_ratings",
    "recommendation_model": "pipeline.title_weights",
    "tmdb_configuration": "catalog.image_sizes",
    "reconciliation": "pipeline.reconciliations",
    "events": "catalog.events",
}
# The tables that the media types share, by the ends of the names of their assets.
TABLE_OF_STAGE = {
    "export": "pipeline.exported_titles",
    "ids": "pipeline.title_ids",
    "changes": "pipeline.changed_titles",
    "discoveries": "pipeline.discovered_titles",
    "details": "catalog.titles",
}


@dataclass(frozen=True)
class Table:
    """A table or view of the database, with its columns and comments."""

    name: str
    kind: str
    comment: str
    columns: tuple[Mapping[str, str], ...]

    def schema(self) -> dg.TableSchema:
        """Return the columns in Dagster's form for the web UI."""
        return dg.TableSchema(
            columns=[
                dg.TableColumn(
                    column["name"],
                    column["type"],
                    column.get("comment"),
                    dg.TableColumnConstraints(nullable=column["nullable"] == "yes"),
                )
                for column in self.columns
            ]
        )


@cache
def tables() -> dict[str, Table]:
    """Return the tables and views of TABLES_FILE by name."""
    described = json.loads(TABLES_FILE.read_text(encoding="utf-8"))
    return {
        name: Table(name, table["kind"], table["comment"], tuple(table["columns"])) for name, table in described.items()
    }


def table_of(asset: str) -> Table | None:
    """Return the table of an asset's rows; None without one."""
    shared = TABLE_OF_STAGE.get(asset.rpartition("_")[2], "")
    names = [TABLE_OF.get(asset, ""), f"catalog.{asset}", f"pipeline.{asset}", shared]
    return next((tables()[name] for name in names if name in tables()), None)


def presented(defs: dg.Definitions, settings: Settings) -> dg.Definitions:
    """Return the definitions, whose assets have tables, columns, tags, owners and links to code."""
    made_by = {
        key: asset for asset in defs.assets or () if isinstance(asset, dg.AssetsDefinition) for key in asset.keys
    }

    def with_attributes(spec: dg.AssetSpec) -> dg.AssetSpec:
        table, step = table_of(spec.key.path[-1]), made_by[spec.key].node_def
        tags: dict[str, str] = {}
        metadata: dict[str, object] = {}
        if isinstance(step, dg.OpDefinition):
            tags |= {"service": step.pool} if step.pool else {}
            metadata |= {"dagster/code_references": _code_of(step, settings.source_url)}
        if table is not None:
            tags["schema"] = table.name.partition(".")[0]
            metadata |= {"dagster/table_name": table.name, "dagster/column_schema": table.schema()}
        return spec.merge_attributes(owners=settings.owners, tags=tags, metadata=metadata)

    with warnings.catch_warnings():
        # Mapping specs and linking code are not stable API yet; tests hold both.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        warnings.simplefilter("ignore", dg.BetaWarning)
        return defs.map_asset_specs(func=with_attributes)


def _code_of(step: dg.OpDefinition, source_url: str | None) -> dg.CodeReferencesMetadataValue:
    """Return a link to the step's function: in the repository of the settings, or on this machine."""
    function = inspect.unwrap(cast("Any", step.compute_fn).decorated_fn)
    path, line = Path(function.__code__.co_filename), function.__code__.co_firstlineno
    reference = (
        dg.UrlCodeReference(url=f"{source_url}/{path.relative_to(PACKAGE.parent)}#L{line}")
        if source_url
        else dg.LocalFileCodeReference(file_path=str(path), line_number=line)
    )
    return dg.CodeReferencesMetadataValue(code_references=[reference])
