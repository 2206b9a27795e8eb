"""What Dagster loads: the assets and checks of `orchestration.rooms`, and what launches them.

Nothing is read when this module is imported: Dagster calls `location`, and shows the error of a wrong setting.
"""

from collections.abc import Collection

import dagster as dg

from movie_assets.catalog.media_assets import MOVIE_ASSETS, assets_for, switched_off
from movie_assets.config.settings import Settings
from movie_assets.events.webhook_sensor import webhook_sensor
from movie_assets.operations.alerts.sensor import alert_sensor
from movie_assets.orchestration.console import console
from movie_assets.orchestration.executor import in_process_executor
from movie_assets.orchestration.freshness import with_freshness
from movie_assets.orchestration.jobs import jobs
from movie_assets.orchestration.orphaned_runs import orphaned_runs_sensor
from movie_assets.orchestration.resources import RESOURCES
from movie_assets.orchestration.rooms import ASSETS, CHECKS
from movie_assets.orchestration.schedules import schedules
from movie_assets.orchestration.sensors import work_sensors
from movie_assets.runs.first_day import first_day_of
from movie_assets.runs.partitions import with_days_since
from movie_assets.runs.presentation import presented


@dg.definitions
def location() -> dg.Definitions:
    """Return what Dagster's processes load: the definitions, with days since the first one of the catalogue."""
    settings = Settings.from_env()
    return with_days_since(definitions_for(settings), first_day_of(settings))


def definitions_for(settings: Settings) -> dg.Definitions:
    """Return the definitions under given settings, with all days that any catalogue can have."""
    schedule = dg.DefaultScheduleStatus.RUNNING if settings.automation else dg.DefaultScheduleStatus.STOPPED
    sensor = dg.DefaultSensorStatus.RUNNING if settings.automation else dg.DefaultSensorStatus.STOPPED
    off = {dg.AssetKey(name) for name in switched_off(settings.media_types)}
    on = [_of_media(each, settings.media_types) for each in ASSETS if not off & each.keys]
    defs = dg.Definitions(
        assets=with_freshness(on, off=settings.switched_off),
        asset_checks=[each for each in CHECKS if not off & {key.asset_key for key in each.check_keys}],
        jobs=jobs(settings.media_types),
        schedules=schedules(schedule),
        sensors=[*work_sensors(sensor), alert_sensor(sensor), webhook_sensor(sensor), orphaned_runs_sensor(sensor)],
        resources=RESOURCES,
        loggers={"console": console},
        executor=in_process_executor,
    )
    return presented(defs, settings)


def _of_media(asset: dg.AssetsDefinition, media_types: Collection[str]) -> dg.AssetsDefinition:
    """Return an asset that is made from the details of movies as one that is made from those of all media types."""
    details = [dg.AssetDep(of.details) for of in assets_for(media_types) if of is not MOVIE_ASSETS]
    if not details or dg.AssetKey(MOVIE_ASSETS.details) not in asset.dependency_keys:
        return asset
    return asset.map_asset_specs(lambda spec: spec.replace_attributes(deps=[*spec.deps, *details]))
