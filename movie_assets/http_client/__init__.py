"""Rate limits, retries, backoff and connections, which all HTTP clients share."""
