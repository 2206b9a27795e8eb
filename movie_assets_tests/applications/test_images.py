"""Images of movies and series by language: what is stored, what it costs in calls, and the addresses of images."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from movie_assets.tmdb.images import MAX_OF_A_LANGUAGE, read_image_sizes, read_images
from movie_assets.tmdb.json_values import UnusableResponseError
from movie_assets_tests.conftest import database_of_ones_own, failed_checks, figures_of
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.series_runs import FewSeries
from movie_assets_tests.support.small_pipelines import SmallPipeline, small_pipelines
from movie_assets_tests.support.world import film
from movie_assets_tests.tmdb.tmdb_calls import shorten_waits

SERIES_FROM = 1_000_000_000
STORED = "select path from catalog.title_images where title_id = {} order by kind, language nulls last, position"
LOCALIZED = "select poster_path, poster_language from catalog.localized('{{{}}}', '{{{}}}')"


def image(path: str | None, language: str | None, average: float = 0.0, votes: int = 0) -> dict[str, Any]:
    return {
        "file_path": path, "iso_639_1": language, "iso_3166_1": None, "vote_average": average, "vote_count": votes,
        "width": 2000, "height": 3000, "aspect_ratio": 0.667,
    }  # fmt: skip


POSTERS = {
    "posters": [
        image("/en2.jpg", "en", 5.1, 3), image("/en1.jpg", "en", 5.1, 9), image("/plain.jpg", None, 9.0, 1),
        image("/de.jpg", "de"), image("/fr.jpg", "fr", 9.9, 50),
    ],
    "backdrops": [image("/wide.jpg", None)],
    "logos": [image("/logo.svg", "de"), image(None, "de"), image("/logo.svg", "de")],
}  # fmt: skip
IN_ENGLISH = ["/wide.jpg", "/en1.jpg", "/en2.jpg", "/plain.jpg"]
IN_GERMAN = ["/wide.jpg", "/logo.svg", "/de.jpg", "/plain.jpg"]


@pytest.fixture(scope="module")
def images(server: str, template: str) -> Iterator[SmallPipeline]:
    """A catalogue of movies 1, 2 and 3 and series 1; TMDB has two of the movies, and the series."""
    series = FewSeries()
    series.put(1, [], images={**POSTERS, "logos": []})
    with (
        database_of_ones_own(server, template) as database,
        small_pipelines(database, series=series) as small,  # type: ignore[arg-type]  # it has what images need
    ):
        pipeline = small(film(1, images=POSTERS), film(2, images={"posters": [], "backdrops": [], "logos": []}))
        put_films(database, 1, 3)
        put_films(database, SERIES_FROM + 1, SERIES_FROM + 1)
        pipeline.do("update catalog.titles set poster_path = '/en2.jpg' where title_id = 1")
        pipeline.do("update catalog.titles set poster_path = '/shown.jpg' where title_id <> 1")
        yield pipeline


@pytest.fixture
def run(images: SmallPipeline, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Run the job with settings, and return its result."""
    shorten_waits(monkeypatch)

    def one(*, succeeds: bool = True, **settings: Any) -> Any:
        images.with_settings(media="movies series", **settings)
        images.serving.reset_counts()
        result = images.run("read_images")
        assert result.success is succeeds
        return result

    images.do("delete from pipeline.title_image_fetches")
    yield one
    images.serving.faults = {}


def calls(images: SmallPipeline) -> int:
    """Calls for images of movies and series since the counts were reset."""
    requests = images.serving.requests
    return sum(sum(requests[kind].values()) for kind in requests if "part" in kind)


def test_images_take_one_call_a_title_and_only_if_they_are_switched_on(images: SmallPipeline, run: Any) -> None:
    assert figures_of(run(), "title_images")["titles_due"] == 0
    assert (calls(images), images.one("select count(*) from catalog.title_images")) == (0, 0)
    figures = figures_of(run(images="on"), "title_images")
    assert (figures["titles_due"], figures["fetched"], figures["changed"], calls(images)) == (4, 4, 8, 4)
    assert images.column(STORED.format(1)) == IN_ENGLISH
    assert images.column(STORED.format(SERIES_FROM + 1)) == IN_ENGLISH
    run(images="on")
    assert calls(images) == 0
    images.turn_day(149)
    run(images="on")
    assert calls(images) == 0
    images.turn_day()
    run(images="on")
    assert calls(images) == 4
    run(images="on", languages="de")
    assert (calls(images), images.column(STORED.format(1))) == (4, IN_GERMAN)


