"""Dagster's policies of freshness, from `operations.ages`; the web UI shows them, and alerts tell what is late.

Batches have none: Dagster would count their newest one only. Their ages are checks, from SQL (`movie_details`).
What is made of watch histories has none: it is made when somebody watched something.
"""

from collections.abc import Collection, Sequence

import dagster as dg

from movie_assets.operations.ages import ALLOWED

FRESHNESS = {
    name: dg.FreshnessPolicy.time_window(warn_window=allowed.warn, fail_window=allowed.fail)
    for name, allowed in ALLOWED.items()
}


def with_freshness(assets: Sequence[dg.AssetsDefinition], off: Collection[str]) -> list[dg.AssetsDefinition]:
    """The assets with their policies; those that are switched `off` may be as old as they like."""

    def with_policy(spec: dg.AssetSpec) -> dg.AssetSpec:
        name = spec.key.to_user_string()
        return spec if name in off or name not in FRESHNESS else dg.apply_freshness_policy(spec, FRESHNESS[name])

    return [asset.map_asset_specs(with_policy) for asset in assets]
