"""Every kind of odd answer and odd export line, run through the pipeline, and the state in which each of them ends.

The table itself is `odd_answers`. What the single readers do with odd values is in the tests of `core`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from movie_assets.emulator import faults
from movie_assets.emulator.faults import Fault
from movie_assets.tmdb.json_values import read_json
from movie_assets.tmdb.movies import read_movie
from movie_assets_tests.conftest import database_of_ones_own
from movie_assets_tests.support.odd_answers import ACCEPTED, ODD, ODD_LINES, Odd, OddLine, State, line
from movie_assets_tests.support.small_pipelines import SmallPipeline, small_pipelines
from movie_assets_tests.support.world import film
from movie_assets_tests.tmdb.tmdb_calls import shorten_waits

ALL_BATCHES = ("batch_00", "batch_63")
FIRST_FILLER = 20_000
FILLERS = 1_500  # usual lines: an export of which one line in a hundred cannot be read is refused
IDS = {odd.name: number for number, odd in enumerate(ODD, start=1)}


@dataclass(frozen=True)
class Ran:
    """What the pipeline made of the table under `quality`; it has since let in whatever can be let in."""

    pipeline: SmallPipeline
    states: Mapping[int, State]
    movies: frozenset[int]


@pytest.fixture(scope="module")
def ran(server: str, template: str) -> Iterator[Ran]:
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        database_of_ones_own(server, template) as database,
        small_pipelines(database) as small,
    ):
        shorten_waits(monkeypatch)
        fault = Fault("export_lines", lambda pieces, _: with_odd_lines(pieces), "odd lines at the end of the export")
        monkeypatch.setitem(faults.FAULTS, "odd_lines", fault)
        pipeline = small(*(film(IDS[odd.name], **odd.listed) for odd in ODD))
        pipeline.world.responses = {IDS[odd.name]: odd.body(IDS[odd.name]) for odd in ODD}
        pipeline.serving.faults = {"odd_lines": 1.0}
        pipeline.run_all("read_the_day")
        assert pipeline.run("fetch_details", batches=ALL_BATCHES).success
        states, movies = states_of(pipeline), frozenset(pipeline.movies)
        asks_for_nothing(pipeline)
        pipeline.do("delete from pipeline.discovered")  # else its votes count, as newer than those of stored answers
        assert pipeline.run("fetch_details", batches=ALL_BATCHES).success
        yield Ran(pipeline, states, movies)


def with_odd_lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield from pieces
    yield b"".join(line(FIRST_FILLER + n, popularity=0.1) + b"\n" for n in range(FILLERS))
    yield b"\n".join(odd.line for odd in ODD_LINES)


def asks_for_nothing(pipeline: SmallPipeline) -> None:
    """Change the profile to one that only turns away what is never wanted."""
    pipeline.with_profile(
        min_vote_count=0, min_vote_average=0.0, released_since=None, min_runtime=0, max_runtime=None, languages=()
    )


def states_of(pipeline: SmallPipeline) -> dict[int, State]:
    with pipeline.database.transaction() as connection:
        rows = connection.exec_driver_sql("select tmdb_id, state, reason from pipeline.movie_ids")
        return {row.tmdb_id: (row.state, row.reason) for row in rows}


def held(pipeline: SmallPipeline, tmdb_id: int, expressions: Mapping[str, Any]) -> dict[str, Any]:
    """What the catalogue has of a film."""
    columns = ", ".join(["m.tmdb_id", *expressions])
    with pipeline.database.transaction() as connection:
        row = connection.exec_driver_sql(
            f"select {columns} from catalog.movies m join catalog.movie_stats s using (tmdb_id) "
            f"where m.tmdb_id = {tmdb_id}"
        ).one()
    return dict(zip(expressions, tuple(row)[1:], strict=True))


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.name)
def test_an_odd_answer_ends_in_the_state_it_should(ran: Ran, odd: Odd) -> None:
    assert ran.states[IDS[odd.name]] == odd.ends
    assert (IDS[odd.name] in ran.movies) == (odd.ends == ACCEPTED)


@pytest.mark.parametrize(
    "odd", [odd for odd in ODD if odd.name.startswith(("B14 ", "B15 a 404"))], ids=lambda odd: odd.name
)
def test_an_answer_that_is_no_film_is_asked_for_three_times(ran: Ran, odd: Odd) -> None:
    assert ran.pipeline.world.asked[IDS[odd.name]] == 3


@pytest.mark.parametrize("odd", [odd for odd in ODD if odd.holds is not None], ids=lambda odd: odd.name)
def test_what_is_odd_is_held_as_it_should(ran: Ran, odd: Odd) -> None:
    assert odd.holds is not None
    assert held(ran.pipeline, IDS[odd.name], odd.holds) == odd.holds


@pytest.mark.parametrize("odd", [odd for odd in ODD if odd.ends[0] != "failed"], ids=lambda odd: odd.name)
def test_what_is_repaired_is_noted(odd: Odd) -> None:
    assert read_movie(read_json(odd.body(IDS[odd.name])), IDS[odd.name]).repairs == odd.noted


@pytest.mark.parametrize("odd", [odd for odd in ODD if odd.holds is None], ids=lambda odd: odd.name)
def test_what_can_never_be_let_in_stays_out(ran: Ran, odd: Odd) -> None:
    assert IDS[odd.name] not in ran.pipeline.movies


@pytest.mark.parametrize("odd", [odd for odd in ODD if odd.ends[0] == "failed"], ids=lambda odd: odd.name)
def test_an_answer_that_is_no_film_is_kept_as_a_reject_with_its_reason_and_run(ran: Ran, odd: Odd) -> None:
    with ran.pipeline.database.transaction() as connection:
        reject = connection.exec_driver_sql(
            f"select * from pipeline.rejects where stage = 'movie_details' and tmdb_id = {IDS[odd.name]} limit 1"
        ).one()
    assert reject.reason == odd.ends[1]
    assert 0 < len(reject.sample) <= 500
    assert reject.run_id


@pytest.mark.parametrize("odd", [odd for odd in ODD_LINES if odd.ends], ids=lambda odd: odd.name)
def test_an_odd_line_that_names_an_id_is_taken(ran: Ran, odd: OddLine) -> None:
    assert odd.tmdb_id is not None
    assert ran.states[odd.tmdb_id] == odd.ends


@pytest.mark.parametrize("odd", [odd for odd in ODD_LINES if odd.refused_as], ids=lambda odd: odd.name)
def test_an_odd_line_that_names_none_is_refused_with_its_reason(ran: Ran, odd: OddLine) -> None:
    refused = ran.pipeline.column(
        f"select reason from pipeline.rejects where stage = 'tmdb_export' and sample = $${odd.line.decode()}$$"
    )
    assert refused == [odd.refused_as]


def test_nothing_but_the_table_and_usual_lines_has_a_state(ran: Ran) -> None:
    taken = {odd.tmdb_id for odd in ODD_LINES if odd.tmdb_id}
    assert ran.states.keys() == {*IDS.values(), *taken, *range(FIRST_FILLER, FIRST_FILLER + FILLERS)}


def test_odd_lines_are_counted(ran: Ran) -> None:
    with ran.pipeline.database.transaction() as connection:
        counts = connection.exec_driver_sql("select lines, rejected_lines, duplicate_lines from pipeline.exports").one()
    assert tuple(counts) == (len(ran.states), sum(odd.refused_as is not None for odd in ODD_LINES), 1)


def test_names_of_oddities_are_unique() -> None:
    assert len(IDS) == len(ODD)
    assert len({odd.name for odd in ODD_LINES}) == len(ODD_LINES)
