"""OpenAI's errors, as `faults` sends them."""

from movie_assets.emulator.responses import openai_error

TOO_LONG = openai_error(
    400, "This model's maximum context length is 8192 tokens, however you requested 9000.", "context_length_exceeded"
)
OVERLOADED = openai_error(429, "Rate limit reached for requests", "rate_limit_exceeded", "requests")
NO_QUOTA = openai_error(
    429,
    "You exceeded your current quota, please check your plan and billing details.",
    "insufficient_quota",
    "insufficient_quota",
)
BAD_KEY = openai_error(401, "Incorrect API key provided.", "invalid_api_key")
OPENAI_DOWN = openai_error(500, "The server had an error while processing your request.", None, "server_error")
NO_BATCHES = openai_error(404, "Invalid URL (POST /v1/files)", None)
NOT_DELETED = openai_error(403, "You have insufficient permissions for this operation.", None)
