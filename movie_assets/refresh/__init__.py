"""A day's work in the process of the caller, for `movie-assets refresh` and `demo`."""
