"""The films and series of this folder's tests, in the few batches that its pipelines work on."""

from collections import Counter
from collections.abc import Collection
from datetime import date
from typing import Any

from movie_assets.emulator.made_up_series import id_of
from movie_assets.emulator.moving_series import MovingSeries
from movie_assets_tests.support.small_pipelines import SmallPipeline

BATCHES = 4
FILMS = [64 * n + batch for n in range(1, 39) for batch in range(BATCHES)]
SERIES = 700  # of which those in four batches are used


def credits_of(tmdb_id: int) -> dict[str, Any]:
    """People of a film, some of whom play in others too."""
    people = [{"id": n, "name": f"Person {n}", "credit_id": f"{tmdb_id}-{n}"} for n in range(tmdb_id % 7, 12, 3)]
    cast = [{**person, "character": "A role", "order": n} for n, person in enumerate(people)]
    return {"cast": cast, "crew": [{**people[0], "job": "Director", "department": "Directing"}]}


def releases_of(tmdb_id: int) -> dict[str, Any]:
    """The release of a film, and an offer of every fourth one, as parts of its details."""
    release = {
        "release_date": "2010-05-14T00:00:00.000Z",
        "type": 3,
        "certification": "PG",
        "note": "",
        "iso_639_1": "",
    }
    netflix = {"provider_id": 8, "provider_name": "Netflix"}
    return {
        "release_dates": {"results": [{"iso_3166_1": "US", "release_dates": [release]}]},
        "watch/providers": {"results": {} if tmdb_id % 4 else {"US": {"link": "", "flatrate": [netflix]}}},
    }


class SeriesOfFewBatches(MovingSeries):
    """Series in the batches that the pipelines here work on; `asked` counts the calls for details and seasons."""

    def __init__(self) -> None:
        super().__init__(SERIES, 6)
        self.asked: Counter[int] = Counter()

    def body(self, tmdb_id: int, day: date, parts: Collection[str]) -> bytes | None:
        self.asked[tmdb_id] += 1
        return super().body(tmdb_id, day, parts)

    def season_body(self, tmdb_id: int, number: int, day: date, parts: Collection[str]) -> bytes | None:
        self.asked[tmdb_id] += 1
        return super().season_body(tmdb_id, number, day, parts)

    def _numbers_by_id(self, day: date) -> tuple[int, ...]:
        return tuple(number for number in super()._numbers_by_id(day) if id_of(number) % 64 < BATCHES)


def asked_of_series(pipeline: SmallPipeline) -> int:
    """How many details and seasons of series were asked for."""
    series = pipeline.serving.service.series
    return series.asked.total() if isinstance(series, SeriesOfFewBatches) else 0


def a_new_day(pipeline: SmallPipeline) -> None:
    """The next day, on which the change feed names every film, and each has another text."""
    pipeline.turn_day()
    marker = f"changed again on {pipeline.day}"
    pipeline.world.put(*({**f, "overview": f"Story {f['id']}, {marker}."} for f in pipeline.world.films.values()))
    pipeline.world.changed[pipeline.day] = FILMS
