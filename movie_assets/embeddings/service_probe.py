"""One small request that shows whether a service works, and what it takes: see `Embedder.probe`."""

import time
from collections.abc import Sequence

from movie_assets.embeddings.embedder import EmbedderError, ProbeResult, ServiceBusyError
from movie_assets.embeddings.refusals import Refusal
from movie_assets.embeddings.server_limits import Parameters, Server
from movie_assets.embeddings.service_call import Ask, ServiceResponse
from movie_assets.http_client.rate_limits import limits_of


def probe(ask: Ask, texts: Sequence[str], word: str, server: Server) -> ProbeResult:
    """Request the vectors of a few texts, and remember in `server` what the service takes.

    No request is repeated as it was: another one has fewer texts, or lacks a parameter that the service refused. With
    a text that is too long, `word` is sent in place of all. Raises ServiceBusyError where waiting may help, and
    EmbedderError with the service's own sentence for every other refusal.
    """
    trials: list[Parameters] = list(server.trials)
    trial: Parameters | None = None
    while True:
        sent, began = trial or server.parameters, time.monotonic()
        response = ask(texts, sent)
        refusal = response.outcome
        if not isinstance(refusal, Refusal):
            server.record_success(len(texts), sent, response.model)
            return _result(response, texts, time.monotonic() - began, server.parameters)
        trial = None
        match refusal.action:
            case "omit" if server.omit_parameter(refusal, sent):
                continue
            case "reduce" if len(texts) > 1:
                server.learn_size(refusal, len(texts), sum(map(len, texts)))
                texts = texts[: min(server.max_texts, len(texts) // 2)]
            case "reduce" if server.send_no_lists(refusal):
                continue
            case "shorten" | "split" | "retry_then_split" if list(texts) != [word]:
                texts = [word]
            case "diagnose" if trials:
                trial = trials.pop(0)
            case "diagnose" if list(texts) != [word]:
                texts = [word]
            case "retry" | "pause":
                raise ServiceBusyError(refusal.problem)
            case _:
                is_width = refusal.error_class == "dimensions"
                raise EmbedderError(server.width_problem(refusal) if is_width else refusal.problem)


def _result(response: ServiceResponse, texts: Sequence[str], seconds: float, sent: Parameters) -> ProbeResult:
    limits = limits_of(response.headers)
    tokens, requests = limits.get("tokens"), limits.get("requests")
    left_out = [*([] if sent.dimensions else ["dimensions"]), *([] if sent.encoding_format else ["encoding_format"])]
    return ProbeResult(
        texts=len(texts), seconds=seconds, tokens=response.tokens, model=response.model, left_out=tuple(left_out),
        tokens_per_minute=tokens.limit if tokens else None, requests_per_minute=requests.limit if requests else None,
    )  # fmt: skip
