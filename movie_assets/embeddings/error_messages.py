"""Extracts code and message from the error response of an embeddings service, whatever its format, without secrets."""

import html
import json
import re

MIN_SECRET_LENGTH = 8  # characters
MAX_LENGTH = 300  # characters of a service's message that people see
SECRETS = re.compile(
    r"(?i)\b(sk|pk|key|AIza|gsk|hf|pa|jina)[-_][\w.*-]{6,}|\bAIza[\w-]{10,}|(?<=bearer )[\w.~+/=-]{6,}"
)
MARKUP = re.compile(r"(?is)<(script|style)\b.*?</\1>|<[^>]*>")
# Where services put their message, the most specific field first.
MESSAGE_KEYS = (
    "message",
    "error",
    "detail",
    "msg",
    "error_message",
    "errorMessage",
    "error_msg",
    "status_msg",
    "errors",
    "title",
    "reason",
    "base_resp",
)


def message_of_error(response: object, secrets: tuple[str, ...] = ()) -> tuple[str, str]:
    """Return the code and the message of an error response (text or parsed JSON); bounded and without secrets."""
    content = response
    if isinstance(response, bytes | str):
        text = response.decode(errors="replace") if isinstance(response, bytes) else response
        try:
            content = json.loads(text)
        except ValueError:
            content = html.unescape(MARKUP.sub(" ", text)) if "<" in text else text
    return _code_in(content), without_secrets(_message_in(content), secrets)


def without_secrets(message: str, secrets: tuple[str, ...] = ()) -> str:
    """Return a message on one line, bounded, with known secrets and everything that looks like a key masked."""
    line = " ".join(message.split())
    for secret in secrets:
        # Servers without keys are often given a short word as key, which may occur in their messages.
        line = line.replace(secret, "***") if len(secret) >= MIN_SECRET_LENGTH else line
    line = SECRETS.sub("***", line)
    return line if len(line) <= MAX_LENGTH else line[: MAX_LENGTH - 1] + "…"


def _message_in(content: object) -> str:
    """Return the message in JSON: the text of the most specific field, at any depth."""
    if content is None or isinstance(content, bool):
        return ""
    if isinstance(content, list):
        return "; ".join(filter(None, map(_message_in, content[:5])))
    if not isinstance(content, dict):
        return str(content)
    message = next((text for key in MESSAGE_KEYS if (text := _message_in(content.get(key)))), "")
    place = content.get("loc")
    if isinstance(place, list):  # FastAPI names the field beside the message
        message = f"{'.'.join(map(str, place))}: {message}"
    metadata = content.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    if raw:  # a router's copy of the response of the provider behind it
        _, original = message_of_error(raw)
        message = f"{message}: {original}" if original else message
    return message or ("" if content.keys() <= {"code", "type", "status"} else json.dumps(content, ensure_ascii=False))


def _code_in(content: object) -> str:
    """Return the code or type of an error in JSON; empty without one."""
    if isinstance(content, list):
        return _code_in(content[0]) if content else ""
    if not isinstance(content, dict):
        return ""
    inner = content.get("error")
    if isinstance(inner, dict | list) and (code := _code_in(inner)):
        return code
    codes = (content.get(key) for key in ("code", "status", "error_type", "type"))
    return next((code for code in codes if isinstance(code, str) and code), "")
