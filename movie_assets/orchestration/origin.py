"""The remote origin of a job, by which the pages Jobs and Timeline find runs that a command created.

Dagster records the origin of runs that its web server or daemon creates. A run without one is missing from both pages
and cannot be executed again from the web UI.
"""

from functools import cache

from movie_assets.config.paths import CHECKOUT
from movie_assets.runs.dagster_compat import (
    SINGLETON_REPOSITORY_NAME,
    CodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
    location_origins_from_yaml_paths,
)
from movie_assets.runs.locations import LOCATION

WORKSPACE = CHECKOUT / "workspace.yaml"


def origin_of(job: str) -> RemoteJobOrigin:
    """Return the origin of a job of this code location, which workspace.yaml names."""
    return RemoteJobOrigin(RemoteRepositoryOrigin(_location(), SINGLETON_REPOSITORY_NAME), job)


@cache
def _location() -> CodeLocationOrigin:
    origins = location_origins_from_yaml_paths([str(WORKSPACE)])
    return next(origin for origin in origins if origin.location_name == LOCATION)
