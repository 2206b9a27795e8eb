"""What applications read beside the truth of each day: lists, offers, images, events, exports, and the calls they take.

Lists and images are what the emulator answers, and offers what it answered to calls for details. The rules of
snapshots, of intervals and of the images that are stored are written out here once more.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.rehearsal.comparison import Differences

REGIONS = ("US", "GB")
LANGUAGES = ("en", "de")
PAGES = 3
IMAGES = {"posters": "poster", "backdrops": "backdrop", "logos": "logo"}  # kinds by the key of TMDB's response
MAX_IMAGES = 3  # of a kind and language
SERIES = 1_000_000_000  # a series' title_id is this and its id at TMDB
LISTS = {  # path at TMDB by media type and name of the list; those of countries are in LISTS_OF_COUNTRIES
    ("movie", "trending_day"): "trending/movie/day",
    ("movie", "trending_week"): "trending/movie/week",
    ("movie", "popular"): "movie/popular",
    ("movie", "top_rated"): "movie/top_rated",
    ("movie", "now_playing"): "movie/now_playing",
    ("movie", "upcoming"): "movie/upcoming",
    ("series", "trending_day"): "trending/tv/day",
    ("series", "trending_week"): "trending/tv/week",
    ("series", "popular"): "tv/popular",
    ("series", "top_rated"): "tv/top_rated",
    ("series", "airing_today"): "tv/airing_today",
    ("series", "on_the_air"): "tv/on_the_air",
}
LISTS_OF_COUNTRIES = {("movie", name) for name in ("popular", "top_rated", "now_playing", "upcoming")}
Offer = tuple[str, str, int]  # country, kind, provider
OfferRow = tuple[date | None, date, date, date | None]  # came, first seen, last seen, left


@dataclass
class ApplicationsDay:
    """What a day came to.

    `needed` is the number of pages that the lists which are due have, `images_needed` that of titles without images,
    and one for the sizes of images.
    """

    lists: int = 0
    listed: int = 0  # places in lists
    offers: int = 0  # intervals
    came: int = 0  # offers, on the day
    left: int = 0  # offers that were missed twice, on the day
    events: int = 0
    calls: int = 0  # for lists
    needed: int = 0
    images: int = 0
    image_calls: int = 0
    images_needed: int = 0
    differences: Differences = field(default_factory=Differences)


@dataclass
class Interval:
    """The time in which a provider had a title, as far as the fetches of the title showed it."""

    came: date | None
    first_seen: date
    last_seen: date
    missed: date | None = None
    left: date | None = None

    @property
    def row(self) -> OfferRow:
        """The interval as `catalog.offers` has it."""
        return self.came, self.first_seen, self.last_seen, self.left


@dataclass
class ApplicationsTruth:
    """Follows lists, offers, images and events from day to day; exports are written to `folder`."""

    emulator: TmdbEmulator
    media: Collection[str]
    folder: Path
    accepted: frozenset[int] = frozenset()  # title_ids
    offers: dict[int, dict[Offer, list[Interval]]] = field(default_factory=dict)
    images: dict[int, dict[str, tuple[Any, ...]]] = field(default_factory=dict)  # by title_id and path
    sequence: int = 0

    def live(
        self,
        connection: sa.Connection,
        day: date,
        requests: Mapping[str, Mapping[int, int]],
        accepted: frozenset[int],
        answers: Mapping[int, Any],
    ) -> ApplicationsDay:
        """Compare a day. `answers` has the part `watch/providers` of each response for details, by title_id."""
        lived, found = ApplicationsDay(), Differences()
        lived.differences = found
        self._lists(connection, day, requests, lived)
        before, self.accepted = self.accepted, accepted
        for title_id in before - accepted:
            self.offers.pop(title_id, None)
        for title_id in accepted & answers.keys():
            self._observe(title_id, day, set(_offers_in(answers[title_id])), lived)
        expected = {
            (title_id, *offer, n): interval.row
            for title_id, offers in self.offers.items()
            for offer, intervals in offers.items()
            for n, interval in enumerate(intervals)
        }
        lived.offers = len(expected)
        rows = connection.exec_driver_sql(
            "select title_id, country, kind, provider_id, row_number() over "
            "(partition by title_id, country, kind, provider_id order by first_seen) - 1, came, first_seen, last_seen, "
            '"left" from catalog.offers'
        )
        _compare("offers", {tuple(row[:5]): tuple(row[5:]) for row in rows}, expected, found)
        self._images(connection, requests, lived)
        self._events(connection, before, lived)
        self._export(day, found)
        return lived

    def _lists(
        self, connection: sa.Connection, day: date, requests: Mapping[str, Mapping[int, int]], lived: ApplicationsDay
    ) -> None:
        """Compare the snapshots of the day with the pages that TMDB has; the top rated are read on Mondays."""
        lived.calls = sum(
            sum(counts.values()) for name, counts in requests.items() if any(name.endswith(each) for each in NAMES)
        )
        expected = {}
        with self._client() as client:
            for (media, name), path in LISTS.items():
                if media not in self.media or (name == "top_rated" and day.weekday() and self.accepted):
                    continue
                for region in REGIONS if (media, name) in LISTS_OF_COUNTRIES else ("",):
                    pages = _pages(client, path, region)
                    lived.needed += len(pages)
                    ids = dict.fromkeys(each for page in pages for each in page)
                    expected[media, name, region] = [each + SERIES * (media == "series") for each in ids]
        rows = connection.exec_driver_sql(
            "select media_type, list, region, array_agg(title_id order by rank) filter (where rank is not null) "
            "from catalog.list_days left join catalog.list_snapshots using (media_type, list, region, day) "
            f"where day = '{day}' group by 1, 2, 3"
        )
        stored = {(media, name, region): ids or [] for media, name, region, ids in rows}
        lived.lists, lived.listed = len(expected), sum(map(len, expected.values()))
        _compare("list", stored, expected, lived.differences)

    def _images(
        self, connection: sa.Connection, requests: Mapping[str, Mapping[int, int]], lived: ApplicationsDay
    ) -> None:
        """Compare the images of all titles; a title is asked for once while it stays in the catalogue."""
        lived.image_calls = sum(sum(requests.get(name, {}).values()) for name in OF_IMAGES)
        lived.images_needed = 1 + len(self.accepted - self.images.keys())
        with self._client() as client:
            self.images = {i: self.images[i] if i in self.images else _images(client, i) for i in self.accepted}
        rows = connection.exec_driver_sql("select title_id, path, kind, language, position from catalog.title_images")
        expected = {(title_id, path): row for title_id, of in self.images.items() for path, row in of.items()}
        lived.images = len(expected)
        _compare("images", {tuple(row[:2]): tuple(row[2:]) for row in rows}, expected, lived.differences)

    def _export(self, day: date, found: Differences) -> None:
        """Compare the titles of the day's export with those of the catalogue."""
        folder = self.folder / str(day)
        manifest = json.loads((folder / "manifest.json").read_text())
        ids = [json.loads(line)["title_id"] for line in (folder / "titles.jsonl").read_text().splitlines()]
        if set(ids) != self.accepted or len(ids) != manifest["files"]["titles.parquet"]["rows"]:
            found.wrong += 1
            found.tell(f"the export of {day} has {len(ids)} titles, the catalogue {len(self.accepted)}")

    def _client(self) -> httpx.Client:
        return httpx.Client(base_url=self.emulator.tmdb_url, headers={"Authorization": "Bearer a-token"})

    def _observe(self, title_id: int, day: date, present: set[Offer], lived: ApplicationsDay) -> None:
        """Note what a response for details showed. An offer left when two in a row lack it, on the day of the first."""
        is_first = title_id not in self.offers
        known = self.offers.setdefault(title_id, {})
        for offer, intervals in known.items():
            newest = intervals[-1]
            if newest.left is not None:
                continue
            if offer in present:
                newest.last_seen, newest.missed = day, None
            elif newest.missed is None:
                newest.missed = day
            else:
                newest.left = newest.missed
                lived.left += 1
        for offer in present:
            intervals = known.setdefault(offer, [])
            if not intervals or intervals[-1].left is not None:
                intervals.append(Interval(None if is_first else day, day, day))
                lived.came += not is_first

    def _events(self, connection: sa.Connection, before: frozenset[int], lived: ApplicationsDay) -> None:
        """Compare what a reader with a cursor gets with what happened, and replay all events."""
        rows = (
            connection.exec_driver_sql(f"select * from catalog.events_after({self.sequence}, 1000000)").mappings().all()
        )
        sequences = [row["sequence"] for row in rows]
        lived.events = len(rows)
        found = lived.differences
        if sequences != list(range(self.sequence + 1, self.sequence + 1 + len(rows))):
            found.wrong += 1
            found.tell(f"the numbers of events after {self.sequence} have gaps")
        self.sequence = max([self.sequence, *sequences])
        net = Counter[int]()
        for row in rows:
            net[row["title_id"]] += {"added": 1, "left": -1}.get(row["kind"], 0)
        expected = Counter(dict.fromkeys(self.accepted - before, 1) | dict.fromkeys(before - self.accepted, -1))
        _compare("events", {i: n for i, n in net.items() if n}, expected, found)
        kinds = Counter(row["kind"] for row in rows)
        _compare("events", {k: kinds[k] for k in ("offer_came", "offer_left")},
                 {"offer_came": lived.came, "offer_left": lived.left}, found)  # fmt: skip
        titles, differing, examples = connection.exec_driver_sql("select * from pipeline.compare_events()").one()
        if differing or titles != len(self.accepted):
            found.wrong += 1
            found.tell(f"of {titles} titles {differing} are not what their events say: {examples}")


