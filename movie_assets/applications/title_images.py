"""Posters, backdrops and logos of the titles in the catalogue, by language; off unless MOVIE_ASSETS_IMAGES=on.

`tmdb.images` reads a response; sql/applications/images.sql decides which titles are due.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import dagster as dg
import sqlalchemy as sa

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, execute
from movie_assets.database.interrupts import run_until_done
from movie_assets.runs.metadata_tables import calls_table
from movie_assets.runs.run_log import log_work, logged
from movie_assets.runs.run_time import run_time_of
from movie_assets.tmdb.client import Tmdb, TmdbClient
from movie_assets.tmdb.concurrent_calls import responses
from movie_assets.tmdb.images import image_parameters, read_images
from movie_assets.tmdb.json_values import JsonObject, UnusableResponseError
from movie_assets.tmdb.media import ALL, MediaType
from movie_assets.tmdb.responses import CallCounts, Failed, Fetched, TmdbError, TmdbResponse
from movie_assets.tmdb.titles import IDS_OF_A_TYPE

CHUNK = 200  # titles in one transaction: the most that a killed run fetches again
MAX_FAILURES = 0.01  # share of the titles of a run
FAILURES_ALWAYS_ALLOWED = 2
STEP = "title_images"
OFF = "images are switched off: set MOVIE_ASSETS_IMAGES=on, which takes one call a title"


@dg.asset(group_name="catalogue", kinds={"python", "postgres"}, deps=["movie_details"], pool="tmdb_images")
@logged("fetched", "changed", "failed")
def title_images(
    context: dg.AssetExecutionContext,
    database: dg.ResourceParam[Database],
    tmdb: dg.ResourceParam[Tmdb],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """A poster, backdrop or logo of a title, in the languages of the settings or without words; off by default.

    With MOVIE_ASSETS_IMAGES=on it takes one call a title, and another one after 150 days or for a further language: a
    catalogue of 50,000 titles takes 50,000 calls at first, some 330 a day from then on. The first line of a run's log
    and `movie-assets cost` say how many calls are due. The three images with most votes of each kind and language are
    stored. Titles are committed in chunks, so that a killed run is continued by the next one.
    """
    if not settings.images:
        context.log.info(OFF)
        return dg.MaterializeResult(metadata={"state": OFF, "titles_due": 0})
    store = ImageStore(database, settings, run_time_of(context.run), context.run.run_id)
    due = images_due(database, settings, store.as_of)
    context.log.info(f"fetching the images of {len(due):,} titles that are due, with one call for each")
    problem = None
    try:
        if due:
            run_until_done(_fetch(tmdb, store, due))
    except TmdbError as error:
        problem = str(error)
    if store.failed > max(FAILURES_ALWAYS_ALLOWED, MAX_FAILURES * len(due)):
        problem = f"{store.failed:,} of {len(due):,} titles had no usable response, the last: {store.last_error}"
    metadata: dict[str, dg.MetadataValue[Any] | int] = {"titles_due": len(due), "calls": calls_table(store.calls)}
    if problem:
        raise dg.Failure(f"{problem}. What was fetched is kept; the next run continues.", metadata, allow_retries=False)
    return dg.MaterializeResult(metadata=metadata)


def images_due(database: Database, settings: Settings, as_of: datetime) -> list[int]:
    """Return the keys of the titles whose images are to be fetched, the most popular first."""
    return database.fetch_value(
        list, "images_due", as_of=as_of, media=list(settings.media_types), languages=list(settings.languages)
    )


@dataclass
class ImageStore:
    """Writes the images in responses to the database, a chunk in one transaction, and counts calls and failures."""

    database: Database
    settings: Settings
    as_of: datetime
    run_id: str
    calls: CallCounts = field(default_factory=CallCounts)
    failed: int = 0
    last_error: str = ""

    def store(self, responses: Sequence[TmdbResponse], media: MediaType) -> None:
        """Store a chunk of responses for titles of a media type."""
        titles, failures = [], []
        for response in responses:
            title_id = media.title_id(response.tmdb_id)
            try:
                titles.append({"title_id": title_id, "images": self._images_in(response)})
            except UnusableResponseError as error:
                self.last_error = str(error)[:500]
                failures.append({"title_id": title_id, "error": self.last_error})
        self.failed += len(failures)
        fetched, languages = json.dumps(titles), list(self.settings.languages)

        def work(connection: sa.Connection) -> None:
            execute(connection, "record_image_fetches", titles=fetched, languages=languages, as_of=self.as_of)
            execute(connection, "delete_images", titles=fetched)
            stored = execute(connection, "store_images", titles=fetched)
            execute(connection, "record_failed_images", failures=json.dumps(failures), as_of=self.as_of)
            log_work(connection, self.run_id, STEP, fetched=len(titles), changed=stored, failed=len(failures))

        self.database.once(work)

    def _images_in(self, response: TmdbResponse) -> list[dict[str, object]]:
        """Return the images in a response, none for a title that TMDB does not have. Raises UnusableResponseError."""
        if isinstance(response, Failed):
            raise UnusableResponseError(response.reason, response.sample)
        if not isinstance(response, Fetched):
            return []
        return [image._asdict() for image in read_images(response.body, self.settings.languages)]


async def _fetch(tmdb: Tmdb, store: ImageStore, due: Sequence[int]) -> None:
    """Fetch the images of titles, a media type after the other, and store them in chunks."""
    async with tmdb.session(store.run_id) as client:
        store.calls = client.calls
        for media in ALL:
            numbers = [title_id - media.first_title_id for title_id in due]
            ids = [number for number in numbers if 0 < number < IDS_OF_A_TYPE]
            fetch = partial(_images_of, client, media, store.settings.languages)
            for start in range(0, len(ids), CHUNK):
                chunk: list[TmdbResponse] = []
                try:
                    async for response in responses(ids[start : start + CHUNK], fetch):
                        chunk.append(response)  # noqa: PERF401  # what came before an error is stored
                except TmdbError:
                    # TMDB failed, not these titles: they stay due as they were.
                    chunk = [response for response in chunk if not isinstance(response, Failed)]
                    raise
                finally:
                    store.store(chunk, media)


async def _images_of(client: TmdbClient, media: MediaType, languages: Sequence[str], tmdb_id: int) -> JsonObject | None:
    return await client.json(f"{media.details_path(tmdb_id)}/images", image_parameters(languages))
