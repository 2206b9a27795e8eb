"""`make chaos`: run every test that the fault matrix names, and write what came of it as Markdown and JSON.

A row is survived when all of its tests pass; a row that names a test that does not exist is an error.
"""

import json
import signal
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from movie_assets_tests.circumstances import circumstances

LONGEST = 40 * 60.0  # seconds; on two cores that nothing else uses it takes two thirds of that
LONGEST_TEST = 5 * 60  # seconds, with what it has to set up
TESTS = Path(__file__).parents[1]
CHECKOUT = TESTS.parent
REPORT = CHECKOUT / "docs" / "fault_matrix"
FIGURES = {
    "lost": "d", "duplicated": "d", "wrong": "d", "secrets": "d", "details_asked": ".2f", "texts_paid": ".2f",
    "seconds": ".1f",
}  # fmt: skip
FIGURES_HEAD = (
    f"| fault | stage | survived | {' | '.join(FIGURES)} |".replace("_", " "),
    f"|---|---|---{'|--:' * len(FIGURES)}|",
)
INTRODUCTION = """# The fault matrix

Written by `make chaos`; how to read it is in [reliability.md](reliability.md). {rows} rows, {tests} tests,
{failed} failed, {seconds:,.0f} s on {cores} cores ({machine}), {day}, commit {commit}.
Load of the machine at the end: {load:.1f}.
"""
BY = (
    "C a fault of the emulator · P SQL · K a signal to a process · T a small disk · R a restart of the server · "
    "D a date · F a made file · S a body from the emulator · E a response of the embeddings service"
)


@dataclass(frozen=True)
class Row:
    """A fault or a bad input; `tests` are beginnings of node ids."""

    number: str
    what: str
    must: str
    by: str
    tests: tuple[str, ...]


def rows() -> list[Row]:
    """The matrix as it is written down."""
    written = tomllib.loads((Path(__file__).parent / "rows.toml").read_text(encoding="utf-8"))
    return [Row(number, row["what"], row["must"], row["by"], tuple(row["tests"])) for number, row in written.items()]


def name_of(node_id: str) -> str:
    """A node id as rows name it."""
    return node_id.partition(f"{TESTS.name}/")[2]


def unknown_tests(matrix: Sequence[Row], names: Sequence[str]) -> list[str]:
    """What rows name and no test is called."""
    return [test for row in matrix for test in row.tests if not any(name.startswith(test) for name in names)]


@dataclass
class Outcome:
    """What became of a test that was collected."""

    outcome: str = "not run"
    reason: str = ""
    seconds: float = 0.0
    figures: list[dict[str, Any]] = field(default_factory=list)


class Recorder:
    """Leaves out tests that no row names, and keeps what became of the others."""

    def __init__(self, matrix: Sequence[Row]) -> None:
        self.matrix = matrix
        self.until = time.monotonic() + LONGEST
        self.outcomes: dict[str, Outcome] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Run what the matrix names."""
        names = [name_of(item.nodeid) for item in items]
        if missing := unknown_tests(self.matrix, names):
            raise pytest.UsageError(f"the fault matrix names tests that do not exist: {', '.join(missing)}")
        beginnings = tuple(test for row in self.matrix for test in row.tests)
        items[:] = [item for item in items if name_of(item.nodeid).startswith(beginnings)]
        self.outcomes = {name_of(item.nodeid): Outcome() for item in items}

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin nothing more when the time is up; the row is not survived then."""
        if time.monotonic() > self.until:
            pytest.fail(
                f"{LONGEST / 60:.0f} minutes were up before {item.name}; run again on a machine that is less busy"
            )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Fail a test that hangs."""

        def give_up(*_: object) -> None:
            pytest.fail(f"{item.name} still ran after {LONGEST_TEST} s")

        before = signal.signal(signal.SIGALRM, give_up)
        signal.alarm(LONGEST_TEST)
        try:
            return (yield)
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, before)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep a phase of a test; the worst phase counts."""
        kept = self.outcomes[name_of(report.nodeid)]
        kept.seconds += report.duration
        if report.failed or (report.skipped and kept.outcome != "failed"):
            kept.outcome = report.outcome
            kept.reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext)[-400:]
        if report.when == "call":
            kept.outcome = report.outcome
            kept.figures += [cast("Any", given) for name, given in report.user_properties if name == "figures"]


