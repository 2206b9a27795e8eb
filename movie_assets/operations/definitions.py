"""The assets and checks of operations."""

from movie_assets.operations.health import checks
from movie_assets.operations.health.asset import health
from movie_assets.operations.reconciliation import everything_agrees, reconciliation
from movie_assets.operations.retention import retention

ASSETS = (
    reconciliation,  # compares tables that must agree
    retention,  # deletes what was kept long enough
    health,  # what is broken now
)
CHECKS = (everything_agrees, *checks.CHECKS)
