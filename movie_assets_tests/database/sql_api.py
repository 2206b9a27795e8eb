"""The SQL API as applications see it: functions, views and tables of the schema `catalog`, and what a change breaks.

FILE has it as it was promised. `make docs` adds what is new, and refuses to take anything away.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from movie_assets.database.database import Database

FILE = Path(__file__).with_name("sql_api.json")
INPUT, OUTPUT = "ibv", "obt"  # modes of arguments in pg_proc
TO_DO = (
    "applications of the release before use it while both run (docs/contributing.md, Rolling upgrades). Leave it as it "
    "is and add another beside it. What a whole release had beside its successor may go: delete its line from "
    f"{FILE.name} in the same commit"
)
FUNCTIONS = """
select p.proname, p.pronargdefaults, p.proretset, format_type(p.prorettype, null),
    array(select format_type(a.type, null) from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]))
          with ordinality a (type, place) order by a.place),
    coalesce(p.proargnames, '{}'), coalesce(p.proargmodes::text[], '{}')
from pg_proc p
where p.pronamespace = 'catalog'::regnamespace
order by p.proname, p.oid
"""
RELATIONS = """
select c.relname, array_agg(concat(a.attname, ' ', format_type(a.atttypid, null)) order by a.attnum)
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'catalog'::regnamespace and c.relkind in ('r', 'v')
group by c.relname
order by c.relname
"""
Api = dict[str, dict[str, list[str]]]


def api_of(database: Database) -> Api:
    """Return what a migrated database has: `f(…)` with parameters and returned columns, or a relation with columns.

    Raises ValueError when a function has two signatures: with defaults, a call may then fit both and be refused.
    """
    api: Api = {}
    with database.transaction() as connection:
        for name, defaults, is_set, type_name, types, names, modes in connection.exec_driver_sql(FUNCTIONS):
            if f"{name}()" in api:
                raise ValueError(f"catalog.{name} has two signatures; drop the shorter one where the longer is created")
            api[f"{name}()"] = {
                "parameters": _parameters(types, names, modes, defaults),
                "returns": _returned(types, names, modes) or [f"{'setof ' if is_set else ''}{type_name}"],
            }
        for name, columns in connection.exec_driver_sql(RELATIONS):
            api[name] = {"columns": columns}
    return api


def _parameters(types: Sequence[str], names: Sequence[str], modes: Sequence[str], defaults: int) -> list[str]:
    places = [i for i in range(len(types)) if not modes or modes[i] in INPUT]
    first_default = len(places) - defaults
    return [
        f"{names[i] if names else ''} {types[i]}{' default' if number >= first_default else ''}".strip()
        for number, i in enumerate(places)
    ]


def _returned(types: Sequence[str], names: Sequence[str], modes: Sequence[str]) -> list[str]:
    return [f"{names[i]} {types[i]}" for i, mode in enumerate(modes) if mode in OUTPUT]


def breaks(promised: Api, present: Api) -> list[str]:
    """Return a sentence for each change after which a statement of an application may fail or mean something else."""
    sentences = []
    for name, shape in promised.items():
        if name not in present:
            sentences.append(f"catalog.{name} is missing")
            continue
        for part, before in shape.items():
            after = present[name].get(part, [])
            if part == "parameters":
                sentences += _broken_call(name, before, after)
            elif part == "returns" and after != before:
                sentences.append(f"catalog.{name} returned {before} and returns {after}")
            elif part == "columns" and after[: len(before)] != before:
                sentences.append(f"catalog.{name} had the columns {before} and has {after}")
    return [f"{sentence}: {TO_DO}" for sentence in sentences]


def _broken_call(name: str, before: list[str], after: list[str]) -> list[str]:
    kept = zip(before, after, strict=False)
    is_kept = len(after) >= len(before) and all(now in (then, f"{then} default") for then, now in kept)
    if is_kept and all(parameter.endswith(" default") for parameter in after[len(before) :]):
        return []
    return [f"catalog.{name} took {before} and takes {after}"]


def promised_api() -> Api:
    """Return what FILE promises."""
    promised: Api = json.loads(FILE.read_text(encoding="utf-8"))
    return promised


def as_json(api: Api) -> str:
    """Return the text of FILE: a line for each function or relation."""
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(api[name])}" for name in sorted(api)) + "\n}\n"


def write(database: Database) -> None:
    """Add to FILE what a migrated database has besides. Raises ValueError when it breaks what FILE promises."""
    present = api_of(database)
    if broken := breaks(promised_api(), present):
        raise ValueError("\n".join(broken))
    FILE.write_text(as_json(present), encoding="utf-8")
