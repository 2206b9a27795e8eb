"""What docs/reference.md says, made from the code and the database: nothing in it is written by hand."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import dagster as dg

from movie_assets.config.paths import CHECKOUT
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.runs.presentation import table_of, tables

FILE = CHECKOUT / "docs" / "reference.md"
SETTINGS_PAGE = CHECKOUT / "docs" / "settings.md"
INTRODUCTION = """\
# Reference

Made by `make docs` from the code and from a migrated database; a test holds it. What an alert means and how to repair
what it tells is in [runbook.md](runbook.md); why things are as they are, in [architecture.md](architecture.md);
settings are in [settings.md](settings.md).
"""


def tables_as_json(database: Database) -> str:
    """Tables and views of a migrated database, as `presentation.TABLES_FILE` has them."""
    found = {
        row.name: {"kind": row.kind, "comment": row.comment, "columns": row.columns}
        for row in database.rows("describe_tables")
    }
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def as_markdown() -> str:
    """The whole file."""
    from movie_assets.definitions import definitions_for  # noqa: PLC0415  # the definitions are what is described

    defs = definitions_for(Settings.from_env())
    parts = [
        INTRODUCTION,
        _assets(defs),
        _checks(defs),
        _automation(defs),
        _tables("catalog", "Tables and views for applications"),
        _tables("pipeline", "Tables and views of the pipeline"),
    ]
    return "\n".join(parts)


def _assets(defs: dg.Definitions) -> str:
    rows = []
    for node in _by_name(defs.resolve_asset_graph().asset_nodes):
        table = table_of(node.key.path[-1])
        parents = ", ".join(f"`{key.to_user_string()}`" for key in sorted(node.parent_keys))
        rows.append(
            (
                f"`{node.key.to_user_string()}`",
                node.group_name,
                _first_sentence(node.description),
                f"`{table.name}`" if table else "",
                parents,
                ", ".join(sorted(node.kinds)),
            )
        )
    return _section("Assets", ("asset", "group", "one row is", "table", "made from", "kinds"), rows)


def _checks(defs: dg.Definitions) -> str:
    graph = defs.resolve_asset_graph()
    rows = []
    for key in sorted(graph.asset_check_keys, key=lambda key: (key.asset_key, key.name)):
        spec = graph.get_check_spec(key)
        rows.append(
            (
                f"[`{key.name}`](runbook.md#{key.name})",
                f"`{key.asset_key.to_user_string()}`",
                "yes" if spec.blocking else "",
                spec.description or "",
            )
        )
    return _section("Checks", ("check", "of", "stops what follows", "what it holds"), rows)


def _automation(defs: dg.Definitions) -> str:
    repository = defs.get_repository_def()
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    launched = [
        *(
            (f"`{schedule.name}`", f"`{schedule.job_name}`", f"`{schedule.cron_schedule}` UTC", schedule.description)
            for schedule in repository.schedule_defs
        ),
        *(
            (
                f"`{sensor.name}`",
                ", ".join(f"`{target.job_name}`" for target in sensor.targets),
                f"every {sensor.minimum_interval_seconds} s",
                sensor.description,
            )
            for sensor in repository.sensor_defs
        ),
    ]
    return "\n".join(
        [
            _section(
                "Jobs",
                ("job", "assets", "what it does"),
                sorted(
                    (
                        f"`{job.name}`",
                        ", ".join(sorted(f"`{key.to_user_string()}`" for key in job.asset_layer.selected_asset_keys)),
                        job.description or "",
                    )
                    for job in jobs
                ),
            ),
            _section("Schedules and sensors", ("name", "launches", "when", "why"), sorted(launched)),
        ]
    )


def settings_table() -> str:
    """Return the table of settings that docs/settings.md has between its markers."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for field in Settings.variables():
        default = field.default if field.default_factory is None else None
        shown = (
            " ".join(default)
            if isinstance(default, tuple)
            else f"{default:d}"
            if isinstance(default, bool)
            else default
        )
        rows.append(f"| `{field.alias}` | {'' if shown in (None, '') else f'`{shown}`'} | {field.description} |")
    return "\n".join(rows)


def settings_page(page: str) -> str:
    """Return docs/settings.md with today's table in the place of the one that it has."""
    before, begin, rest = page.partition("<!-- settings -->\n")
    _, end, after = rest.partition("<!-- /settings -->")
    return f"{before}{begin}{settings_table()}\n{end}{after}"


def _tables(schema: str, title: str) -> str:
    rows = [
        (f"`{table.name}`", table.kind, table.comment, ", ".join(column["name"] for column in table.columns))
        for table in tables().values()
        if table.name.startswith(f"{schema}.")
    ]
    return _section(title, ("name", "", "one row is", "columns"), rows)


def _section(title: str, head: Sequence[str], rows: Iterable[Sequence[str | None]]) -> str:
    lines = [f"## {title}", "", _line(head), "|" + "---|" * len(head), *map(_line, rows), ""]
    return "\n".join(lines)


def _line(cells: Sequence[str | None]) -> str:
    return "| " + " | ".join((cell or "").replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _first_sentence(text: str | None) -> str:
    return " ".join((text or "").partition("\n\n")[0].split())


def _by_name(nodes: Iterable[Any]) -> list[Any]:
    return sorted(nodes, key=lambda node: node.key)
