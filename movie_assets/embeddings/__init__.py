"""Texts, vectors, the services that make them, their cost and the sets in which they are kept."""
