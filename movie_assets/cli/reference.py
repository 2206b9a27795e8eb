"""Generates docs/reference.md and the table of docs/settings.md from the code and the database."""

import json
import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import dagster as dg
from pydantic.fields import FieldInfo

from movie_assets.config.paths import CHECKOUT
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.runs.presentation import table_of, tables

FILE = CHECKOUT / "docs" / "reference.md"
SETTINGS_PAGE = CHECKOUT / "docs" / "settings.md"
ARCHITECTURE_PAGE = CHECKOUT / "docs" / "architecture.md"
EXAMPLE_FILE = CHECKOUT / ".env.example"
EXAMPLE_HEAD = """\
# Copy to a file .env in the checkout, which `movie-assets` and Dagster's own commands read, or to your shell's profile.
# Everything is optional. `make docs` writes this file.
"""
INTRODUCTION = """\
# Reference

`make docs` generates this page from the code and a migrated database, and a test fails when it is out of date. The
[runbook](runbook.md) explains each alert and how to repair the cause, [architecture](architecture.md) the design, and
[settings](settings.md) lists the settings.
"""


class DescribedTable(NamedTuple):
    """A table or view of the database with its comment; `columns` has name, type, nullable and comment of each."""

    name: str
    kind: str
    comment: str
    columns: list[dict[str, str]]


def tables_as_json(database: Database) -> str:
    """Return the tables and views of a migrated database as the text of `presentation.TABLES_FILE`."""
    described = {
        row.name: {"kind": row.kind, "comment": row.comment, "columns": row.columns}
        for row in database.fetch(DescribedTable, "describe_tables")
    }
    return json.dumps(described, indent=1, ensure_ascii=False) + "\n"


def as_markdown() -> str:
    """Return the text of docs/reference.md."""
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
    for node in sorted(defs.resolve_asset_graph().asset_nodes, key=lambda node: node.key):
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
    return _section("Checks", ("check", "asset", "is blocking", "passes if"), rows)


def _automation(defs: dg.Definitions) -> str:
    repository = defs.get_repository_def()
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
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
            _section("Schedules and sensors", ("name", "launches", "when", "why"), _triggers(defs)),
        ]
    )


def _triggers(defs: dg.Definitions) -> list[tuple[str, str, str, str | None]]:
    """Return the name, the jobs, the times and the description of each schedule and sensor, by name."""
    repository = defs.get_repository_def()
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
    return sorted(launched)


def triggers_table() -> str:
    """Return the table of what launches what, which stands between the markers of docs/architecture.md."""
    from movie_assets.definitions import definitions_for  # noqa: PLC0415  # the definitions are what is described

    rows = [(name, jobs, why) for name, jobs, _, why in _triggers(definitions_for(Settings.from_env()))]
    return "\n".join([_line(("trigger", "launches", "when")), "|---|---|---|", *map(_line, rows)])


def architecture_page(page: str) -> str:
    """Return docs/architecture.md with the current table of what launches what."""
    return _with_table(page, "triggers", triggers_table())


def settings_table() -> str:
    """Return the table of settings that stands between the markers of docs/settings.md."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for field in Settings.variables():
        default = _default_of(field)
        rows.append(f"| `{field.alias}` | {f'`{default}`' if default else ''} | {field.description} |")
    return "\n".join(rows)


def example_environment() -> str:
    """Return .env.example: every setting in a comment, with its meaning and default."""
    parts = [EXAMPLE_HEAD]
    for field in Settings.variables():
        meaning = re.sub(r"\[(\S+)\]\(\S+\)", r"docs/\1", field.description or "")  # links are relative to docs/
        lines = textwrap.wrap(meaning, 120, initial_indent="# ", subsequent_indent="# ", break_long_words=False)
        parts.append("\n".join([*lines, f"# {field.alias}={_default_of(field)}\n"]))
    return "\n".join(parts)


def _default_of(field: FieldInfo) -> str:
    """Return a setting's default as it is written in a variable; an empty text when it has none."""
    default = field.default if field.default_factory is None else None
    if isinstance(default, bool):
        return f"{default:d}"
    return " ".join(default) if isinstance(default, tuple) else "" if default is None else str(default)


def settings_page(page: str) -> str:
    """Return the text of docs/settings.md with a new table of settings."""
    return _with_table(page, "settings", settings_table())


def _with_table(page: str, name: str, table: str) -> str:
    """Return a page with a table between the markers of that name."""
    before, begin, rest = page.partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition(f"<!-- /{name} -->")
    return f"{before}{begin}{table}\n{end}{after}"


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