def result_of(row: Row, outcomes: dict[str, Outcome]) -> dict[str, Any]:
    """A row with what became of its tests."""
    mine = {name: outcome for name, outcome in outcomes.items() if name.startswith(row.tests)}
    kinds = ("passed", "failed", "skipped", "not run")
    counts = {kind: sum(o.outcome == kind for o in mine.values()) for kind in kinds}
    return {
        "number": row.number, "what": row.what, "must": row.must, "by": row.by,
        "survived": bool(counts["passed"]) and not counts["failed"] and not counts["not run"],
        "tests": len(mine), **counts, "names": list(mine),
        "failures": [name for name, outcome in mine.items() if outcome.outcome == "failed"],
        "skips": sorted({outcome.reason for outcome in mine.values() if outcome.outcome == "skipped"}),
    }  # fmt: skip


def figures_of(name: str, outcome: Outcome, matrix: Sequence[Row]) -> list[dict[str, Any]]:
    """A test's lines of the table of faults by stage; one without figures where it ended before it had any."""
    number = next(row.number for row in matrix if name.startswith(row.tests))
    survived = {"outcome": outcome.outcome, "survived": outcome.outcome == "passed"}
    if not outcome.figures and outcome.outcome != "passed" and name.startswith("chaos/"):
        return [dict.fromkeys(FIGURES) | {"fault": f"{number} {name}", "stage": "", **survived}]
    return [
        {**figures, "fault": figures["fault"] if figures["fault"].startswith("F") else f"{number} {figures['fault']}"}
        | survived
        for figures in outcome.figures
    ]


def markdown(report: dict[str, Any]) -> str:
    """The report to read."""
    inputs = [row for row in report["rows"] if row["number"].startswith("B")]
    faults = [row for row in report["rows"] if row not in inputs]
    parts = [
        INTRODUCTION.format(**report["run"]),
        "## Faults by stage: the end against the truth",
        "",
        *FIGURES_HEAD,
        *(_figures(figures) for figures in report["figures"]),
        "",
        "## Every fault",
        "",
        f"By: {BY}.",
        "",
        *_table(faults),
        "",
        "## Every bad input",
        "",
        *_table(inputs),
        "",
    ]
    return "\n".join(parts)


def _figures(f: dict[str, Any]) -> str:
    survived = "yes" if f["survived"] else "skipped" if f["outcome"] == "skipped" else "**no**"
    shown = ["\N{EN DASH}" if f[name] is None else f"{f[name]:{form}}" for name, form in FIGURES.items()]
    return f"| {' | '.join([f['fault'], f['stage'], survived, *shown])} |"


def _table(results: Sequence[dict[str, Any]]) -> list[str]:
    lines = ["| # | what is done | what has to come of it | by | tests | survived |", "|---|---|---|---|--:|---|"]
    for row in results:
        shown = "yes" if row["survived"] else "not run" if not row["passed"] else f"{row['not run']} not run"
        if row["failures"]:
            shown = "**no**: " + ", ".join(row["failures"])
        if row["skipped"]:
            shown += f"; {row['skipped']} skipped: {'; '.join(row['skips'])}"
        lines.append(f"| {row['number']} | {row['what']} | {row['must']} | {row['by']} | {row['tests']} | {shown} |")
    return lines


def main() -> int:
    """Run, write the two files, and fail if a row does; of a run that was interrupted nothing is written."""
    matrix, began = rows(), time.monotonic()
    recorder = Recorder(matrix)
    files = sorted({str(TESTS / test.partition("::")[0]) for row in matrix for test in row.tests})
    code = pytest.main(["-q", "-m", "", "-p", "no:cacheprovider", *files], plugins=[recorder])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        print(f"the tests did not run to their end (pytest's exit code {int(code)}); {REPORT}.* stay as they were")  # noqa: T201  # the command's answer
        return int(code)
    results = [result_of(row, recorder.outcomes) for row in matrix]
    report = {
        "run": {
            "rows": len(results), "tests": len(recorder.outcomes),
            "failed": sum(outcome.outcome == "failed" for outcome in recorder.outcomes.values()),
            "seconds": round(time.monotonic() - began, 1),
            **circumstances(),
        },
        "rows": results,
        "figures": [
            figures for name, outcome in recorder.outcomes.items() for figures in figures_of(name, outcome, matrix)
        ],
    }  # fmt: skip
    REPORT.with_suffix(".json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    REPORT.with_suffix(".md").write_text(markdown(report), encoding="utf-8")
    print(f"written: {REPORT}.md and .json")  # noqa: T201  # the command's answer
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
