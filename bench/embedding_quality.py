"""How well the local embedder finds films: known items by their overview and title, and films of the same series.

Reads recorded details as the pipeline does, embeds their texts, and compares all vectors. Usage: embedding_quality.py
--details FILE [--dimensions D] [--json FILE]
"""

import argparse
import gzip
import json
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from movie_assets.catalog.eligibility import derive
from movie_assets.embeddings.hashing import hashed_vectors
from movie_assets.tmdb.movies import Movie, UnusableResponseError, read_json

Matrix = npt.NDArray[np.float32]
NEAREST = 10
# What a title has after the part that a series shares: "Alien³", "Rocky IV", "Saw: …", "Toy Story 2", "X, Part Two".
SEQUEL = re.compile(
    r"\s*(?:[:\u2013-]\s.*|,?\s*\b(?:part|chapter|volume|vol\.?|episode)\b.*|\s(?:[ivx]{2,}|v|\d{1,2})\b.*|[²³])$",
    re.IGNORECASE,
)
ARTICLE = re.compile(r"^(?:the|a|an)\s+", re.IGNORECASE)
SHORTEST_BASE = 3  # letters; "9" and "M" are no series


class Item(NamedTuple):
    """A film, and the text that the pipeline embeds for it."""

    film: Movie
    text: str


def main() -> None:
    """Read, embed, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--details", type=Path, required=True, help="answers of /movie/{id}, a line each (.gz too)")
    parser.add_argument("--dimensions", type=int, default=1536)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    arguments = parser.parse_args()
    items = read_items(arguments.details)
    vectors = hashed_vectors([item.text for item in items], arguments.dimensions)
    figures: dict[str, Any] = {"films": len(items), "dimensions": arguments.dimensions}
    asked = [n for n, item in enumerate(items) if item.film.overview]
    for name, ask in (("overview", overview_without_title), ("ten words", ten_words), ("title", title_of)):
        questions = hashed_vectors([ask(items[n].film) for n in asked], arguments.dimensions)
        figures |= known_items(name, questions, vectors, asked)
    for name, key in (("collection", collection_of), ("series by title", series_of)):
        figures |= kept_together(name, items, vectors, key)
    print(
        "\n".join(
            f"{name}: {value:,.3f}" if isinstance(value, float) else f"{name}: {value:,}"
            for name, value in figures.items()
        )
    )
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


def read_items(path: Path) -> list[Item]:
    """Films as the pipeline reads them, whatever the profiles say of them; answers that are no film are left out."""
    items = {}
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as lines:
        for line in lines:
            try:
                body = read_json(line)
                derived = derive(body, body["id"])
            except (UnusableResponseError, KeyError, TypeError):
                continue
            items[derived.movie.tmdb_id] = Item(derived.movie, derived.text)
    return list(items.values())


def overview_without_title(film: Movie) -> str:
    """What somebody says who remembers the story and not the name."""
    return re.sub(re.escape(film.title), " ", film.overview or "", flags=re.IGNORECASE)


def ten_words(film: Movie) -> str:
    """Ten words of that, evenly spread: an overview as a whole is part of the text, and found by itself."""
    words = overview_without_title(film).split()
    return " ".join(words[:: max(1, len(words) // 10)][:10])


def title_of(film: Movie) -> str:
    """What somebody says who remembers the name."""
    return film.title


def collection_of(film: Movie) -> object | None:
    """TMDB's collection, where the answers have it (belongs_to_collection)."""
    return film.collection_id


def series_of(film: Movie) -> object | None:
    """The part of a title that a series shares: what is before a colon, a number, "Part", "Chapter" …, without article.

    Finds "The Matrix" and "The Matrix Reloaded" apart: only what a rule on titles can see.
    """
    base = ARTICLE.sub("", SEQUEL.sub("", film.title)).strip(" .,!?").lower()
    return base if len(re.sub(r"\W", "", base)) >= SHORTEST_BASE else None


def known_items(name: str, questions: Matrix, vectors: Matrix, asked: Sequence[int]) -> dict[str, float]:
    """Mean reciprocal rank of the film that a question was made of, and how often it is the first and among ten."""
    similarities = questions @ vectors.T
    own = similarities[np.arange(len(asked)), asked]
    ranks = 1 + (similarities > own[:, None]).sum(axis=1)
    return {
        f"known item by {name}: MRR": float((1 / ranks).mean()),
        f"known item by {name}: first": float((ranks == 1).mean()),
        f"known item by {name}: among ten": float((ranks <= NEAREST).mean()),
    }


def kept_together(
    name: str, items: Sequence[Item], vectors: Matrix, key: Callable[[Movie], object | None]
) -> dict[str, Any]:
    """For each film of a group of two or more: the share of the others that are among its ten nearest."""
    groups = defaultdict(list)
    for n, item in enumerate(items):
        if (of := key(item.film)) is not None:
            groups[of].append(n)
    recalls = []
    together = [films for films in groups.values() if len(films) > 1]
    for films in together:
        similarities = vectors[films] @ vectors.T
        similarities[np.arange(len(films)), films] = -np.inf
        nearest = np.argpartition(-similarities, NEAREST, axis=1)[:, :NEAREST]
        wanted = min(NEAREST, len(films) - 1)
        recalls += [len(set(row) & set(films)) / wanted for row in nearest.tolist()]
    figures: dict[str, Any] = {f"{name}: groups": len(together), f"{name}: films in them": len(recalls)}
    return figures | ({f"{name}: recall@{NEAREST}": float(np.mean(recalls))} if recalls else {})


if __name__ == "__main__":
    main()
