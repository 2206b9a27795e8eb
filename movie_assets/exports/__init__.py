"""Exports of the catalogue as Parquet and JSON lines, to a folder or an object store."""
