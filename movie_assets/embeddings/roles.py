"""How models tell documents from queries: a prefix of each text, or a parameter of the request.

The role of a film's text is `document`, that of a question `query`. Vectors of documents with another prefix are not
comparable, so what marks a document is part of an embedding set's name. What marks a query is not: it can change
without embedding anything again.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from movie_assets.catalog.embedding_text import TEMPLATE

Role = Literal["document", "query"]


@dataclass(frozen=True)
class Roles:
    """What marks documents and queries of a model; empty for a model that does not tell them apart.

    Without `parameter` the marks are prefixes. With it they are values of that parameter of the request, as with
    Voyage's `input_type`.
    """

    document: str = ""
    query: str = ""
    parameter: str = ""

    def mark(self, role: Role) -> str:
        """Return the prefix, or the parameter's value, of a role."""
        return self.query if role == "query" else self.document

    def applied(self, texts: Sequence[str], role: Role) -> list[str]:
        """Return the texts with the prefix of their role. A blank text stays blank, so that it is rejected as such."""
        prefix = "" if self.parameter else self.mark(role)
        return [prefix + text if text.strip() else text for text in texts]

    def parameters(self, role: Role) -> dict[str, str]:
        """Return the parameter of a request that names the role; none for prefixes."""
        mark = self.mark(role)
        return {self.parameter: mark} if self.parameter and mark else {}

    @property
    def template(self) -> str:
        """Return the template in the name of a set: that of the texts, and what marks its documents, if anything."""
        if not self.document:
            return TEMPLATE
        return f"{TEMPLATE} {self.parameter or 'prefix'}={json.dumps(self.document, ensure_ascii=False)}"


NO_ROLES = Roles()


def roles_of_template(template: str, configured: Roles, usual: Roles) -> Roles:
    """Return the roles with which a set's vectors are searched.

    They are those of the settings (`configured`) or the model's usual ones if the set's documents were made with them,
    and none for a set whose documents have no mark. Otherwise only the document's mark is known, and the query's is
    that of the settings.
    """
    same = (roles for roles in (configured, usual, NO_ROLES) if roles.template == template)
    return next(same, configured)


_WEB_SEARCH = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:"
_SEARCH = "Represent this sentence for searching relevant passages: "
# Models of OpenAI-compatible servers, by a part of their name, and the prefixes (or the parameter) that their
# documentation asks for. The first match counts; models that match nothing get no prefix.
KNOWN_ROLES: tuple[tuple[re.Pattern[str], Roles], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), roles)
    for pattern, roles in (
        # https://docs.nvidia.com/nim/nemo-retriever/text-embedding/latest/use-the-api-openai.html, "passage and query
        # modes": the parameter `input_type` is required
        (r"nv-?embed-?qa|nv-embed-v\d|nemoretriever.*embed", Roles("passage", "query", "input_type")),
        # https://huggingface.co/intfloat/multilingual-e5-large-instruct: queries only, "Instruct: …\nQuery: …"
        (r"\be5-.*instruct", Roles(query=f"{_WEB_SEARCH} ")),
        # https://huggingface.co/intfloat/multilingual-e5-small: each text starts with "query: " or "passage: "
        (r"\be5-(small|base|large)|\bmultilingual-e5\b", Roles("passage: ", "query: ")),
        # https://github.com/QwenLM/Qwen3-Embedding, get_detailed_instruct: no blank after "Query:", documents as is
        (r"qwen3[-_]?(vl[-_])?embedding", Roles(query=_WEB_SEARCH)),
        # https://ai.google.dev/gemma/docs/embeddinggemma/model_card, "prompt instructions"
        (r"embedding-?gemma", Roles("title: none | text: ", "task: search result | query: ")),
        # https://huggingface.co/nomic-ai/nomic-embed-text-v1.5: "requires task instruction prefixes"
        (r"nomic-embed-text|modernbert-embed", Roles("search_document: ", "search_query: ")),
        # https://huggingface.co/BAAI/bge-large-en-v1.5, "model list": queries only; bge-m3 and bge-multilingual: none
        (r"\bbge-(small|base|large)-zh", Roles(query="为这个句子生成表示以用于检索相关文章:")),
        (r"\bbge-(small|base|large)\b(?!-zh)", Roles(query=_SEARCH)),
        # https://huggingface.co/mixedbread-ai/mxbai-embed-large-v1: queries only
        (r"mxbai-embed", Roles(query=_SEARCH)),
        # https://huggingface.co/Snowflake/snowflake-arctic-embed-l-v2.0: "query: "; the models before it: the sentence
        (r"arctic-embed.*(v2|2\.0)|arctic-embed2", Roles(query="query: ")),
        (r"arctic-embed", Roles(query=_SEARCH)),
    )
)


def known_roles(model: str) -> Roles:
    """Return what a model's documentation asks for, by the model's name; nothing for other models."""
    return next((roles for pattern, roles in KNOWN_ROLES if pattern.search(model)), NO_ROLES)
