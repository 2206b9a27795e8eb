"""What every HTTP client shares: rate limits, backoff and connections."""
