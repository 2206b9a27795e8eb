"""What an export that lacks ids deletes, what it only holds, and which lines delete nothing."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from movie_assets.emulator import faults
from movie_assets.emulator.faults import Fault
from movie_assets_tests.catalog.test_tmdb_export import ACCEPT_UNLIKE, message_of
from movie_assets_tests.conftest import failed_checks, figures, figures_of
from movie_assets_tests.support.small_pipelines import SmallPipeline, pipeline_on_copy, prepared_database
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]
Rewrite = Callable[[list[bytes]], list[bytes]]
IDS = [64 * n for n in range(1, 705)]
LOSS = "no_unusual_loss_of_ids"


def films() -> list[dict[str, Any]]:
    """704 films, sixteen of which belong in a catalogue; the others are too little known."""
    return [film(tmdb_id, popularity=5.0 if tmdb_id // 64 % 44 == 1 else 0.1) for tmdb_id in IDS]


@pytest.fixture(scope="module")
def first_day(server: str, template: str) -> Iterator[str]:
    """A catalogue after its first day."""
    with prepared_database(server, template, lambda make: make(*films()).run_all()) as name:
        yield name


@pytest.fixture
def catalogue(server: str, first_day: str) -> Iterator[SmallPipeline]:
    """A catalogue of 704 ids of which sixteen are films of the catalogue."""
    with pipeline_on_copy(server, first_day, *films()) as pipeline:
        assert len(pipeline.movies) == 16
        yield pipeline


def lose(pipeline: SmallPipeline, count: int, *, after: int = 0) -> list[int]:
    """Take ids out of the world, from the lowest on."""
    lost = sorted(pipeline.world.films)[after : after + count]
    for tmdb_id in lost:
        del pipeline.world.films[tmdb_id]
    return lost


def read_next_day(pipeline: SmallPipeline, config: dict[str, Any] | None = None) -> Any:
    pipeline.turn_day()
    result = pipeline.run("read_the_day", config=config)
    assert result.success
    return result


def alive(pipeline: SmallPipeline) -> int:
    return int(pipeline.one("select count(*) from pipeline.movie_ids where gone_since is null"))


def held(pipeline: SmallPipeline) -> list[int]:
    return pipeline.column("select tmdb_id from pipeline.ids_without_line order by 1")


def sent(monkeypatch: pytest.MonkeyPatch, pipeline: SmallPipeline, rewrite: Rewrite) -> None:
    """Have the emulator send other lines of the export."""

    def lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
        yield b"".join(rewrite(b"".join(pieces).splitlines(keepends=True)))

    monkeypatch.setitem(
        faults.FAULTS, "rewritten", Fault("export_lines", lambda pieces, _: lines(pieces), "other lines")
    )
    pipeline.serving.faults = {"rewritten": 1.0}


def on_lines_of(tmdb_id: int, old: bytes, new: bytes) -> Rewrite:
    """Replace bytes in the line of one id."""
    mark = b'"id":%d,' % tmdb_id
    return lambda lines: [line.replace(old, new) if mark in line else line for line in lines]


def test_an_unusual_loss_deletes_nothing_and_says_what_it_holds(catalogue: SmallPipeline) -> None:
    lost = lose(catalogue, 62)
    result = read_next_day(catalogue)
    assert alive(catalogue) == 704
    assert len(catalogue.movies) == 16
    assert held(catalogue) == lost
    assert failed_checks(result) == {LOSS}
    (message,) = [e.description for e in result.get_asset_check_evaluations() if e.check_name == LOSS]
    assert "movie_ids_10_06_2026.json.gz (the export of 2026-10-06) lost 62 of 704 known ids: 8.81%" in message
    assert "62 missing ids are held and none of them was deleted" in message
    assert figures(result, LOSS)["held"] == 62
    table = figures_of(result, "movie_ids")["ids_without_line"]
    assert [row["tmdb_id"] for row in table] == lost[:20]
    assert "missing since the export of 2026-10-06" in str(table[0]["reason"])


def test_a_loss_that_the_next_day_confirms_is_deleted_then(catalogue: SmallPipeline) -> None:
    lose(catalogue, 62)
    read_next_day(catalogue)
    result = read_next_day(catalogue)
    assert failed_checks(result) == set()
    assert alive(catalogue) == 642
    assert held(catalogue) == []
    assert len(catalogue.movies) == 14
    assert catalogue.state_of(64) == ("gone", "left_export")


def test_a_loss_that_the_next_day_makes_good_leaves_no_trace(catalogue: SmallPipeline) -> None:
    films = dict(catalogue.world.films)
    lose(catalogue, 62)
    read_next_day(catalogue)
    catalogue.world.films = films
    assert failed_checks(read_next_day(catalogue)) == set()
    assert (alive(catalogue), held(catalogue), len(catalogue.movies)) == (704, [], 16)
    catalogue.world.films = {tmdb_id: body for tmdb_id, body in films.items() if tmdb_id != 64}
    read_next_day(catalogue)
    assert catalogue.state_of(64) == ("gone", "left_export")


def test_only_ids_that_both_exports_lack_are_deleted(catalogue: SmallPipeline) -> None:
    films = dict(catalogue.world.films)
    first = lose(catalogue, 62)
    read_next_day(catalogue)
    catalogue.world.films = dict(films)
    second = lose(catalogue, 62, after=31)
    read_next_day(catalogue)
    assert held(catalogue) == second[31:]
    assert catalogue.column("select tmdb_id from pipeline.movie_ids where state = 'gone' order by 1") == first[31:]


@pytest.mark.parametrize("again", ["the same export", "no newer export"])
def test_the_export_of_one_day_confirms_nothing_by_being_read_twice(catalogue: SmallPipeline, again: str) -> None:
    lose(catalogue, 62)
    read_next_day(catalogue)
    if again == "no newer export":
        catalogue.day = catalogue.day.replace(day=catalogue.day.day + 1)
    result = catalogue.run("read_the_day")
    assert LOSS in failed_checks(result)
    assert (alive(catalogue), len(held(catalogue))) == (704, 62)


def test_a_person_can_accept_an_unusual_loss(catalogue: SmallPipeline) -> None:
    lose(catalogue, 62)
    read_next_day(catalogue)
    assert failed_checks(catalogue.run("read_the_day", config=ACCEPT_UNLIKE)) == set()
    assert (alive(catalogue), held(catalogue)) == (642, [])
    lose(catalogue, 62)  # what was accepted once is not usual from then on
    assert failed_checks(read_next_day(catalogue)) == {LOSS}


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_small_catalogue_loses_an_id_or_two_on_its_second_day(catalogue: SmallPipeline, lost: int) -> None:
    lose(catalogue, lost)
    assert failed_checks(read_next_day(catalogue)) == set()
    assert alive(catalogue) == 704 - lost


def test_after_days_without_a_load_as_many_days_of_losses_are_usual(catalogue: SmallPipeline) -> None:
    lose(catalogue, 7)
    catalogue.turn_day(9)
    assert failed_checks(catalogue.run("read_the_day")) == set()
    assert alive(catalogue) == 697


UNREADABLE = {
    "an id in quotes": (b'"id":64,', b'"id":"64",'),
    "an id with a fraction": (b'"id":64,', b'"id":64.0,'),
    "no JSON after the id": (b',"original_title"', b",original_title"),
    "a flag that is neither": (b'"adult":false', b'"adult":"False"'),
    "no flags": (b'"adult":false,', b""),
    "a line that is cut after the id": (b'"original_title":"Film 64","popularity":5.0,"video":false}', b'"origi'),
}


@pytest.mark.parametrize("change", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_line_that_shows_its_id_deletes_nothing(
    catalogue: SmallPipeline, monkeypatch: pytest.MonkeyPatch, change: tuple[bytes, bytes]
) -> None:
    sent(monkeypatch, catalogue, on_lines_of(64, *change))
    lose(catalogue, 1, after=1)
    result = read_next_day(catalogue)
    assert failed_checks(result) == set()
    assert figures_of(result, "tmdb_export")["rows_rejected"] == 1
    assert catalogue.state_of(64) == ("accepted", None)
    assert held(catalogue) == [64]
    assert catalogue.state_of(128) == ("gone", "left_export")  # the others are evaluated as usual
    assert catalogue.run("reconcile").success


def test_a_line_that_does_not_show_its_id_may_be_any_of_the_missing_ones(
    catalogue: SmallPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(lines: list[bytes]) -> list[bytes]:
        return [b'{"adult":false,"id":6\n' if b'"id":64,' in line else line for line in lines]

    sent(monkeypatch, catalogue, cut)
    lose(catalogue, 1, after=1)
    for _ in range(2):
        result = read_next_day(catalogue)
        assert failed_checks(result) == {LOSS}
        assert held(catalogue) == [64, 128]
        assert len(catalogue.movies) == 16
    catalogue.serving.faults = {}
    assert failed_checks(read_next_day(catalogue)) == set()
    assert held(catalogue) == []
    assert catalogue.state_of(64) == ("accepted", None)
    assert catalogue.state_of(128) == ("gone", "left_export")


def test_an_export_without_flags_is_refused_and_the_ids_stay(
    catalogue: SmallPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_flags(lines: list[bytes]) -> list[bytes]:
        return [line.replace(b'"adult":false,', b"").replace(b',"video":false', b"") for line in lines]

    sent(monkeypatch, catalogue, without_flags)
    catalogue.turn_day()
    for config in (None, ACCEPT_UNLIKE):
        result = catalogue.run("read_the_day", config=config)
        assert not result.success
        assert "movie_ids_10_06_2026.json.gz (the export of 2026-10-06): no adult/video flags" in message_of(result)
        assert "The 704 ids of the export of 2026-10-05 stay in use" in message_of(result)
        assert alive(catalogue) == 704


@pytest.mark.parametrize("flag", [b'"true"', b'"True"', b"1", b'" TRUE "', b"1.0"])
def test_a_flag_that_is_true_in_other_words_is_true(
    catalogue: SmallPipeline, monkeypatch: pytest.MonkeyPatch, flag: bytes
) -> None:
    sent(monkeypatch, catalogue, on_lines_of(64, b'"adult":false', b'"adult":' + flag))
    read_next_day(catalogue)
    assert catalogue.state_of(64) == ("rejected", "adult")
    assert 64 not in catalogue.movies


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("export_truncated", "arrived damaged 3 times (gzip ends early)"),
        ("export_html", "arrived damaged 3 times (HTML instead of gzip)"),
        ("export_corrupt", "arrived damaged 3 times (gzip is corrupt"),
        ("export_missing", "TMDB has no export of that day"),
    ],
)
def test_the_error_names_the_file_the_reason_and_what_is_kept(
    small: Make, monkeypatch: pytest.MonkeyPatch, fault: str, reason: str
) -> None:
    monkeypatch.setattr("movie_assets.http_client.retries.backoff", lambda *_: 0.01)
    pipeline = small(*(film(64 * n) for n in range(1, 41)))
    pipeline.run_all("read_the_day")
    pipeline.turn_day()
    pipeline.serving.faults = {fault: 1.0}
    message = message_of(pipeline.run("read_the_day"))
    assert "movie_ids_10_06_2026.json.gz" in message
    assert reason in message
    assert "The 40 ids of the export of 2026-10-05 stay in use" in message
