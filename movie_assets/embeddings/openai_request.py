"""The JSON of a request to an OpenAI-compatible embeddings endpoint."""

from collections.abc import Sequence
from dataclasses import dataclass

from movie_assets.embeddings.refusals import OPENAI_SETTINGS, SettingNames
from movie_assets.embeddings.server_limits import Parameters

WITHOUT_DIMENSIONS = ("text-embedding-ada-002",)  # OpenAI's model of the second generation refuses the parameter


@dataclass(frozen=True)
class Model:
    """The model and the number of dimensions that a request asks for; messages name the settings of the service."""

    name: str
    dimensions: int
    settings: SettingNames = OPENAI_SETTINGS

    def request(self, texts: Sequence[str] | str, parameters: Parameters) -> dict[str, object]:
        """Return the JSON of a request."""
        content: dict[str, object] = {"input": texts, "model": self.name}
        if parameters.dimensions and self.name not in WITHOUT_DIMENSIONS:
            content["dimensions"] = self.dimensions
        if parameters.encoding_format is not None:
            content["encoding_format"] = parameters.encoding_format
        return content
