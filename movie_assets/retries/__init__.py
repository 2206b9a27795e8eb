"""Repeating work after an error, for every room."""
