"""Who launches what, and when."""
