"""Health of the catalogue and of the services that it needs, for `movie-assets health`, checks and alerts."""
