"""Classifies the error of an embeddings service by its wording, and finds the limit that the message names.

Servers with OpenAI's API word their errors differently, with any status. `embeddings.error_messages` extracts the
message from a response; `embeddings.refusals` decides what to do about each class.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

# key: not accepted. quota: used up. model: the server has no such model. address: no such path. rate: too many
# requests for now. too_many_inputs, too_many_tokens: of one request. too_long: one input. dimensions, encoding_format:
# the server does not accept the parameter. input: the server does not accept an input. transient: the server failed.
# loading: the server has the model and cannot use it yet. no_response: no
# whole response arrived. unknown: none of these.
ErrorClass = Literal[
    "key", "quota", "model", "address", "rate", "too_many_inputs", "too_many_tokens", "too_long", "dimensions",
    "encoding_format", "input", "transient", "loading", "no_response", "unknown",
]  # fmt: skip

NUMBER = r"(\d[\d,_]*)(?![\d.,_]*\s*(?:bytes|[kmg]i?b)\b)"


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE | re.DOTALL)


PARAMETER = {
    "encoding_format": _words(r"encoding[_ ]?format"),
    "dimensions": _words(
        r"matryoshka", r"output[_ ]dimension", r"\bdimensions?\b.*(support|permitted|allow|unknown|"
        r"unexpected|unrecogni[sz]ed|invalid|must|should|only|larger|greater|extra|not)",
        r"(support|permitted|unknown|unexpected|unrecogni[sz]ed|invalid|extra|changing).*\bdimensions?\b",
        r"only (outputs|makes|produces) .{0,20}\bdimension", r"embedding[_ ]size\b.{0,40}(cannot|not|fixed)",
        r"dimensionality",
    ),
}  # fmt: skip
QUOTA = _words(
    r"insufficient[_ ](quota|credits?|funds|balance)", r"billing_(hard_limit_reached|not_active)", r"out of credits",
    r"budget has been exceeded", r"exceededbudget", r"balance is (insufficient|not enough)", r"payment required",
    r"余额不足", r"arrearage", r"credit balance",
)  # fmt: skip
KEY = _words(
    r"api[ _-]?key (is |has )?(not valid|invalid|expired|revoked|disabled)",
    r"(invalid|incorrect|missing|wrong|no) (api[ _-]?key|token|credentials)",
    r"invalid_api_key", r"api_key_invalid", r"unauthori[sz]ed", r"authentication(error)?\b", r"not authenticated",
    r"无效的?\s*(api[ _-]?key|令牌|密钥)", r"(api[ _-]?key|令牌|密钥)\s*(无效|错误|不正确|不存在)", r"(鉴权|认证)失败",
)  # fmt: skip
MODEL = _words(
    r"models? .{0,120}(not found|does not exist|doesn't exist|not exist|not supported|not available|not loaded|"
    r"not deployed|not support embedding|no longer)",
    r"model_not_found", r"modelnotfound", r"invalid model", r"unknown model", r"not a valid model",
    r"no models? loaded", r"failed to load model",
    r"no endpoints found", r"deploymentnotfound", r"deployment .{0,60}does not exist",
    r"does not support embeddings?\b", r"no such model", r"模型不存在", r"not have access to (the )?model",
)  # fmt: skip
# “No models loaded” and “failed to load model” are not among these, as they do not end by themselves.
LOADING = _words(
    r"(?<!error )(?<!failed )(?<!failure )(?<!try )\b(loading|initiali[sz]ing|starting|"
    r"warming[ -]?up|downloading|pulling|provisioning|waking up|spinning up|booting)\b",
    r"being (loaded|downloaded|pulled|started|initiali[sz]ed|deployed)",
    r"cold[ -]?start",
    r"not (yet )?(been )?(ready|loaded yet|started|initiali[sz]ed)\b",
    r"not (available|loaded|ready) (yet|right now)",
    r"(isn't|is not|hasn't|not yet) (finished )?(ready|started|warm)",
    r"正在(加载|启动)|(加载|启动)中|尚未(加载|就绪)",
)
PER_TIME = _words(
    r"\b(min(ute)?s?|sec(ond)?s?|hours?|days?|months?|tpm|rpm|tpd|rpd|later|again|wait|quota|concurren\w+|slow\w*)\b",
    r"频率|每分钟|稍后|并发",
)
RATE = _words(r"rate[ _-]?limit", r"too many requests", r"throttl", r"请求过于频繁")
ONE_INPUT = _words(
    r"(only|supports?|accepts?|takes?) (a |one |a single |single |one single )(single )?(input|text|string)\b",
    r"(one|single) (input|text|string) (per|at a time|is supported)",
    r"(arrays?|lists?|batch(es|ing)?( inputs?)?)( of "
    r"(strings|texts|inputs))? (is|are) not (supported|allowed)",
    r"must be a string",
)
TOO_MANY_INPUTS = _words(
    r"max_client_batch_size", r"array_above_max_length", r"array (is )?too (long|large)", r"list (is )?too long",
    r"too many (\w+ )?(inputs|texts|items|sequences|documents|instances|elements|strings|sentences|chunks)\b",
    r"(list|array) exceeds",
    r"(max(imum)?|allowed) number of (elements|items|inputs|texts|sentences|documents|strings)",
    r"batch size \d+ (is )?not supported", r"reduce the batch", rf"max(imum)?( is| of|:)? {NUMBER} per (request|call)",
    ONE_INPUT.pattern,
    r"maximum item count", r"max ?items", rf"(max(imum)?|most) {NUMBER} embeddings\b", r"maximum number of embeddings",
    r"number of (texts?|inputs?|documents|items|instances|elements|strings)\b.{0,60}"
    r"(exceed|must|should|at most|more than|larger|greater|limit|allowed|supported|maximum|max)",
    r"(at most|maximum of|max(imum)?|up to|more than|limited to|limit of|limit is|exceeds?( the)?( limit( of)?)?|"
    rf"only) {NUMBER} (inputs?|texts|items|requests|documents|instances?|elements|strings|sequences|entries)\b",
    rf"{NUMBER} (inputs?|texts|items|requests|documents|instances?|elements|strings|sequences)(\(s\))? .{{0,40}}"
    r"(are|is|was|were|can be)? ?(allowed|supported|permitted|maximum)",
    r"(batch|array|list|input list)[ _]?(size|length|count|limit).{0,80}"
    r"(invalid|exceed|limit|larger|greater|at most|too|must|should|>|max)",
    r"(max(imum)?|allowed|limit)[ _]?(allowed )?(client )?(batch|array|list)[ _]?(size|length)",
    r"batch (is )?too large", r"input array.{0,40}(exceed|longer|larger|at most|max|too)",
    r"(array|list).{0,40}at most", r"batch.{0,20}too (big|many)", r"batch.{0,12}too (long|large)",
    rf"(不得超过|不能超过|最多|最大|超过)\D{{0,8}}{NUMBER}\s*(条|个)", r"split into more batches",
)  # fmt: skip
TOO_MANY_TOKENS = _words(
    r"max_tokens_per_request", r"tokens? per (request|batch|submitted batch)", r"tokens in the (batch|request)\b",
    r"too many tokens (overall|in (the |this )?(batch|request))", r"(total|combined|sum).{0,40}token",
    r"batch (has|contains) too many tokens",
    r"max(imum)?[ _](allowed )?(batch[ _])?tokens (per|for) ", r"max_batch_tokens", r"submitted batch",
    r"(payload|body|entity|request size).{0,30}(too large|exceed)", r"too large.{0,20}(payload|body|entity|request)",
)  # fmt: skip
TOO_LONG = _words(
    r"context[ _]?(length|window|size)", r"contextwindowexceeded", r"string_above_max_length", r"string too long",
    r"too many (input )?tokens", r"(input|text|prompt|sequence|string|content|document)s?\b.{0,60}too (long|large|big)",
    r"too (long|large|big).{0,40}(input|text|prompt|sequence|to process)", r"physical batch size",
    r"(input|text|prompt|sequence|string|content)s?['\"`]? ?(token )?(length|size|count|tokens).{0,80}"
    r"(exceed|limit|should|must|max|longer|greater|larger|more|only|too|out of|>)",
    r"(exceed|longer than|over|more than|less than|fewer than|at most|maximum|max|up to|<=?|limit(ed)?|cannot).{0,60}"
    r"\b(tokens?|characters|chars)\b", r"\btokens?\b.{0,40}(exceed|must be|max|limit|greater|<=?|>)",
    r"max(imum)?[ _]?(input|sequence|text|model|seq)[ _-]?(length|len|size|tokens)", r"expected maxlength",
    r"reduce the length", r"expanded size of the tensor", r"index out of range in self", r"n_tokens <= n_u?batch",
     r"size of tensor a .{0,80}must match the size of tensor b", r"shorten", r"truncat", r"message is too long",
    r"index \d+ is out of bounds for dimension", r"device-side assert", r"position[_ ]ids? out of range",
)  # fmt: skip
# What is left: a word for several inputs, or for one, near a word for a limit.
_BEYOND = (
    r"(exceed|greater|larger|bigger|longer|shorter|smaller|fewer|less|over|above|beyond|too|max|limit|at most|no more|"
    r"allowed|between|<=|>)"
)
_SEVERAL = r"(batch(es)?|inputs|texts|items|documents|strings|sentences|array|list|input count)"
_ONE = r"(text|input|prompt|sequence|content|document|context|passage|chunk|characters?|tokens?)"
MANY_BY_NEARNESS = _words(rf"\b{_SEVERAL}\b.{{0,40}}{_BEYOND}", rf"{_BEYOND}.{{0,40}}\b{_SEVERAL}\b")
LONG_BY_NEARNESS = _words(rf"\b{_ONE}\b.{{0,40}}{_BEYOND}", rf"{_BEYOND}.{{0,40}}\b{_ONE}\b")
INPUT = _words(r"\$\.input", r"'input'", r"input is invalid", r"invalid input\b")
TRANSIENT = _words(
    r"overloaded",
    r"try again",
    r"temporarily",
    r"timed? ?out",
    r"server busy",
    r"\bloading\b",
    r"\beof\b",
    r"deadline",
    r"(pending|concurrent|queued?|in flight) requests",
    r"queue is full",
    r"out of memory",
)

# A number after one of these is the limit; a number after “got”, “given” or “received” is not.
BELOW = (
    r"(?:at most|no more than|not (?:be )?(?:larger|longer|greater|more) than|less than or equal to|"
    r"less than|"
    r"fewer than|smaller than|shorter than|"
    r"no (?:larger|longer|greater|bigger) than|(?:cannot|must not|not) exceed|up to|only|limited to|<=|≤|[<>] )"
)
GREATEST = (
    r"(?:maximum|max|allowed|limit)[\w\s'`]*?(?:size|length|count|number|tokens?|inputs?|window|limit|is|of|batch|"
    r"texts|items|maximum|supported|allowed|model|are)[\s:=`(]*(?:is|of|are|was|only)?"
)
BEYOND = r"(?:max|maximum|limit|allowed|exceed(?:s|ing|ed)?|longer than|larger than|more than|over)"
LIMITS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{NUMBER} or (?:less|fewer)\b",
        rf"exceeded\W+\d+\s*/\s*{NUMBER}",
        rf"{BELOW}[:\s`]*{NUMBER}",
        rf"{GREATEST}[\s:=`(]*{NUMBER}",
        rf"{BEYOND}[\s:=`('\"of]*{NUMBER}",
        rf"between \d+ and {NUMBER}",
        rf"\b{NUMBER}[ -](?:(?:token|character|item|input)s? )?limit",
        rf"\[\s*\d+\s*,\s*{NUMBER}\s*\]",
        rf"(?:batch size|context(?: length| size| window)?|maxlength)[\s:=`(of]*(?:only )?{NUMBER}",
        rf"exceeds?(?: the)?(?: \w+){{0,5}} {NUMBER}",
        rf"size of tensor b \({NUMBER}\)",
        rf"existing size \({NUMBER}\)",
        rf"maximum number of \w+\s*\({NUMBER}\)",
        rf"{NUMBER} (?:allowed|max(?:imum)?)\b",
        rf"(?:不得超过|不能超过|最多|最大|超过)\D{{0,8}}{NUMBER}",
        rf"{NUMBER}[\w\s()]*(?:is|are) (?:allowed|supported|permitted)",
    )
)

# The first pattern that matches gives the class.
SIZES: tuple[tuple[ErrorClass, re.Pattern[str]], ...] = (
    (
        "too_long",
        _words(
            r"physical batch size",
            r"string_above_max_length",
            r"string too long",
            r"tokens in the prompt",
            r"(example|input|text|item|document)s? ?(at index|index|id|number|#|\[) ?\d+\b.{0,60}"
            r"(too many tokens|too long|exceed)",
            r"(?<!数组)长度\D{0,12}(超过|限制)",
            r"超过\s*\d+\s*个?\s*token",
            r"(?<!总)token\s*数?量?\s*(超过|超出|超限)",
            r"(文本|输入|内容|prompt)\s*(过长|太长|超长)",
            r"文本长度超出",
        ),
    ),
    ("too_many_tokens", TOO_MANY_TOKENS),
    ("too_many_inputs", TOO_MANY_INPUTS),
    ("too_long", TOO_LONG),
)
NEARNESS: tuple[tuple[ErrorClass, re.Pattern[str]], ...] = (
    ("too_many_inputs", MANY_BY_NEARNESS), ("too_long", LONG_BY_NEARNESS),
)  # fmt: skip
TOO_LARGE, TOO_MANY, PAYMENT_REQUIRED, NOT_FOUND = 413, 429, 402, 404
SERVER_ERROR = 500
KEY_STATUS, ADDRESS_STATUS, TRANSIENT_STATUS = (401, 403), (404, 405), (408, 409, 425)
FOR_NOW = (409, 425, 502, 503, 504)


@dataclass(frozen=True)
class ServiceError:
    """The class of an error, the service's message, and the limit that the message names."""

    error_class: ErrorClass
    message: str
    limit: int | None = None


