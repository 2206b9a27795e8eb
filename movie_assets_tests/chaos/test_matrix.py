"""The matrix itself: no row without a test, no test's name that is not one, and a report that can say no."""

import subprocess
import sys
from pathlib import Path

import pytest

from movie_assets_tests.chaos.__main__ import (
    TESTS,
    Outcome,
    Recorder,
    Row,
    figures_of,
    main,
    markdown,
    name_of,
    result_of,
    rows,
    unknown_tests,
)

NONE = "\N{EN DASH}"
ROW = Row("F1", "a fault", "nothing", "C", ("a.py::test_one[", "b.py::test_two"))
RUN = {
    "rows": 1,
    "tests": 1,
    "failed": 0,
    "seconds": 1,
    "cores": 2,
    "machine": "m",
    "day": "d",
    "load": 1.0,
    "commit": "a",
}


def test_every_fault_and_every_bad_input_has_a_row_with_tests() -> None:
    matrix = rows()
    numbers = [row.number for row in matrix]
    assert {*(f"F{n}" for n in range(1, 45)), *(f"B{n}" for n in range(1, 43))} <= set(numbers)
    assert len(numbers) == len(set(numbers))
    assert all(row.tests for row in matrix)


def test_every_test_that_a_row_names_exists() -> None:
    files = sorted({str(TESTS / test.partition("::")[0]) for row in rows() for test in row.tests})
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "", "-p", "no:cacheprovider", *files],
        capture_output=True, text=True, check=True, cwd=TESTS.parent,
    )  # fmt: skip
    names = [name_of(line) for line in listed.stdout.splitlines() if "::" in line]
    assert unknown_tests(rows(), names) == []


def test_a_row_is_survived_only_when_all_of_its_tests_pass() -> None:
    good, bad, skipped = Outcome("passed"), Outcome("failed", "why"), Outcome("skipped", "no root")
    assert result_of(ROW, {"a.py::test_one[x]": good, "b.py::test_two": good})["survived"]
    failed = result_of(ROW, {"a.py::test_one[x]": good, "b.py::test_two": bad, "c.py::test_other": bad})
    assert (failed["survived"], failed["failures"], failed["tests"]) == (False, ["b.py::test_two"], 2)
    assert not result_of(ROW, {"a.py::test_one[x]": skipped})["survived"]
    assert not result_of(ROW, {})["survived"]
    assert not result_of(ROW, {"a.py::test_one[x]": good, "b.py::test_two": Outcome()})["survived"]


def test_failures_and_reasons_for_skipping_are_written() -> None:
    outcomes = {"a.py::test_one[x]": Outcome("failed", "why"), "b.py::test_two": Outcome("skipped", "no root here")}
    report = {"run": RUN, "rows": [result_of(ROW, outcomes)], "figures": []}
    assert "**no**: a.py::test_one[x]; 1 skipped: no root here" in markdown(report)


def test_a_stage_whose_test_ended_before_its_figures_is_in_the_table() -> None:
    row = Row("F1", "a fault", "nothing", "C", ("chaos/a.py::test_one[",))
    name = "chaos/a.py::test_one[export]"
    assert figures_of(name, Outcome("passed"), [row]) == []
    for outcome, shown in (("failed", "**no**"), ("skipped", "skipped"), ("not run", "**no**")):
        report = {"run": RUN, "rows": [], "figures": figures_of(name, Outcome(outcome), [row])}
        assert f"| F1 {name} |  | {shown} | {NONE} | {NONE} |" in markdown(report)


def test_figures_are_told_with_their_row() -> None:
    figures = dict.fromkeys(("lost", "duplicated", "wrong", "secrets"), 0) | {
        "fault": "429s", "stage": "details", "details_asked": 1.25, "texts_paid": 1.0, "seconds": 2.0
    }  # fmt: skip
    row = Row("F1", "a fault", "nothing", "C", ("chaos/a.py::test_one[",))
    found = figures_of("chaos/a.py::test_one[x]", Outcome("passed", figures=[figures]), [row])
    assert "| F1 429s | details | yes | 0 | 0 | 0 | 0 | 1.25 | 1.00 | 2.0 |" in markdown(
        {"run": RUN, "rows": [], "figures": found}
    )


def test_a_collected_test_without_a_report_counts_as_not_run(tmp_path: Path) -> None:
    recorder = Recorder([Row("F1", "a fault", "nothing", "C", ("test_a.py::",))])
    body = "def test_one(): pass\ndef test_two(): raise KeyboardInterrupt\ndef test_three(): pass\n"
    tests = tmp_path / TESTS.name / "test_a.py"
    tests.parent.mkdir()
    tests.write_text(body)
    options = ["-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", str(tmp_path)]
    assert pytest.main([*options, str(tests)], plugins=[recorder]) == pytest.ExitCode.INTERRUPTED
    assert [outcome.outcome for outcome in recorder.outcomes.values()] == ["passed", "not run", "not run"]
    report = {"run": RUN, "rows": [result_of(row, recorder.outcomes) for row in recorder.matrix], "figures": []}
    assert "| 2 not run |" in markdown(report)


def test_an_interrupted_run_leaves_the_report_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("movie_assets_tests.chaos.__main__.REPORT", tmp_path / "fault_matrix")
    monkeypatch.setattr(pytest, "main", lambda *_, **__: pytest.ExitCode.INTERRUPTED)
    assert main() == 2
    assert list(tmp_path.iterdir()) == []


def test_the_command_loads_nothing_that_pytest_has_yet_to_rewrite() -> None:
    loads = "import sys, movie_assets_tests.chaos.__main__; sys.exit('anyio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loads], cwd=TESTS.parent, check=False).returncode == 0


def test_names_that_are_no_tests_are_found() -> None:
    assert unknown_tests([ROW], ["a.py::test_one[x]"]) == ["b.py::test_two"]
    assert Recorder([ROW]).outcomes == {}