NAMES = ("popular", "top_rated", "now_playing", "upcoming", "trending", "airing_today", "on_the_air")  # of endpoints

OF_IMAGES = ("movie_part", "tv_part", "configuration")


def _images(client: httpx.Client, title_id: int) -> dict[str, tuple[Any, ...]]:
    """Kind, language and place of the images of a title that are stored, by path: of each the first three by votes."""
    path = f"tv/{title_id - SERIES}" if title_id > SERIES else f"movie/{title_id}"
    parameters = {"include_image_language": ",".join((*LANGUAGES, "null"))}
    body = client.get(f"/{path}/images", params=parameters).raise_for_status().json()
    stored: dict[str, tuple[Any, ...]] = {}
    for key, kind in IMAGES.items():
        places = Counter[str | None]()
        for image in sorted(
            body[key], key=lambda each: (-each["vote_average"], -each["vote_count"], each["file_path"])
        ):
            language = image["iso_639_1"]
            places[language] += 1
            if places[language] <= MAX_IMAGES:
                stored[image["file_path"]] = (kind, language, places[language])
    return stored


def _pages(client: httpx.Client, path: str, region: str) -> list[list[int]]:
    """The ids on the first pages of a list, without those of adult titles."""
    pages: list[list[int]] = []
    for number in range(1, PAGES + 1):
        of_region = {"region": region} if region else {}
        body = client.get(f"/{path}", params={"page": str(number), **of_region}).raise_for_status().json()
        pages.append([entry["id"] for entry in body["results"] if not (entry["adult"] or entry["softcore"])])
        if number >= body["total_pages"]:
            break
    return pages


def _offers_in(answer: Any) -> Iterator[Offer]:
    for country, kinds in answer["results"].items():
        if country in REGIONS:
            for kind, providers in kinds.items():
                if kind != "link":
                    yield from ((country, kind, provider["provider_id"]) for provider in providers)


def _compare(name: str, stored: Mapping[Any, Any], expected: Mapping[Any, Any], found: Differences) -> None:
    for key in sorted(stored.keys() | expected.keys(), key=str):
        if stored.get(key) != expected.get(key):
            found.wrong += 1
            found.tell(f"{name} {key} is {stored.get(key)}, not {expected.get(key)}")
