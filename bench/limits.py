"""A full build at realistic limits, scaled: what share of the slowest limit it reaches, so that stages must overlap.

TMDB's pace is the real one; the embeddings service, with its limit told in headers as OpenAI does, is given so many
tokens that embedding alone takes nearly as long as fetching alone. One stage after the other would take twice the time
of the slower one. The world is smaller than a real one, and what Dagster needs to start and to publish does not shrink
with it: it is told apart.
"""

from datetime import UTC, datetime
from typing import Any

from refreshing import catalogue, measured, services
from tables import keep, parser_of, tell

TODAY = datetime.now(UTC).date()
WINDOW = 6.0  # seconds in which the account is whole again; OpenAI's minute, scaled like the world
TOKENS_PER_FILM = 95  # of a made-up film, as the stand-in counts


def main() -> None:
    """Build once, print, keep."""
    parser = parser_of(__doc__)
    parser.add_argument("--movies", type=int, default=20_000, help="ids in the stand-in's world")
    parser.add_argument("--rate", type=float, default=38.0, help="TMDB's pace, calls a second")
    parser.add_argument("--tokens", type=float, default=2_300.0, help="the embeddings service's, a second")
    options = parser.parse_args()
    limit = round(options.tokens * WINDOW)
    with services(movies=options.movies, openai_tokens=limit, openai_window=WINDOW) as stand_in:
        limits = {
            "MOVIE_ASSETS_TMDB_RATE": str(options.rate),
            "MOVIE_ASSETS_EMBEDDER": "openai",
            "OPENAI_API_KEY": "a-key",
            "OPENAI_BASE_URL": stand_in.openai_url,
        }
        with catalogue(stand_in, **limits) as environment:
            figures = measured(stand_in, environment, TODAY)
        calls = {name: sum(answers.values()) for name, answers in stand_in.requests().items()}
    row = against_bounds(figures, calls, options.rate, options.tokens, limit)
    configuration = (
        f"`{options.movies:,}` ids; TMDB at {options.rate:g} calls a second, the embeddings service at "
        f"{options.tokens:,.0f} tokens a second ({limit:,} in {WINDOW:g} s), both told and enforced; one build from an "
        "empty folder. A bound is what a service alone takes for what was asked of it."
    )
    tell("A full build within limits", configuration, [row])
    keep(options.json, {**row, "run": figures, "requests": calls})


def against_bounds(
    figures: dict[str, Any], calls: dict[str, int], rate: float, tokens: float, limit: int
) -> dict[str, Any]:
    """The build beside what each service allows; the account is whole at the beginning."""
    tmdb_calls = sum(count for name, count in calls.items() if name in ("movie", "discover", "changes"))
    fetching, embedding = tmdb_calls / rate, max(0.0, figures["tokens"] - limit) / tokens
    slowest = max(fetching, embedding)
    return {
        "films fetched": figures["films_fetched"],
        "tokens": figures["tokens"],
        "bound of fetching, s": round(fetching, 1),
        "bound of embedding, s": round(embedding, 1),
        "both in turn, s": round(fetching + embedding, 1),
        "the build, s": figures["seconds"],
        "of the slowest bound": f"{figures['seconds'] / slowest:.2f} times",
        "limit reached": f"{slowest / figures['seconds']:.0%}",
    }


if __name__ == "__main__":
    main()
