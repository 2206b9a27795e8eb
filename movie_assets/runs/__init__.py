"""What the assets of all rooms share in a Dagster run: partitions, the run's time, its log, metadata and charts."""
