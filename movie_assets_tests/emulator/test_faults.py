import gzip
import json
import math
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from movie_assets.emulator.faults import FAULTS, fault_rates
from movie_assets.emulator.oddities import NAMES, ODDITIES, oddity_of
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.emulator.conftest import TODAY, get

Json = dict[str, Any]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("429s", 429, 25),
        ("429date", 429, 25),
        ("429none", 429, 25),
        ("429huge", 429, 25),
        ("429bad", 429, 25),
        ("401", 401, 7),
        ("404", 404, 34),
        ("500", 500, 11),
        ("503", 503, 43),
        ("504", 504, 24),
    ],
)
def test_errors_on_demand_have_tmdbs_codes(
    api: httpx.Client, tmdb_emulator: TmdbEmulator, fault: str, status: int, code: int
) -> None:
    tmdb_emulator.faults = {fault: 1.0}
    response = api.get("/movie/550")
    assert (response.status_code, response.json()["status_code"]) == (status, code)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("429s", "1"), ("429none", None), ("429huge", "86400"), ("429bad", "soon"), ("429zero", "0")],
)
def test_429_tells_how_long_to_wait_in_every_way(
    api: httpx.Client, tmdb_emulator: TmdbEmulator, fault: str, expected: str | None
) -> None:
    tmdb_emulator.faults = {fault: 1.0}
    assert api.get("/movie/550").headers.get("Retry-After") == expected


