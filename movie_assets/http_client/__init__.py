"""Rate limits, backoff and connections, which all HTTP clients share."""
