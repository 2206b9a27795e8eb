"""TMDB as it is: the client, its lists and export, and models of its responses. No asset and no table is known here."""
