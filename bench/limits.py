"""A full build at realistic limits, scaled: what share of the slowest limit it reaches, so that stages must overlap.

TMDB's limit and our pace, which is below it, are the real ones, so that the share of the pace in the limit is the most
that can be reached. The embeddings service sends its limit in response headers as OpenAI does, and has so many tokens a
second that embedding alone takes nearly as long as fetching alone. One stage after the other would take twice the time
of the slower one. The world is smaller than a real one. The time of Dagster's start and of publishing is not, so it is
listed apart.
"""

import argparse
from typing import Any

from minimum_cost import minimum_of
from refreshing import TODAY, Services, catalogue, measured, of_the_database, served_world, services
from tables import medians, parser_of, print_rows, print_section, write_figures

WINDOW = 15.0  # seconds in which the account is whole again; OpenAI's minute, scaled like the world
STAGES = ["tmdb_changes", "tmdb_discoveries", "movie_details", "movie_embeddings"]  # those that ask the services
SPAN = """
select extract(epoch from max(ended_at) - min(started_at))::float8 from pipeline.run_log where step = any(%s)
"""
SPANS = {"fetching and embedding": "stages_seconds", "the whole build": "seconds"}
FETCHING = ("at our pace", "at TMDB's limit")
REFUSED = "429"


def main() -> None:
    """Measure, print the tables and write the figures."""
    parser = parser_of(__doc__)
    parser.add_argument("--movies", type=int, default=20_000, help="ids in the emulator's world")
    parser.add_argument("--limit", type=int, default=40, help="TMDB's limit: calls that it answers in any second")
    parser.add_argument("--rate", type=float, default=38.0, help="our pace, calls a second")
    parser.add_argument("--tokens", type=float, default=3_400.0, help="the embeddings service's, a second")
    options = parser.parse_args()
    account = {"openai_tokens": round(options.tokens * WINDOW), "openai_window": WINDOW}
    with services(movies=options.movies, rate_limit=options.limit, **account) as tmdb_emulator:
        rounds = [one_round(tmdb_emulator, options.rate) for _ in range(options.rounds)]
    least = minimum_of(served_world(options.movies), TODAY, is_first=True)
    bounds = [bounds_of(found, least["detail_calls"], options) for found in rounds]
    run, bound = medians(rounds), medians(bounds)
    shares = medians([shares_of(*each) for each in zip(rounds, bounds, strict=True)])
    configuration = (
        f"{options.movies:,} ids; TMDB answers at most {options.limit} calls in any second, and our pace is "
        f"{options.rate:g}, {options.rate / options.limit:.0%} of that; the embeddings service takes "
        f"{options.tokens:,.0f} tokens a second ({account['openai_tokens']:,} in {WINDOW:g} s). Medians of "
        f"{options.rounds} rounds, each from an empty folder. Seconds that a service alone takes for the least "
        "that has to be asked of it:"
    )
    print_section("A full build within limits", configuration, [bound])
    print("Seconds of the build, and the share that the slower of the two services takes alone:\n")
    print_rows([cost_of_run(what, run, shares) for what in SPANS])
    print("Requests and the minimum that is necessary; calls with a response 429 are listed apart:\n")
    print_rows([requests_of_run(run, least)])
    write_figures(options.json, {"bounds": bound, "shares": shares, "least": least, "run": run, "rounds": rounds})


def one_round(tmdb_emulator: Services, rate: float) -> dict[str, Any]:
    """Build from an empty folder; return the figures, and how often each service responded and refused."""
    limits = {
        "MOVIE_ASSETS_TMDB_RATE": str(rate),
        "MOVIE_ASSETS_EMBEDDER": "openai",
        "OPENAI_API_KEY": "a-key",
        "OPENAI_BASE_URL": tmdb_emulator.openai_url,
    }
    with catalogue(tmdb_emulator, **limits) as environment:
        figures = measured(tmdb_emulator, environment, TODAY)
        ((stages,),) = of_the_database(environment, SPAN, STAGES)
    requests = tmdb_emulator.requests()
    refused = {name: answers.pop(REFUSED, 0) for name, answers in requests.items()}
    answered = {name: sum(answers.values()) for name, answers in requests.items()}
    refused_texts = refused.pop("embeddings", 0)
    return {
        **figures,
        "stages_seconds": round(stages, 1),
        "detail_calls": answered["movie"],
        "list_calls": answered.get("discover", 0) + answered.get("changes", 0),
        "refused_calls": sum(refused.values()),
        "refused_requests_for_vectors": refused_texts,
    }


def bounds_of(found: dict[str, Any], least_details: int, options: argparse.Namespace) -> dict[str, float]:
    """Return the seconds that each service alone takes for the necessary requests: none repeated, none refused."""
    calls = least_details + found["list_calls"]
    whole_at_first = options.tokens * WINDOW
    limiter, embedding = calls / options.rate, max(0.0, found["tokens"] - whole_at_first) / options.tokens
    seconds = {
        "fetching at our pace": limiter,
        "fetching at TMDB's limit": calls / options.limit,
        "embedding": embedding,
        "fetching at our pace, then embedding": limiter + embedding,
    }
    return {name: round(value, 1) for name, value in seconds.items()}


def shares_of(found: dict[str, Any], bounds: dict[str, float]) -> dict[str, float]:
    """Return for each span and bound of fetching the percentage of its seconds that the slower service needs alone."""
    return {
        f"{what}, {fetching}": 100 * max(bounds[f"fetching {fetching}"], bounds["embedding"]) / found[seconds]
        for what, seconds in SPANS.items()
        for fetching in FETCHING
    }


def cost_of_run(what: str, run: dict[str, Any], shares: dict[str, float]) -> dict[str, Any]:
    """A line of the second table."""
    named = {f"of the slowest limit, {fetching}": f"{shares[f'{what}, {fetching}']:.1f}%" for fetching in FETCHING}
    return {"what": what, "seconds": run[SPANS[what]], **named}


def requests_of_run(run: dict[str, Any], least: dict[str, int]) -> dict[str, Any]:
    """The line of the third table."""
    return {
        "detail calls": run["detail_calls"],
        "least calls": least["detail_calls"],
        "calls for lists and feed": run["list_calls"],
        "TMDB's 429": run["refused_calls"],
        "texts embedded": run["texts_embedded"],
        "least texts": least["texts"],
        "tokens": run["tokens"],
        "the embeddings service's 429": run["refused_requests_for_vectors"],
        "failed checks": run["failed_checks"],
    }


if __name__ == "__main__":
    main()
