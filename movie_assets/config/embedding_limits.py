"""Limits of requests to embeddings services and of vectors, which settings and the client share."""

TEXTS_PER_REQUEST = 256  # OpenAI takes 2,048; with several requests in flight, smaller ones lose less to a kill
TOKENS_PER_REQUEST = 300_000  # OpenAI's limit for all inputs of a request together
MIN_WIDTH, MAX_WIDTH = 8, 4000  # what pgvector can index as halfvec, and what the settings take
