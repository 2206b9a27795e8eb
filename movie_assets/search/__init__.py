"""Vectors and documents that searches read, lists of similar movies, and how good searches are."""
