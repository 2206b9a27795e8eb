"""Limits of requests to embeddings services and of vectors, which settings and the client share."""

TEXTS_PER_REQUEST = 256  # OpenAI accepts 2,048; after a kill, less is lost with smaller requests
TOKENS_PER_REQUEST = 300_000  # OpenAI's limit for all inputs of a request together
IN_FLIGHT = 8  # requests at once; a killed process can lose the cost of so many
MIN_WIDTH, MAX_WIDTH = 8, 4000  # the widths that pgvector can index as halfvec, and that the settings accept
