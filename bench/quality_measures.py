"""Measures searches of a catalogue through the SQL functions that applications call."""

import json
import math
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from made_up_vectors import percentile
from quality_catalogue import Catalogue
from quality_questions import SEED, Question, Questions

from movie_assets.search.relevance import ndcg, precision, recall_of_similarities, reciprocal_rank

WARM_UP = 5  # searches that are not timed
DEEP, SHOWN, FIRST = 100, 10, 5
SEARCH = "select tmdb_id from catalog.search_movies(%s, %s, '{}', query_embedding => %s)"
SIMILAR = "select tmdb_id from catalog.similar_movies(%s, 10)"
NEAREST = "select similarity from catalog.nearest_movies({}, 10, %s, exactly => %s)"
VECTOR_OF = "catalog.vector_of(%s, (select set_id from catalog.embedding_sets where is_active))"
SHARES = (0.5, 0.1, 0.01)  # of the films that pass a filter
Figures = dict[str, Any]
Ask = Callable[[str, int], list[int]]


class Filter(NamedTuple):
    """A filter, and the share of the films that pass it."""

    filters: dict[str, Any]
    share: float


def measured(catalogue: Catalogue, questions: Questions, vectors: Mapping[str, str]) -> Figures:
    """Return all figures of the set that is searched; `vectors` has that of each question as SQL takes it."""
    figures: Figures = similar_films(catalogue, questions)
    for kind, given in (("words", {}), ("words + vectors", vectors)):
        figures |= {f"{name}, {kind}": value for name, value in searches(catalogue, questions, given).items()}
    films = sampled_films(catalogue)
    plots = [vectors[question.text] for question in questions.plots]
    for chosen in (Filter({}, 1.0), *filters_of(catalogue)):
        named = f"{chosen.share:.0%} pass {json.dumps(chosen.filters)}" if chosen.filters else "no filter"
        for kind, place, needles in (("film to film", VECTOR_OF, films), ("plot question", "%s", plots)):
            figures[f"index, {kind}, {named}"] = index_recall(catalogue, place, needles, chosen.filters)
    return figures


def similar_films(catalogue: Catalogue, questions: Questions) -> Figures:
    """NDCG@10 of similar films: those of the same collection are right."""
    gains, milliseconds = [], []
    for film, others in questions.franchises.items():
        found, took = timed_rows(catalogue, SIMILAR, film)
        gains.append(ndcg([row[0] for row in found], others))
        milliseconds.append(took)
    return {"similar films, franchise NDCG@10": mean(gains), "similar films": times(milliseconds)}


def searches(catalogue: Catalogue, questions: Questions, vectors: Mapping[str, str]) -> Figures:
    """Figures of `catalog.search_movies` with the vectors of the questions, or by words only without vectors."""
    milliseconds: list[float] = []

    def ask(text: str, count: int) -> list[int]:
        found, took = timed_rows(catalogue, SEARCH, text, count, vectors.get(text))
        milliseconds.append(took)
        return [row[0] for row in found]

    figures = plot_questions(ask, questions.plots)
    milliseconds.clear()
    for question in questions.plots:  # ten films, as applications ask for them
        ask(question.text, SHOWN)
    figures["plot question"] = times(milliseconds)
    slips = [(ask(q.text, SHOWN), q.films) for q in questions.slips]
    like, others = (
        [precision(ask(q.text, SHOWN), q.films, FIRST) for q in asked]
        for asked in (questions.like, questions.like_other_titles)
    )
    users = [(ask(q.text, SHOWN), q.films) for q in questions.users]
    return figures | {
        "typing errors, first": mean([reciprocal_rank(found[:1], right) for found, right in slips]),
        "typing errors, among ten": mean([bool(right & set(found)) for found, right in slips]),
        "“movies like X”, precision@5": mean(like),
        "“movies like X”, precision@5, other titles": mean(others),
        "user queries, first": mean([reciprocal_rank(found[:1], right) for found, right in users]),
        "user queries, among ten": mean([bool(right & set(found)) for found, right in users]),
    }


def plot_questions(ask: Ask, plots: Sequence[Question]) -> Figures:
    """MRR and recall@100 of plot questions."""
    found = [(ask(question.text, DEEP), question.films) for question in plots]
    return {
        "plot question, MRR": mean([reciprocal_rank(films, right) for films, right in found]),
        "plot question, recall@100": mean([bool(right & set(films)) for films, right in found]),
    }


def index_recall(catalogue: Catalogue, place: str, needles: Sequence[object], filters: dict[str, Any]) -> Figures:
    """Recall@10 of the search as the functions do it, against one that compares all films, and the time of both."""
    recalls, approximate, exact = [], [], []
    for needle in needles:
        # As catalog.similar_movies does, the film itself is left out.
        wanted = json.dumps(filters | ({"exclude": [needle]} if isinstance(needle, int) else {}))
        found, took = timed_rows(catalogue, NEAREST.format(place), needle, wanted, False)
        nearest, compared = timed_rows(catalogue, NEAREST.format(place), needle, wanted, True)
        recall = recall_of_similarities([row[0] for row in found], [row[0] for row in nearest])
        if recall is not None:
            recalls.append(recall)
        approximate.append(took)
        exact.append(compared)
    return {"recall@10": mean(recalls), **times(approximate), "exact p50 ms": times(exact)["p50 ms"]}


def sampled_films(catalogue: Catalogue, samples: int = 200) -> list[int]:
    """Return some films of the catalogue, the same ones each time."""
    films = [row[0] for row in catalogue.rows("select tmdb_id from catalog.movies order by 1")]
    return random.Random(SEED).sample(films, min(samples, len(films)))  # noqa: S311  # repeatable, not secret


def filters_of(catalogue: Catalogue) -> list[Filter]:
    """Return for each of SHARES the genre or language, else the first year, that such a share of the films passes."""
    shares = catalogue.rows(
        "with films as (select m.*, count(*) over () as all_films from catalog.movies m) "
        "select jsonb_build_object('genres', jsonb_build_array(g)), count(*)::float / max(f.all_films) "
        "from films f, unnest(f.genres) g group by g "
        "union all select jsonb_build_object('languages', jsonb_build_array(f.original_language)), "
        "count(*)::float / max(f.all_films) from films f where f.original_language is not null "
        "group by f.original_language union all select jsonb_build_object('year_from', f.release_year), "
        "sum(count(*)) over (order by f.release_year desc)::float / max(f.all_films) "
        "from films f where f.release_year is not null group by f.release_year"
    )
    return [Filter(*min(shares, key=lambda row: abs(math.log(row[1] / wanted)))) for wanted in SHARES]


def timed_rows(catalogue: Catalogue, query: str, *values: object) -> tuple[list[tuple[Any, ...]], float]:
    """Return the rows of a query, and the milliseconds that it took."""
    started = time.perf_counter()
    rows = catalogue.rows(query, *values)
    return rows, 1000 * (time.perf_counter() - started)


def times(milliseconds: Sequence[float]) -> dict[str, float | None]:
    """Return p50 and p95, without those of the searches that warmed the caches."""
    warm = milliseconds[WARM_UP:] or milliseconds
    return {label: percentile(warm, share) if warm else None for label, share in (("p50 ms", 0.5), ("p95 ms", 0.95))}


def mean(values: Sequence[float]) -> float | None:
    """Return the mean; None without values."""
    return statistics.fmean(values) if values else None
