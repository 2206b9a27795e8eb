"""Dagster's freshness policies, from `operations.ages`. The web UI shows them, and alerts report late assets.

Assets with batches have none, as Dagster would regard their newest batch only; checks in SQL watch their age
(`movie_details`). Assets made from watch histories have none, as they are made when a history changes.
"""

from collections.abc import Collection, Sequence

import dagster as dg

from movie_assets.operations.ages import ALLOWED_AGES

FRESHNESS = {
    name: dg.FreshnessPolicy.time_window(warn_window=allowed.warn, fail_window=allowed.fail)
    for name, allowed in ALLOWED_AGES.items()
}


def with_freshness(assets: Sequence[dg.AssetsDefinition], off: Collection[str]) -> list[dg.AssetsDefinition]:
    """Return the assets with their policies; those that are switched `off` get none."""

    def with_policy(spec: dg.AssetSpec) -> dg.AssetSpec:
        name = spec.key.to_user_string()
        return spec if name in off or name not in FRESHNESS else dg.apply_freshness_policy(spec, FRESHNESS[name])

    return [asset.map_asset_specs(with_policy) for asset in assets]
