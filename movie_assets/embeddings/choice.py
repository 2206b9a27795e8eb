"""An embedding model as it is named on a command line: PROVIDER[:MODEL][=DIMENSIONS]."""

from typing import NamedTuple

from movie_assets.embeddings.embedder import Embedder


class ModelChoice(NamedTuple):
    """A provider's model; without a model or dimensions, those that the provider has by default."""

    provider: str
    model: str | None
    dimensions: int | None

    def __str__(self) -> str:
        """Return it as it is named on a command line."""
        model = f":{self.model}" if self.model else ""
        return f"{self.provider}{model}{f'={self.dimensions}' if self.dimensions else ''}"


def model_choice(text: str) -> ModelChoice:
    """Read PROVIDER[:MODEL][=DIMENSIONS]; the model's name may have colons. Raises ValueError without a provider."""
    name, equals, width = text.rpartition("=")
    if not (equals and width.isdecimal()):
        name, width = text, ""
    provider, _, model = name.strip().partition(":")
    if not provider or not int(width or 1):
        raise ValueError(f"{text!r} names no model; write PROVIDER[:MODEL][=DIMENSIONS], such as local:hashing-v1=512")
    return ModelChoice(provider, model or None, int(width) if width else None)


def name_of(embedder: Embedder) -> str:
    """Return the name of an embedder's model, with its dimensions."""
    return str(ModelChoice(embedder.provider, embedder.model, embedder.dimensions))
