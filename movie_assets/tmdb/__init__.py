"""The client of TMDB, its lists and its export, and models of its responses. Nothing here knows an asset or a table."""
