"""Plain Python: no Dagster, no network, no database, no clock; a test holds the wall."""
