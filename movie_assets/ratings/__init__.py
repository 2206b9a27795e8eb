"""Ratings from other sources, and the scores that are computed from all of them."""
