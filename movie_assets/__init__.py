"""A Dagster pipeline that keeps a vectorised movie catalogue true; definitions.py is its map."""
