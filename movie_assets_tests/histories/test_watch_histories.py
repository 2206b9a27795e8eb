"""The asset: an inbox of exports, and names that wait until the catalogue has their films."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from movie_assets_tests.conftest import failed_checks
from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]
RATINGS = "Date,Name,Year,Letterboxd URI,Rating\n"
CHECK = "every_file_in_the_inbox_is_imported"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox" / "ann").mkdir(parents=True)
    return tmp_path / "inbox"


def live(pipeline: SmallPipeline) -> list[Any]:
    """Run a day, then the job recommend; return the results."""
    return [*pipeline.run_all(), *pipeline.run_all("recommend")]


def metadata_of(results: list[Any]) -> dict[str, Any]:
    """Return the metadata of the asset in the last of some runs."""
    events = results[-1].get_asset_materialization_events()
    (event,) = [e for e in events if e.asset_key.to_user_string() == "watch_histories"]
    metadata = event.step_materialization_data.materialization.metadata
    return {name: value.value for name, value in metadata.items()}


def histories(pipeline: SmallPipeline) -> list[str]:
    return pipeline.column(
        "select concat_ws(' ', person, tmdb_id, rating) from catalog.watch_histories order by person, tmdb_id"
    )


def test_without_an_inbox_nothing_is_read(small: Make) -> None:
    pipeline = small(film(64))
    figures = metadata_of(live(pipeline))
    assert (figures["files_imported"], figures["dagster/row_count"]) == (0, 0)


def test_each_new_file_of_the_inbox_is_imported_once_and_for_its_person(small: Make, inbox: Path) -> None:
    pipeline = small(film(64), film(65))
    pipeline.with_settings(inbox=inbox)
    (inbox / "ann" / "ratings.csv").write_text(RATINGS + "2026-01-01,Film 64,2020,u1,4\n")
    (inbox / "ratings.csv").write_text(RATINGS + "2026-01-01,Film 65,2020,u2,3\n2026-01-01,Film 66,2020,u3,2\n")
    figures = metadata_of(live(pipeline))
    assert (figures["files_imported"], figures["rows_in"], figures["rows_out"], figures["people"]) == (2, 3, 2, 2)
    assert (figures["names_unknown"] + figures["reviews_open"], figures["rejected"]) == (1, 0)
    assert histories(pipeline) == ["ann 64 80", "me 65 60"]
    figures = metadata_of(live(pipeline))
    assert (figures["files_imported"], figures["files_known"], figures["rows_out"]) == (0, 2, 0)


def test_a_film_that_comes_into_the_catalogue_joins_the_histories_that_waited(small: Make, inbox: Path) -> None:
    pipeline = small(film(64))
    pipeline.with_settings(inbox=inbox)
    (inbox / "ratings.csv").write_text(RATINGS + "2026-01-01,The Late Lighthouse,2020,u3,2\n")
    live(pipeline)
    assert histories(pipeline) == []
    pipeline.world.put(film(66, title="The Late Lighthouse"))
    pipeline.turn_day()
    assert metadata_of(live(pipeline))["histories_found_later"] == 1
    assert histories(pipeline) == ["me 66 40"]


def test_of_several_exports_the_newest_counts(small: Make, inbox: Path) -> None:
    pipeline = small(film(64))
    pipeline.with_settings(inbox=inbox)
    for name, rating, as_of in (("a-new.csv", 5, 2_000_000_000), ("b-old.csv", 1, 1_000_000_000)):
        (inbox / name).write_text(RATINGS + f"2026-01-01,Film 64,2020,u1,{rating}\n")
        os.utime(inbox / name, (as_of, as_of))
    live(pipeline)
    live(pipeline)
    assert histories(pipeline) == ["me 64 100"]


def test_a_file_that_is_refused_stops_no_other_and_is_reported(small: Make, inbox: Path) -> None:
    pipeline = small(film(64))
    pipeline.with_settings(inbox=inbox)
    (inbox / "ann" / "broken.csv").write_text("what,is,this\n")
    (inbox / "ratings.csv").write_text(RATINGS + "2026-01-01,Film 64,2020,u1,4\n")
    results = live(pipeline)
    assert CHECK in failed_checks(results[-1])
    assert histories(pipeline) == ["me 64 80"]


def test_a_missing_inbox_is_reported(small: Make, inbox: Path) -> None:
    pipeline = small(film(64))
    pipeline.with_settings(inbox=inbox / "nowhere")
    assert CHECK in failed_checks(live(pipeline)[-1])
