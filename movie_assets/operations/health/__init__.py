"""Whether the catalogue and the services that it needs are well, for `movie-assets health`, checks and alerts."""
