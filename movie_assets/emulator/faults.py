"""The table of all faults that can be switched on: where each applies and what it does.

An effect changes the value of its place: a response, the lines or the gzip stream of an export, or the vectors of
an embeddings response. Odd values inside a film's details are in `oddities`, responses that break HTTP in
`broken_http`, slow and unfinished delivery in `responses.ResponseSender`.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, Literal

import numpy as np

from movie_assets.emulator import broken_http, faulty_exports, faulty_rankings, faulty_vectors, openai_errors
from movie_assets.emulator.apis import Exchange, Kind, refused
from movie_assets.emulator.embedding_response import EmbeddingResponse
from movie_assets.emulator.oddities import odd_body
from movie_assets.emulator.openai_errors import BAD_KEY, NO_QUOTA, OPENAI_DOWN, OVERLOADED, TOO_LONG
from movie_assets.emulator.responses import (
    JSON_TYPE,
    Delivery,
    RefusedError,
    ServedResponse,
    compact_json,
    tmdb_error,
)

Where = Literal[
    "tmdb", "details", "export", "export_lines", "export_gzip", "embeddings", "inputs", "vectors", "batch",
    "batch_line", "batch_made", "file_sent", "file_deleted", "service", "ranking", "omdb",
]  # fmt: skip

HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Welcome</h1></body></html>"
BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>"
HUGE_WAIT = 86_400


@dataclass(frozen=True)
class Situation:
    """What an effect may depend on: the requested id, the seconds of Retry-After, the time."""

    subject: int
    retry_after: int
    now: datetime


Effect = Callable[[Any, Situation], Any]


@dataclass(frozen=True)
class Fault:
    """One fault: its place, the function that changes the place's value, and a description."""

    where: Where
    effect: Effect
    does: str


def _always(response: ServedResponse) -> Effect:
    return lambda _, __: response


def _too_many(retry_after: Callable[[Situation], str] | None) -> Effect:
    def effect(_: ServedResponse, situation: Situation) -> ServedResponse:
        return tmdb_error(25, {"Retry-After": retry_after(situation)} if retry_after else None)

    return effect


def _broken(change: Callable[[ServedResponse], ServedResponse]) -> Effect:
    return lambda response, _: change(response)


def _page(status: int, body: bytes) -> Effect:
    return _always(ServedResponse(status, body, {"Content-Type": "text/html; charset=utf-8"}))


def _body(change: Callable[[bytes], bytes]) -> Effect:
    return lambda response, _: replace(
        response, status=200, body=change(response.body), headers={"Content-Type": JSON_TYPE}
    )


def _sent(delivery: Delivery) -> Effect:
    return lambda response, _: replace(response, delivery=delivery)


def _http_date(situation: Situation) -> str:
    return format_datetime(situation.now + timedelta(seconds=situation.retry_after), usegmt=True)


def _wrong_id(response: ServedResponse, _: Situation) -> ServedResponse:
    body = json.loads(response.body)
    return replace(response, body=compact_json({**body, "id": body["id"] + 1}))


def _odd(response: ServedResponse, situation: Situation) -> ServedResponse:
    return replace(response, body=odd_body(json.loads(response.body), situation.subject))


def _whole(effect: Effect) -> Effect:
    """Apply an effect to the export's file as one body, which is otherwise streamed."""
    return lambda response, situation: effect(
        replace(response, body=b"".join(response.pieces or ()), pieces=None), situation
    )


def _changed(change: Callable[[Any], Any]) -> Effect:
    return lambda value, _: change(value)


def _service_error(kind: Kind, *, with_pause: bool = False) -> Effect:
    replaced = refused(kind, with_pause=with_pause)
    return lambda exchange, situation: replaced(exchange, situation.retry_after)


def _of_service(effect: Effect) -> Effect:
    """Apply an effect to the response of a service with an API of its own."""

    def on_response(exchange: Exchange, situation: Situation) -> Exchange:
        return replace(exchange, response=effect(exchange.response, situation))

    return on_response


def _one_filled(value: float) -> Effect:
    def change(response: EmbeddingResponse) -> EmbeddingResponse:
        vectors = response.vectors.copy()
        vectors[0] = value
        return replace(response, vectors=vectors)

    return _changed(change)