def service_error(status: int, code: str, message: str, own: Sequence[tuple[ErrorClass, str]] = ()) -> ServiceError:
    """Return the class of an error response; the same wording has the same class with any status.

    `own` has patterns of the service's own sentences, which are tried first.
    """
    text = f"{code} {message}"
    of_service = (each for each, pattern in own if re.search(pattern, text, re.IGNORECASE | re.DOTALL))
    error_class = next(of_service, None) or _class_of(status, text)
    limit = _limit_of(message) if error_class in ("too_many_inputs", "too_many_tokens", "too_long") else None
    return ServiceError(error_class, message, limit)


def speaks_of_time(message: str) -> bool:
    """Return whether a message is about too many requests in a time, and not about what one request holds."""
    return bool(RATE.search(message) or PER_TIME.search(message))


def _class_of(status: int, text: str) -> ErrorClass:
    sized = next((sized for sized, pattern in SIZES if pattern.search(text)), None)
    if QUOTA.search(text) or (status == PAYMENT_REQUIRED and not sized):
        error_class: ErrorClass = "quota"
    elif status in KEY_STATUS and not RATE.search(text) and (sized is None or KEY.search(text)):
        error_class = "model" if MODEL.search(text) else "key"
    elif status == TOO_MANY:
        # The message of a limit per minute can have the same words.
        error_class = sized if sized and not speaks_of_time(text) else "rate"
    elif sized is None and RATE.search(text):
        error_class = "rate"
    elif sized is None and KEY.search(text):
        error_class = "key"
    elif sized is None and LOADING.search(text):
        error_class = "loading"
    elif sized is None and MODEL.search(text):
        error_class = "loading" if status in FOR_NOW else "model"
    else:
        # Parameters before sizes, as “dimensions must be at most 1024” is not about a text.
        error_class = _parameter_in(text) or sized or _class_of_status(status, text)
    return error_class


def _class_of_status(status: int, text: str) -> ErrorClass:
    if status in ADDRESS_STATUS:
        return "model" if "model" in text.lower() else "address"
    if TRANSIENT.search(text):
        return "transient"
    if near := next((near for near, pattern in NEARNESS if pattern.search(text)), None):
        return near
    if status == TOO_LARGE:
        return "too_many_tokens"
    if status >= SERVER_ERROR or status in TRANSIENT_STATUS:
        return "transient"
    return "input" if INPUT.search(text) else "unknown"


def _parameter_in(text: str) -> ErrorClass | None:
    if PARAMETER["encoding_format"].search(text):
        return "encoding_format"
    return "dimensions" if PARAMETER["dimensions"].search(text) else None


def _limit_of(message: str) -> int | None:
    """Return the number that a message names as the limit; None when it names none."""
    if ONE_INPUT.search(message):
        return 1
    for pattern in LIMITS:
        if match := pattern.search(message):
            number = int(re.sub(r"[,_]", "", match[1]))
            return number or None
    return None
