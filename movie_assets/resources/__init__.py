"""One outside world a file."""