def _cursed_vectors(value: float) -> Effect:
    def change(response: EmbeddingResponse) -> EmbeddingResponse:
        vectors = response.vectors.copy()
        vectors[list(response.cursed)] = value
        return replace(response, vectors=vectors)

    return _changed(change)


def _refusing(response: ServedResponse) -> Effect:
    """Refuse a request that has a cursed input."""

    def effect(texts: list[str], _: Situation) -> list[str]:
        if any(CURSE in text for text in texts):
            raise RefusedError(response)
        return texts

    return effect


CURSE = "unembeddable"  # an input with this word is one that faults are tied to
NO_EXPORT = ServedResponse(
    403,
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>',
    {"Content-Type": "application/xml"},
)

FAULTS: dict[str, Fault] = {
    "429s": Fault("tmdb", _too_many(lambda s: str(s.retry_after)), "429 with Retry-After in seconds"),
    "429date": Fault("tmdb", _too_many(_http_date), "429 with Retry-After as an HTTP date"),
    "429none": Fault("tmdb", _too_many(None), "429 without Retry-After"),
    "429zero": Fault("tmdb", _too_many(lambda _: "0"), "429 with Retry-After: 0"),
    "429huge": Fault("tmdb", _too_many(lambda _: str(HUGE_WAIT)), "429 with Retry-After of a day"),
    "429bad": Fault("tmdb", _too_many(lambda _: "soon"), "429 with Retry-After: soon"),
    "401": Fault("tmdb", _always(tmdb_error(7)), "invalid key"),
    "404": Fault("tmdb", _always(tmdb_error(34)), "no such resource"),
    "500": Fault("tmdb", _always(tmdb_error(11)), "internal error"),
    "502html": Fault("tmdb", _page(502, BAD_GATEWAY), "a gateway's HTML page"),
    "522html": Fault("tmdb", _page(522, BAD_GATEWAY), "a CDN's page: it cannot reach TMDB"),
    "503": Fault("tmdb", _always(tmdb_error(43)), "service unavailable"),
    "504": Fault("tmdb", _always(tmdb_error(24)), "gateway timeout"),
    "html200": Fault("tmdb", _page(200, HTML), "a captive portal: 200 with HTML"),
    "json_cut": Fault("tmdb", _body(lambda body: body[: len(body) * 2 // 3]), "JSON that ends early"),
    "empty": Fault("tmdb", _body(lambda _: b""), "200 without a body"),
    "null": Fault("tmdb", _body(lambda _: b"null"), "200 with null"),
    "array": Fault("tmdb", _body(lambda _: b"[]"), "200 with an array"),
    "timeout_head": Fault("tmdb", _sent("stall_head"), "no response for a long time"),
    "timeout_body": Fault("tmdb", _sent("stall_body"), "half of the body, then silence"),
    "drip": Fault("tmdb", _sent("drip"), "one byte every 0.4 s"),
    "fin_body": Fault("tmdb", _sent("cut"), "connection closed within the body"),
    "fin_head": Fault("tmdb", _always(broken_http.on_the_wire(b"")), "connection closed without a response"),
    "fin_chunk": Fault("tmdb", _broken(broken_http.cut_chunk), "connection closed within a chunk"),
    "reset_head": Fault("tmdb", _always(broken_http.on_the_wire(b"", reset=True)), "connection reset, no response"),
    "reset_body": Fault("tmdb", _broken(broken_http.cut_by_reset), "connection reset within the body"),
    "cl_long": Fault("tmdb", _broken(broken_http.length_too_long), "a Content-Length of more than is sent"),
    "cl_short": Fault("tmdb", _broken(broken_http.length_too_short), "a Content-Length of less than is sent"),
    "gz_trunc": Fault("tmdb", _broken(broken_http.gzip_cut), "gzip cut short, its Content-Length true"),
    "gz_corrupt": Fault("tmdb", _broken(broken_http.gzip_corrupt), "gzip with wrong bytes"),
    "gz_lie": Fault("tmdb", _broken(broken_http.gzip_lie), "plain JSON declared as gzip"),
    "redirect_loop": Fault("tmdb", _broken(broken_http.redirect_loop), "a redirect to itself"),
    "huge_header": Fault("tmdb", _broken(broken_http.huge_header), "a header of 200 kB"),
    "garbage": Fault("tmdb", _always(broken_http.on_the_wire(broken_http.BANNER)), "another protocol's greeting"),
    "bomb": Fault("tmdb", _broken(broken_http.bomb), "a gzip bomb: 200 kB that unpack to 200 MB"),
    "wrong_id": Fault("details", _wrong_id, "another film's id in the details"),
    "odd": Fault("details", _odd, "details with one odd value, always the same one for an id"),
    "export_missing": Fault("export", _always(NO_EXPORT), "403 for the export"),
    "export_html": Fault("export", _page(200, HTML), "200 with HTML for the export"),
    "export_half": Fault("export_lines", _changed(faulty_exports.half), "half of the export's lines"),
    "export_corrupt_lines": Fault(
        "export_lines", _changed(faulty_exports.corrupt_lines), "one line in 200 cut in half"
    ),
    "export_truncated": Fault(
        "export_gzip", _changed(faulty_exports.without_second_half_of_last), "the export's gzip stream cut short"
    ),
    "export_corrupt": Fault(
        "export_gzip", lambda pieces, _: broken_http.corrupt_pieces(pieces), "the export's gzip stream with wrong bytes"
    ),
    "export_last_line": Fault(
        "export_lines", _changed(faulty_exports.without_last_bytes), "the export's last line cut, its gzip stream whole"
    ),
    "export_503": Fault("export", _page(503, BAD_GATEWAY), "503 for the export"),
    "export_stall": Fault("export", _whole(_sent("stall_body")), "half of the export, then silence"),
    "export_drip": Fault("export", _whole(_sent("drip")), "the export one byte every 0.4 s"),
    "export_cut": Fault("export", _whole(_sent("cut")), "connection closed within the export"),
    "export_reset": Fault("export", _whole(_broken(broken_http.cut_by_reset)), "connection reset within the export"),
    "export_bomb": Fault("export", _broken(broken_http.export_bomb), "a gzip bomb as the export"),
    "oa_429rate": Fault("embeddings", _always(OVERLOADED), "429 rate_limit_exceeded"),
    "oa_429quota": Fault("embeddings", _always(NO_QUOTA), "429 insufficient_quota"),
    "oa_401": Fault("embeddings", _always(BAD_KEY), "invalid key for embeddings"),
    "oa_500": Fault("embeddings", _always(OPENAI_DOWN), "internal error for embeddings"),
    "oa_timeout": Fault("embeddings", _sent("stall_head"), "no response for embeddings"),
    "oa_drip": Fault("embeddings", _sent("drip"), "embeddings one byte every 0.4 s"),
    "oa_cut": Fault("embeddings", _sent("cut"), "connection closed within the embeddings"),
    "oa_reset": Fault("embeddings", _broken(broken_http.cut_by_reset), "connection reset within the embeddings"),
    "oa_no_usage": Fault("embeddings", _broken(faulty_vectors.without_usage), "embeddings without their tokens"),
    "oa_batch_no_usage": Fault("batch_line", lambda line, _: (line[0], line[1] | {"usage": None}), "the same in bulk"),
    "oa_shuffled": Fault("vectors", _changed(faulty_vectors.shuffled), "vectors out of order, indices right"),
    "oa_batch_expired": Fault("batch", lambda _, __: "expired", "a batch that expires half done"),
    "oa_batch_cancelled": Fault("batch", lambda _, __: "cancelled", "a batch that somebody cancels half done"),
    "oa_batch_failed": Fault("batch", lambda _, __: "failed", "a batch that the service does not begin"),
    "oa_batch_line": Fault(
        "batch_line", lambda _, __: (500, json.loads(OPENAI_DOWN.body)), "an internal error in a batch's line"
    ),
    "oa_batch_unheard": Fault("batch_made", _always(OPENAI_DOWN), "an internal error after a batch was made"),
    "oa_no_batches": Fault("file_sent", _always(openai_errors.NO_BATCHES), "a service without the Batch API"),
    "oa_files_stay": Fault("file_deleted", _always(openai_errors.NOT_DELETED), "a file that may not be deleted"),
    "oa_400len": Fault("embeddings", _always(TOO_LONG), "400 about the context length"),
    "oa_cursed_400": Fault("inputs", _refusing(TOO_LONG), "the same for an input with the word unembeddable"),
    "oa_cursed_500": Fault("inputs", _refusing(OPENAI_DOWN), "internal error for such an input"),
    "oa_cursed_short": Fault("vectors", _changed(faulty_vectors.without_cursed), "no vector for such an input"),
    "oa_cursed_nan": Fault("vectors", _cursed_vectors(np.nan), "NaN for such an input"),
    "oa_cursed_zero": Fault("vectors", _cursed_vectors(0.0), "zeros for such an input"),
    "oa_one_more": Fault("vectors", _changed(faulty_vectors.one_more), "one vector more than inputs"),
    "oa_alike": Fault("vectors", _changed(faulty_vectors.all_equal), "one vector for all inputs"),
    "oa_scaled": Fault("vectors", _changed(faulty_vectors.scaled), "vectors of length 7"),
    "oa_short": Fault("vectors", _changed(faulty_vectors.short), "one vector fewer than inputs"),
    "oa_wrong_width": Fault("vectors", _changed(faulty_vectors.quarter_width), "vectors of a quarter of the width"),
    "oa_nan": Fault("vectors", _one_filled(np.nan), "the first vector is NaN"),
    "oa_zero": Fault("vectors", _one_filled(0.0), "the first vector is all zeros"),
    "oa_duplicate_index": Fault("vectors", _changed(faulty_vectors.duplicate_index), "all vectors under one index"),
    "oa_wrong_model": Fault("vectors", _changed(faulty_vectors.of_another_model), "another model's name"),
    "api_key": Fault("service", _service_error("key"), "Gemini, Cohere, Voyage or a reranker refuses the key"),
    "api_forbidden": Fault("service", _service_error("forbidden"), "403 of one of these"),
    "api_429s": Fault("service", _service_error("rate", with_pause=True), "429 of one of these that asks for a pause"),
    "api_429none": Fault("service", _service_error("rate"), "429 of one of these that asks for none"),
    "api_500": Fault("service", _service_error("down"), "internal error of one of these"),
    "api_503": Fault("service", _service_error("unavailable"), "one of these is overloaded"),
    "api_html": Fault("service", _of_service(_page(200, HTML)), "200 with HTML from one of these"),
    "api_timeout": Fault("service", _of_service(_sent("stall_head")), "no response from one of these"),
    "api_drip": Fault("service", _of_service(_sent("drip")), "one byte every 0.4 s from one of these"),
    "api_cut": Fault("service", _of_service(_sent("cut")), "connection closed within the response of one of these"),
    "omdb_500": Fault("omdb", _page(500, BAD_GATEWAY), "internal error of OMDb"),
    "omdb_html": Fault("omdb", _page(200, HTML), "200 with HTML from OMDb"),
    "rank_missing": Fault("ranking", _changed(faulty_rankings.without_last), "a reranker leaves a document out"),
    "rank_twice": Fault("ranking", _changed(faulty_rankings.one_twice), "a reranker ranks one document twice"),
    "rank_beyond": Fault("ranking", _changed(faulty_rankings.beyond), "a reranker names a document beyond the last"),
    "rank_nan": Fault("ranking", _changed(faulty_rankings.not_a_number), "NaN as a reranker's score"),
    "rank_text": Fault("ranking", _changed(faulty_rankings.not_numbers), "words as a reranker's scores"),
}


def known_faults(faults: Mapping[str, float]) -> dict[str, float]:
    """Return the faults with rates as floats. Raises ValueError, with the known names, for a wrong name or rate."""
    unknown = sorted(set(faults) - set(FAULTS))
    if unknown:
        raise ValueError(f"unknown fault {', '.join(unknown)}; known are {', '.join(FAULTS)}")
    for name, rate in faults.items():
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
            raise ValueError(f"the rate of fault {name} is a number from 0 to 1, not {rate!r}")
    return {name: float(rate) for name, rate in faults.items()}


def fault_rates(settings: Iterable[str]) -> dict[str, float]:
    """Parse settings of the form NAME=RATE, or NAME for a rate of 1. Raises ValueError."""
    rates = {}
    for setting in settings:
        name, _, rate = setting.partition("=")
        try:
            rates[name] = float(rate or "1")
        except ValueError:
            raise ValueError(f"the rate of fault {name} is a number from 0 to 1, not {rate!r}") from None
    return known_faults(rates)
