"""The catalogue's Postgres: connections, queries by name, retries, locks, migrations and the embedded server."""
