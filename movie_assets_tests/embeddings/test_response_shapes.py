"""Responses in other shapes than OpenAI's: the vectors are found, each for its own text."""

import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from movie_assets.embeddings.error_messages import message_of_error
from movie_assets.embeddings.openai_call import outcome_of
from movie_assets.embeddings.openai_request import Model
from movie_assets.embeddings.refusals import Refusal
from movie_assets.embeddings.service_errors import service_error
from movie_assets.embeddings.vectors import CheckedVectors

VECTORS = np.eye(3, 8, dtype=np.float32)
LISTS: list[list[float]] = VECTORS.tolist()
MODEL = Model("films-embed", 8)


def objects(vector: Callable[[list[float]], Any], key: str = "embedding") -> list[dict[str, Any]]:
    return [{"index": n, key: vector(row)} for n, row in enumerate(LISTS)]


def in_base64(row: list[float]) -> bytes:
    return base64.b64encode(np.array(row, "<f4").tobytes())


SHAPES: dict[str, Any] = {
    "a bare list": LISTS,
    "a bare list of objects": objects(list),
    "embeddings": {"embeddings": LISTS},
    "objects in embeddings": {"embeddings": objects(list)},
    "values": {"embeddings": objects(list, "values")},
    "vectors": {"vectors": LISTS},
    "predictions": {"predictions": LISTS},
    "lists in data": {"data": LISTS},
    "embeddings in data": {"data": {"embeddings": LISTS}},
    "embeddings in output": {"output": {"embeddings": objects(list)}},
    "data in result": {"result": {"shape": [3, 8], "data": LISTS}, "errors": []},
    "nested lists": {"data": objects(lambda row: [row])},
    "nested lists in a bare list": objects(lambda row: [row]),
    "another key in data": {"data": objects(list, "vector")},
    "an index as text": {"data": [{**each, "index": str(each["index"])} for each in objects(list)]},
    "base64 with line breaks": {
        "data": objects(lambda row: base64.encodebytes(np.array(row, "<f4").tobytes()).decode())
    },
    "base64 for addresses": {
        "data": objects(lambda row: in_base64(row).decode().replace("+", "-").replace("/", "_").rstrip("="))
    },
}


@pytest.mark.parametrize("name", SHAPES)
def test_vectors_are_found_in_any_shape(name: str) -> None:
    outcome = outcome_of(json.loads(json.dumps(SHAPES[name])), MODEL, 3)
    assert isinstance(outcome, CheckedVectors), outcome
    assert outcome.positions == (0, 1, 2)
    assert outcome.vectors == pytest.approx(VECTORS)


def test_a_single_vector_without_a_list() -> None:
    outcome = outcome_of({"embedding": LISTS[1]}, MODEL, 1)
    assert isinstance(outcome, CheckedVectors)
    assert outcome.vectors == pytest.approx(VECTORS[1:2])


@pytest.mark.parametrize("content", [{}, {"data": "text"}, {"data": {"data": 3}}, "text", None, [], [[]], 5])
def test_a_response_without_vectors_is_refused(content: Any) -> None:
    assert isinstance(outcome_of(content, MODEL, 3), Refusal)


def test_fewer_vectors_than_texts_name_the_setting() -> None:
    outcome = outcome_of({"data": objects(list)[:1]}, MODEL, 3)
    assert isinstance(outcome, Refusal)
    assert "MOVIE_ASSETS_EMBEDDING_TEXTS_PER_REQUEST" in outcome.problem


@pytest.mark.parametrize("status", [400, 413, 422, 500])
@pytest.mark.parametrize(
    "message",
    [
        "输入文本过长", "输入token超过最大限制128", "文本长度超出模型最大输入长度", "输入超长", "input 的 token 数超限",
        "message is too long", "index 512 is out of bounds for dimension 1 with size 512",
        "CUDA error: device-side assert triggered", "position_ids out of range",
    ],
)  # fmt: skip
def test_a_text_that_is_too_long_in_other_words(message: str, status: int) -> None:
    code, read = message_of_error(json.dumps({"error": message}, ensure_ascii=False))
    assert service_error(status, code, read).error_class == "too_long"