def test_429_can_name_a_date(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    tmdb_emulator.faults = {"429date": 1.0}
    as_of = parsedate_to_datetime(api.get("/movie/550").headers["Retry-After"])
    assert abs(as_of - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.parametrize(("fault", "status"), [("502html", 502), ("html200", 200)])
def test_a_page_of_html_comes_in_place_of_json(
    api: httpx.Client, tmdb_emulator: TmdbEmulator, fault: str, status: int
) -> None:
    tmdb_emulator.faults = {fault: 1.0}
    response = api.get("/movie/550")
    assert response.status_code == status
    assert response.headers["Content-Type"].startswith("text/html")
    assert b"<html>" in response.content


@pytest.mark.parametrize(("fault", "body"), [("empty", b""), ("null", b"null"), ("array", b"[]")])
def test_a_body_without_a_film_comes_with_200(
    api: httpx.Client, tmdb_emulator: TmdbEmulator, fault: str, body: bytes
) -> None:
    tmdb_emulator.faults = {fault: 1.0}
    response = api.get("/movie/550")
    assert (response.status_code, response.content) == (200, body)


def test_cut_json_cannot_be_read(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    tmdb_emulator.faults = {"json_cut": 1.0}
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        api.get("/movie/550").json()


@pytest.mark.parametrize("fault", ["timeout_head", "timeout_body"])
def test_a_stalled_answer_runs_into_the_clients_timeout(
    api: httpx.Client, tmdb_emulator: TmdbEmulator, fault: str
) -> None:
    tmdb_emulator.faults = {fault: 1.0}
    with pytest.raises(httpx.ReadTimeout):
        api.get("/movie/550", timeout=0.2)


def test_a_dripping_answer_comes_byte_by_byte(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    tmdb_emulator.faults = {"drip": 1.0}
    with api.stream("GET", "/movie/550", headers={"Accept-Encoding": "identity"}) as response:
        pieces = response.iter_raw()
        assert [next(pieces), next(pieces)] == [b"{", b'"']


def test_a_connection_can_close_within_the_body(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    tmdb_emulator.faults = {"fin_body": 1.0}
    with pytest.raises(httpx.RemoteProtocolError):
        api.get("/movie/550")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("fin_head", httpx.RemoteProtocolError),
        ("fin_chunk", httpx.RemoteProtocolError),
        ("cl_long", httpx.RemoteProtocolError),
        ("garbage", httpx.RemoteProtocolError),
        ("huge_header", httpx.RemoteProtocolError),
        ("reset_head", httpx.ReadError),
        ("reset_body", httpx.ReadError),
        ("gz_corrupt", httpx.DecodingError),
        ("gz_lie", httpx.DecodingError),
    ],
)
def test_a_reply_that_is_no_good_http_is_an_error(
    api: httpx.Client, tmdb_emulator: TmdbEmulator, fault: str, error: type[Exception]
) -> None:
    tmdb_emulator.faults = {fault: 1.0}
    with pytest.raises(error):
        api.get("/movie/550")
    tmdb_emulator.faults = {}
    assert api.get("/movie/550").status_code == 200


@pytest.mark.parametrize("fault", ["cl_short", "gz_trunc"])
def test_a_body_can_be_cut_without_an_error_of_http(api: httpx.Client, tmdb_emulator: TmdbEmulator, fault: str) -> None:
    whole = api.get("/movie/550").content
    tmdb_emulator.faults = {fault: 1.0}
    cut = api.get("/movie/550").content
    assert whole.startswith(cut)
    assert 0 < len(cut) < len(whole)


def test_a_redirect_can_lead_back_to_itself(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    tmdb_emulator.faults = {"redirect_loop": 1.0}
    with pytest.raises(httpx.TooManyRedirects):
        api.get("/movie/550", follow_redirects=True)


def test_a_bomb_is_small_on_the_wire(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    tmdb_emulator.faults = {"bomb": 1.0}
    with api.stream("GET", "/movie/550") as response:
        packed = b"".join(response.iter_raw())
    assert len(packed) < 2_000_000
    unpacker = zlib.decompressobj(31)
    assert len(unpacker.decompress(packed, 50_000_000)) == 50_000_000


@pytest.mark.parametrize("fault", ["export_corrupt", "export_truncated"])
def test_the_exports_file_can_arrive_damaged(tmdb_emulator: TmdbEmulator, fault: str) -> None:
    tmdb_emulator.faults = {fault: 1.0}
    content = get(f"{tmdb_emulator.export_url}/movie_ids_{TODAY:%m_%d_%Y}.json.gz").content
    with pytest.raises((EOFError, zlib.error, gzip.BadGzipFile)):
        gzip.decompress(content)


def test_the_wrong_film_can_come(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    tmdb_emulator.faults = {"wrong_id": 1.0}
    assert api.get("/movie/550").json()["id"] == 551


def test_faults_of_details_leave_other_endpoints_alone(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    tmdb_emulator.faults = {"wrong_id": 1.0, "odd": 1.0}
    assert api.get("/movie/popular").json()["page"] == 1


def is_odd(name: str) -> Callable[[Json], bool]:
    checks: dict[str, Callable[[Json], bool]] = {
        "nul_in_title": lambda body: "\0" in body["title"],
        "lone_surrogate_in_overview": lambda body: "\ud83d" in body["overview"],
        "title_null": lambda body: body["title"] is None,
        "overview_1mb": lambda body: len(body["overview"]) > 1_000_000,
        "runtime_negative": lambda body: body["runtime"] == -5,
        "runtime_text": lambda body: body["runtime"] == "139",
        "release_date_impossible": lambda body: body["release_date"] == "2023-02-30",
        "vote_average_nan": lambda body: math.isnan(body["vote_average"]),
        "vote_count_negative": lambda body: body["vote_count"] == -1,
        "revenue_over_int32": lambda body: body["revenue"] > 2**31,
        "genres_null": lambda body: body["genres"] is None,
        "keywords_under_results": lambda body: "results" in body["keywords"],
        "keywords_absent": lambda body: "keywords" not in body,
        "credits_absent": lambda body: "credits" not in body,
        "credits_1000_cast": lambda body: len(body["credits"]["cast"]) == 1000,
        "unknown_keys": lambda body: "hologram" in body,
    }
    return checks.get(name, lambda body: body["id"] > 0)


@pytest.mark.parametrize("name", NAMES)
def test_each_oddity_strikes_the_films_whose_id_it_is_for(
    api: httpx.Client, tmdb_emulator: TmdbEmulator, name: str
) -> None:
    ids = tmdb_emulator.world.columns(TODAY).tmdb_id.tolist()
    tmdb_id = next(number for number in ids if oddity_of(number) == name)
    tmdb_emulator.faults = {"odd": 1.0}
    odd = api.get(f"/movie/{tmdb_id}?append_to_response=credits,keywords").content
    again = api.get(f"/movie/{tmdb_id}?append_to_response=credits,keywords").content
    tmdb_emulator.faults = {}
    usual = api.get(f"/movie/{tmdb_id}?append_to_response=credits,keywords").content
    assert odd == again
    assert json.loads(odd) != json.loads(usual) or name in {"overview_empty", "runtime_zero"}
    assert is_odd(name)(json.loads(odd))


def test_there_is_an_oddity_for_every_name() -> None:
    assert set(NAMES) == set(ODDITIES)


def test_a_rate_between_0_and_1_strikes_about_that_often(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    tmdb_emulator.faults = {"500": 0.3}
    struck = sum(api.get("/configuration").status_code == 500 for _ in range(200))
    assert 30 < struck < 90


def test_an_unknown_fault_is_refused_with_the_known_ones(tmdb_emulator: TmdbEmulator) -> None:
    with pytest.raises(ValueError, match=r"unknown fault nonsense; known are 429s, .*oa_wrong_model"):
        tmdb_emulator.faults = {"nonsense": 1.0}
    assert tmdb_emulator.faults == {}


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan"), True])
def test_a_rate_outside_0_to_1_is_refused(tmdb_emulator: TmdbEmulator, rate: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        tmdb_emulator.faults = {"500": rate}


def test_settings_of_the_command_line_become_rates() -> None:
    assert fault_rates(["500=0.1", "odd"]) == {"500": 0.1, "odd": 1.0}
    with pytest.raises(ValueError, match="from 0 to 1"):
        fault_rates(["500=often"])


def test_every_fault_says_what_it_does() -> None:
    assert all(fault.does for fault in FAULTS.values())
