"""The names that users meet in Dagster: assets, checks, jobs, schedules and sensors.

FILE lists them, so that a renaming or a forgotten registration is seen. `make docs` adds what is new, and refuses to
take anything away: people's dashboards and scripts use the names.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import dagster as dg

FILE = Path(__file__).with_name("definitions.json")
Registered = Mapping[str, Mapping[str, object]]


def registered(defs: dg.Definitions) -> Registered:
    """Return what is registered: each asset's group, pool and freshness, each job's assets, and the other names."""
    repository, graph = defs.get_repository_def(), defs.resolve_asset_graph()
    names = sorted(key.to_user_string() for key in graph.get_all_asset_keys())
    jobs = sorted(name for name in repository.job_names if not name.startswith("__"))
    return {
        "assets": {name: _asset(defs.resolve_assets_def(name)) for name in names},
        "checks": {f"{key.asset_key.to_user_string()}: {key.name}": {} for key in sorted(graph.asset_check_keys)},
        "jobs": {name: _assets_of(defs, name) for name in jobs},
        "schedules": {
            each.name: each.job_name for each in sorted(repository.schedule_defs, key=lambda each: each.name)
        },
        "sensors": {each.name: {} for each in sorted(repository.sensor_defs, key=lambda each: each.name)},
    }


def _asset(asset: dg.AssetsDefinition) -> Mapping[str, object]:
    spec = asset.get_asset_spec()
    return {
        "group": spec.group_name,
        "pool": asset.op.pool,
        "must_be_fresh": spec.freshness_policy is not None,
    }


def _assets_of(defs: dg.Definitions, job: str) -> list[str]:
    keys = defs.resolve_job_def(job).asset_layer.selected_asset_keys
    return sorted(key.to_user_string() for key in keys)


def listed() -> Registered:
    """Return what FILE lists."""
    names: Registered = json.loads(FILE.read_text(encoding="utf-8"))
    return names


def write(defs: dg.Definitions) -> None:
    """Write what is registered to FILE. Raises ValueError when a name is missing that the file has."""
    now = registered(defs)
    missing = [f"{kind}: {name}" for kind, names in listed().items() for name in names if name not in now[kind]]
    if missing:
        raise ValueError(
            f"no longer registered: {', '.join(missing)}. People's dashboards and scripts use these names: keep them, "
            f"or delete them from {FILE.name} in the same commit, with a line in CHANGELOG.md"
        )
    FILE.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
