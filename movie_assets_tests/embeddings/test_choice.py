import pytest

from movie_assets.embeddings.choice import ModelChoice, model_choice


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("local", ModelChoice("local", None, None)),
        ("local=512", ModelChoice("local", None, 512)),
        ("openai:text-embedding-3-small", ModelChoice("openai", "text-embedding-3-small", None)),
        ("openai:nomic-embed-text:v1.5=768", ModelChoice("openai", "nomic-embed-text:v1.5", 768)),
        ("openai:org/model", ModelChoice("openai", "org/model", None)),
        ("openai:model=latest", ModelChoice("openai", "model=latest", None)),
    ],
)
def test_a_model_is_read_and_written(text: str, choice: ModelChoice) -> None:
    assert model_choice(text) == choice
    assert str(choice) == text


@pytest.mark.parametrize("text", ["", ":model", "=512", "local=0"])
def test_a_name_without_a_provider_or_without_dimensions_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write PROVIDER"):
        model_choice(text)
