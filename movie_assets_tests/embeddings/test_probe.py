"""The probe: one small request over HTTP that shows what a service takes, or its own sentence."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from movie_assets.embeddings.embedder import EmbedderError, ServiceBusyError
from movie_assets.embeddings.providers.openai import OpenAiEmbedder
from movie_assets.embeddings.roles import known_roles
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.emulator.server_makes import MAKES, Limit
from movie_assets_tests.conftest import DAY

SHORT = [f"story number {number}" for number in range(8)]
LONG = ["a very long story about a ship and its crew " * 120]
KEY = "sk-canary-of-a-key"


@pytest.fixture
def service() -> Iterator[TmdbEmulator]:
    with TmdbEmulator(EmulatorOptions(movies=1, today=DAY, rate_limit=0, openai_tokens=90_000)) as emulator:
        yield emulator


def client_of(service: TmdbEmulator, dimensions: int = 64, model: str = "films-embed") -> OpenAiEmbedder:
    client = OpenAiEmbedder(model, dimensions, SecretStr(KEY), service.openai_url)
    client.roles = known_roles(model)
    return client


# The 500 of “unknown format” could be an outage; one that is loading is waited for by runs.
@pytest.mark.parametrize(
    "name", [name for name, make in MAKES.items() if name != "unknown format" and not make.loading]
)
def test_a_few_requests_show_what_a_server_takes(service: TmdbEmulator, name: str) -> None:
    make = MAKES[name]
    service.service.options = replace(service.service.options, embeddings_like=name)
    client = client_of(service, make.width or 64, make.serves)
    shown = client.probe(SHORT)
    assert shown.texts == len(SHORT)
    assert shown.model == (make.model or make.serves)
    assert ("dimensions" in shown.left_out) >= isinstance(make.dimensions, Limit)
    assert ("encoding_format" in shown.left_out) >= isinstance(make.encoding, Limit)
    assert (shown.tokens is None) == (make.usage in ("left out", "null"))
    before = service.requests["embeddings"].copy()
    client.embed(SHORT)  # knows the parameters now
    assert service.requests["embeddings"] == {**before, 200: before[200] + 1}


def test_the_accounts_limits_are_those_of_the_response(service: TmdbEmulator) -> None:
    assert client_of(service).probe(SHORT).tokens_per_minute == 90_000


@pytest.mark.parametrize("name", [name for name, make in MAKES.items() if make.length])
def test_texts_that_are_too_long_do_not_hide_that_a_service_works(service: TmdbEmulator, name: str) -> None:
    service.service.options = replace(service.service.options, embeddings_like=name)
    assert client_of(service, MAKES[name].width or 64, MAKES[name].serves).probe(LONG).texts == 1


@pytest.mark.parametrize(("fault", "says"), [("oa_401", "Incorrect API key provided"), ("oa_429quota", "quota")])
def test_a_refusal_is_told_after_one_request(service: TmdbEmulator, fault: str, says: str) -> None:
    service.faults = {fault: 1.0}
    with pytest.raises(EmbedderError, match=says) as refused:
        client_of(service).probe(SHORT)
    assert KEY not in str(refused.value)
    assert not isinstance(refused.value, ServiceBusyError)
    assert sum(service.requests["embeddings"].values()) == 1


@pytest.mark.parametrize("fault", ["oa_500", "oa_429rate"])
def test_a_service_that_is_busy_is_told_apart(service: TmdbEmulator, fault: str) -> None:
    service.faults = {fault: 1.0}
    with pytest.raises(ServiceBusyError):
        client_of(service).probe(SHORT)
