"""A full build at realistic limits, scaled: what share of the slowest limit it reaches, so that stages must overlap.

TMDB's pace is the real one; the embeddings service, with its limit told in headers as OpenAI does, is given so many
tokens that embedding alone takes nearly as long as fetching alone. One stage after the other would take twice the time
of the slower one. The world is smaller than a real one, and what Dagster needs to start and to publish does not shrink
with it: it is told apart.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from refreshing import catalogue, measured, services
from tables import keep, parser_of, tell

from movie_assets.resources.embedded_postgres import embedded_postgres

TODAY = datetime.now(UTC).date()
WINDOW = 15.0  # seconds in which the account is whole again; OpenAI's minute, scaled like the world
STAGES = ["tmdb_changes", "tmdb_discoveries", "movie_details", "movie_embeddings"]  # those that ask the services
SPAN = """
select extract(epoch from max(ended_at) - min(started_at))::float8 from pipeline.run_log where step = any(%s)
"""


def main() -> None:
    """Build once, print, keep."""
    parser = parser_of(__doc__)
    parser.add_argument("--movies", type=int, default=20_000, help="ids in the stand-in's world")
    parser.add_argument("--rate", type=float, default=38.0, help="TMDB's pace, calls a second")
    parser.add_argument("--tokens", type=float, default=3_400.0, help="the embeddings service's, a second")
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
            stages = seconds_of_stages(Path(environment["MOVIE_ASSETS_HOME"]))
        calls = {name: sum(answers.values()) for name, answers in stand_in.requests().items()}
    fetching = sum(calls.get(name, 0) for name in ("movie", "discover", "changes")) / options.rate
    embedding = max(0.0, figures["tokens"] - limit) / options.tokens  # the account is whole at the beginning
    row = against_bounds(fetching, embedding, stages, figures["seconds"])
    configuration = (
        f"{options.movies:,} ids, {figures['films_fetched']:,} films fetched, {figures['texts_embedded']:,} texts of "
        f"{figures['tokens']:,} tokens embedded; TMDB at {options.rate:g} calls a second, the embeddings service at "
        f"{options.tokens:,.0f} tokens a second ({limit:,} in {WINDOW:g} s); one build from an empty folder. Seconds; "
        "a bound is what a service alone takes for what was asked of it."
    )
    tell("A full build within limits", configuration, [row])
    keep(options.json, {**row, "run": figures, "requests": calls})


def seconds_of_stages(home: Path) -> float:
    """From the first stage that asks a service to the end of the last."""
    with embedded_postgres(home) as server, psycopg.connect(server.replace("/?", "/movie_assets?")) as connection:
        ((seconds,),) = connection.execute(SPAN, (STAGES,)).fetchall()
    return float(seconds)


def against_bounds(fetching: float, embedding: float, stages: float, whole: float) -> dict[str, Any]:
    """Seconds of the build beside what each service alone takes for what was asked of it."""
    slowest = max(fetching, embedding)
    return {
        "bound of fetching": round(fetching, 1),
        "bound of embedding": round(embedding, 1),
        "both in turn": round(fetching + embedding, 1),
        "fetching and embedding": round(stages, 1),
        "of the slowest limit": f"{slowest / stages:.1%}",
        "the whole build": whole,
        "of the slowest limit in all": f"{slowest / whole:.1%}",
    }


if __name__ == "__main__":
    main()
