"""The sensor that delivers events to webhooks every half minute."""

import dagster as dg

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.events.webhooks import deliver_events, webhooks_lock

NAME = "events_are_delivered"


def webhook_sensor(status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """Return the sensor that posts the catalogue's events to the subscriptions of the settings."""

    @dg.sensor(
        name=NAME,
        description="Sends what changed in the catalogue to the webhooks of MOVIE_ASSETS_WEBHOOKS. Launches nothing.",
        minimum_interval_seconds=30,
        default_status=status,
    )
    def events_are_delivered(
        database: dg.ResourceParam[Database], settings: dg.ResourceParam[Settings]
    ) -> dg.SkipReason:
        if not settings.webhooks:
            return dg.SkipReason("no webhook is named: set MOVIE_ASSETS_WEBHOOKS")
        with webhooks_lock(database) as is_taken:
            if not is_taken:
                return dg.SkipReason("another tick is at work")
            outcomes = deliver_events(database, settings.webhooks)
        return dg.SkipReason("; ".join(outcomes) or "every webhook has received all events")

    return events_are_delivered