def test_a_poster_is_in_the_first_language_that_has_one(images: SmallPipeline, run: Any) -> None:
    def poster(title_id: int, languages: str) -> tuple[str, str | None]:
        with images.database.transaction() as connection:
            return tuple(connection.exec_driver_sql(LOCALIZED.format(title_id, languages)).one())

    assert poster(1, "de") == ("/en2.jpg", None)
    run(images="on", languages="en de")
    assert poster(1, "de") == poster(1, "xx,de-AT") == ("/de.jpg", "de")
    assert poster(1, "en") == poster(1, "fr") == ("/en2.jpg", "en")  # the one that TMDB shows
    assert poster(SERIES_FROM + 1, "en") == ("/en1.jpg", "en")
    assert poster(2, "de") == ("/shown.jpg", None)
    images.do("update catalog.titles set overview = 'A plot.'")
    counted = images.check(dg.AssetCheckKey(dg.AssetKey("reconciliation"), "texts_are_in_all_languages"))
    (evaluation,) = counted.get_asset_check_evaluations()
    assert "; 1 of 3 titles (movie) with fetched images have a poster in de" in str(evaluation.description)
    assert "poster in en" in str(evaluation.description)
    card = images.one("select short_payload from catalog.cards('{1}', 'de')")
    assert card["poster_path"] == "/de.jpg"
    assert images.one("select payload -> 'languages' ->> 'poster' from catalog.cards('{1}', 'de')") == "de"


def test_titles_without_a_usable_response_are_asked_for_again_later(images: SmallPipeline, run: Any) -> None:
    images.serving.faults = {"null": 1.0}
    assert "4 of 4 titles had no usable response" in str(run(images="on", succeeds=False).all_events)
    due = f"next_attempt_at - timestamptz '{images.day} 12:00+00' = interval '1 hour'"
    assert images.column(f"select attempts from pipeline.title_image_fetches where {due}") == [1] * 4
    images.serving.faults = {}
    run(images="on")
    assert calls(images) == 0
    images.turn_day()
    run(images="on")
    assert (calls(images), images.column(STORED.format(1))) == (4, IN_ENGLISH)
    # The images of before stay while TMDB refuses the token, and go before they are six months old.
    images.turn_day(150)
    images.serving.faults = {"401": 1.0}
    assert "check TMDB_API_TOKEN" in str(run(images="on", succeeds=False).all_events)
    assert images.column(STORED.format(1)) == IN_ENGLISH
    assert images.one("select max(attempts) from pipeline.title_image_fetches") == 0
    newest = "(select max(fetched_at) from pipeline.title_image_fetches)"
    images.do(f"select pipeline.purge_expired({newest} + interval '179 days')")
    assert images.column(STORED.format(1)) == IN_ENGLISH
    images.do(f"select pipeline.purge_expired({newest} + interval '180 days')")
    assert images.column(STORED.format(1)) == []


def test_an_address_has_a_size_that_tmdb_has(images: SmallPipeline, run: Any) -> None:
    def url(path: str, size: str) -> Any:
        return images.one(f"select catalog.image_url({path}, '{size}')")

    images.do("insert into catalog.image_sizes values ('poster', 'w9', 9, 'https://old.example/')")
    images.do("update catalog.image_sizes set base_url = 'https://old.example/'")
    assert url("'/a.jpg'", "w342") == "https://old.example/w342/a.jpg"
    assert failed_checks(run()) == set()
    assert url("'/a.jpg'", "w342") == "https://image.tmdb.org/t/p/w342/a.jpg"
    assert (url("'/a.jpg'", "w9"), url("null", "w342")) == (None, None)
    images.serving.faults = {"null": 1.0}
    assert "The sizes of before stay in use" in str(run(succeeds=False).all_events)
    assert url("'/a.jpg'", "original") == "https://image.tmdb.org/t/p/original/a.jpg"
    images.do("update catalog.image_sizes set read_at = read_at - interval '55 hours'")
    check = dg.AssetCheckKey(dg.AssetKey("tmdb_configuration"), "image_sizes_are_current")
    assert failed_checks(images.check(check)) == {"image_sizes_are_current"}


def test_images_are_sorted_by_their_votes_within_kind_and_language() -> None:
    many = [image(f"/{n}.jpg", language, n) for n in range(5) for language in ("en", "de")]
    read = read_images({"posters": many, "backdrops": "none"}, ["en"])
    assert [each.path for each in read] == ["/4.jpg", "/3.jpg", "/2.jpg"]
    assert [each.position for each in read] == [*range(1, MAX_OF_A_LANGUAGE + 1)]
    for body in ({"id": 1}, {"posters": None}, {"success": False}):
        with pytest.raises(UnusableResponseError, match="no images"):
            read_images(body, ["en"])


SIZES = {f"{kind}_sizes": ["w92", "original"] for kind in ("backdrop", "logo", "poster", "profile", "still")}


@pytest.mark.parametrize(
    "changes", [{"secure_base_url": None}, {"secure_base_url": "http://x/"}, {"still_sizes": []}, {"logo_sizes": "w1"}]
)
def test_a_configuration_without_an_address_or_sizes_is_refused(changes: dict[str, Any]) -> None:
    images = {"secure_base_url": "https://x/", **SIZES}
    assert len(read_image_sizes({"images": images})) == 10
    with pytest.raises(UnusableResponseError):
        read_image_sizes({"images": images | changes})
