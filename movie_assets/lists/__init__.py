"""Snapshots of TMDB's lists, such as popular and trending, by day and country."""
