"""The asset and checks of events, and when it is launched; `webhook_sensor` delivers to webhooks."""

from movie_assets.events import events
from movie_assets.runs.upkeep import Upkeep, daily

ASSETS = (events.events,)  # changes of the catalogue
CHECKS = (events.events_replay, events.webhooks_keep_up)
UPKEEP = (
    Upkeep(
        job="replay_events",
        assets=[events.events],
        description="Compares the catalogue with what its events say, and looks at the delivery to webhooks.",
        schedule="replay_events_at_1140",
        cron="40 11-23 * * *",
        since=daily,
        schedule_description="Launches replay_events once a day from 11:40 UTC on.",
    ),
)
