"""Errors of embeddings services in their own words: each is read, and means what it should, with any status."""

import json
from pathlib import Path
from typing import Any

import pytest

from movie_assets.embeddings.error_messages import MAX_LENGTH, message_of_error
from movie_assets.embeddings.service_errors import ErrorClass, service_error

# One line is an error as a server words it, the class that it has to get, and the limit that it names. `server` is the
# server, or status and words of an error that several have.
WORDINGS = [
    json.loads(line)
    for line in (Path(__file__).parent / "service_errors.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.mark.parametrize("case", WORDINGS, ids=lambda case: case["server"])
def test_an_error_is_classified_by_its_words(case: dict[str, Any]) -> None:
    body = case["body"]
    code, message = message_of_error(body if isinstance(body, str) else json.dumps(body))
    error = service_error(case["status"], code, message)
    assert (error.error_class, error.limit) == (case["class"], case["limit"])


@pytest.mark.parametrize("status", [400, 409, 413, 422, 500, 503])
@pytest.mark.parametrize(
    ("message", "error_class"),
    [
        ("batch size 64 > maximum allowed batch size 32", "too_many_inputs"),
        ("the input length exceeds the context length", "too_long"),
        ("Requested 345678 tokens, max 300000 tokens per request", "too_many_tokens"),
        ("This model does not support specifying dimensions.", "dimensions"),
    ],
)
def test_the_status_does_not_change_what_words_mean(status: int, message: str, error_class: ErrorClass) -> None:
    assert service_error(status, "", message).error_class == error_class


@pytest.mark.parametrize("status", [402, 403])
def test_a_limit_of_a_request_is_no_question_of_money_or_keys(status: int) -> None:
    assert service_error(status, "", "at most 10 inputs per request on the free plan").error_class == "too_many_inputs"


@pytest.mark.parametrize(
    "body",
    [
        {"error": "no, because"}, {"error": {"message": "no, because"}}, {"detail": "no, because"},
        {"message": "no, because"}, {"msg": "no, because"}, {"errors": [{"message": "no, because"}]},
        [{"error": {"message": "no, because"}}], {"detail": {"error": "no, because"}},
        {"error": {"message": {"detail": "no, because"}}}, "no, because",
        "<html><body><p>no, because</p></body></html>",
        {"error": {"metadata": {"raw": {"error": "no, because"}}}},
    ],
)  # fmt: skip
def test_the_services_own_sentence_is_found_in_any_body(body: Any) -> None:
    _, message = message_of_error(body if isinstance(body, str) else json.dumps(body))
    assert "no, because" in message
    assert "<" not in message


def test_a_list_of_details_names_the_fields() -> None:
    body = {"detail": [{"loc": ["body", "dimensions"], "msg": "Extra inputs are not permitted", "type": "x"}]}
    assert message_of_error(json.dumps(body))[1] == "body.dimensions: Extra inputs are not permitted"


@pytest.mark.parametrize("key", ["", "x", "none", "ollama"])
def test_a_word_in_place_of_a_key_spoils_no_sentence(key: str) -> None:
    code, message = message_of_error(json.dumps({"error": "the input length exceeds the context length"}), (key,))
    assert service_error(400, code, message).error_class == "too_long"


def test_a_message_is_bounded_and_shows_no_secret() -> None:
    response = json.dumps({"error": "key my-secret-value or sk-abcdef123456 " * 40})
    _, message = message_of_error(response, ("my-secret-value",))
    assert len(message) <= MAX_LENGTH
    assert "secret" not in message
    assert "abcdef" not in message


@pytest.mark.parametrize(
    ("status", "message", "error_class"),
    [
        (429, "array too long: at most 10 inputs", "too_many_inputs"),
        (429, "Maximum 10 embeddings per request", "too_many_inputs"),
        (429, "This model's maximum context length is 512 tokens", "too_long"),
        (429, "Total tokens exceed 200 per request", "too_many_tokens"),
        (429, "Limit 40000 tokens per min, requested 50000 tokens in the batch", "rate"),
        (429, "too many inputs in flight, try again later", "rate"),
        (429, "请求频率超过限制, 最多10条", "rate"),
        (400, "无效的API Key", "key"),
        (200, "鉴权失败", "key"),
    ],
)
def test_a_429_about_a_size_is_no_rate_limit(status: int, message: str, error_class: ErrorClass) -> None:
    assert service_error(status, "", message).error_class == error_class


def test_a_message_beside_its_own_code_is_found() -> None:
    response = {"vectors": None, "base_resp": {"status_code": 1004, "status_msg": "login fail: invalid api key"}}
    assert message_of_error(response)[1] == "login fail: invalid api key"
