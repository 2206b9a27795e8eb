"""The vectors that services with an API of their own make: those of the hashing embedder, with a prompt for the role.

Voyage documents the prompts that it puts before a query and a document; Gemini and Cohere do something alike. So the
vectors of one text as a query and as a document are near each other and not the same.
"""

from collections.abc import Sequence
from typing import Literal

from movie_assets.embeddings.hashing import hashed_vectors
from movie_assets.emulator.apis import tokens_of
from movie_assets.emulator.embedding_response import EmbeddingResponse
from movie_assets.emulator.faults import CURSE
from movie_assets.emulator.service import Service

Role = Literal["query", "document"]
PROMPTS: dict[Role | None, str] = {
    "query": "Represent the query for retrieving supporting documents: ",
    "document": "Represent the document for retrieval: ",
    None: "",
}


def prompted(texts: Sequence[str], role: Role | None) -> list[str]:
    """Return texts with the prompt of their role."""
    return [PROMPTS[role] + text for text in texts]


def native_vectors(service: Service, model: str, texts: list[str], width: int, role: Role | None) -> EmbeddingResponse:
    """Return the vectors of texts, or what the active faults make of them. Raises RefusedError."""
    texts = service.with_fault(texts, "inputs")
    response = EmbeddingResponse(
        vectors=hashed_vectors(prompted(texts, role), width),
        indices=tuple(range(len(texts))),
        model=model,
        encoding="float",
        tokens=sum(map(tokens_of, texts)),
        cursed=tuple(n for n, text in enumerate(texts) if CURSE in text),
    )
    return service.with_fault(response, "vectors")
