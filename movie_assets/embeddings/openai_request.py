"""The JSON of a request to an OpenAI-compatible embeddings endpoint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from movie_assets.embeddings.refusals import OPENAI_ERRORS, ErrorWording
from movie_assets.embeddings.server_limits import Parameters

WITHOUT_DIMENSIONS = ("text-embedding-ada-002",)  # OpenAI's model of the second generation refuses the parameter


@dataclass(frozen=True)
class Model:
    """The model and the number of dimensions that a request asks for, and the service's own further parameters.

    `errors` says how the service words its errors.
    """

    name: str
    dimensions: int
    errors: ErrorWording = OPENAI_ERRORS
    extra: Mapping[str, object] = field(default_factory=dict)

    def request(self, texts: Sequence[str] | str, parameters: Parameters) -> dict[str, object]:
        """Return the JSON of a request."""
        if len(texts) == 1 and not parameters.is_list:
            texts = texts[0]
        content: dict[str, object] = {"input": texts, "model": self.name, **self.extra}
        if parameters.dimensions and self.name not in WITHOUT_DIMENSIONS:
            content["dimensions"] = self.dimensions
        if parameters.encoding_format is not None:
            content["encoding_format"] = parameters.encoding_format
        return content
