"""Keep a searchable table in line with changing films: this project against CocoIndex, LangChain and LlamaIndex.

Everybody builds from the same table on the same embedded server, with the same stub embedder, on the same days: an
empty target, a day without any change, one text in a hundred changed, all popularities changed. Each way is a process
of its own with a database of its own; ours is measured without Dagster, through it, and as empty assets of that shape.
Usage: incremental.py [--films N] [--rounds R] [--json FILE]
"""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import psycopg
from made_up_vectors import server_of_ones_own
from peer_environment import run_script
from tables import parser_of, report_progress, table, write_json

from movie_assets.database.creation import ensure_database

POPULARITY = "popularity of all changed"
BESIDE = "popularity of all changed, kept beside"
GOALS = {"full build": 10, "nothing changed": 4, "1 % of texts changed": 4, POPULARITY: 10, BESIDE: 10}
PLAIN, DAGSTER, FLOOR = "ours, without Dagster", "ours, through Dagster", "Dagster's own floor"
OURS = {PLAIN: "plain", DAGSTER: "dagster", FLOOR: "floor"}
Row = dict[str, Any]
Work = Callable[[str], list[Row]]  # on the database of an address: an object a day


class Peer(NamedTuple):
    """A library: its script, what its setting is called, and the values that are tried."""

    script: str
    setting: str
    values: tuple[int, ...]


PEERS = {
    "LangChain `index()`": Peer("index_langchain.py", "batch_size", (100, 1000, 2500, 5000)),
    "CocoIndex": Peer("index_cocoindex.py", "max_inflight_components", (256, 1024, 4096, 16384)),
    "LlamaIndex pipeline": Peer("index_llamaindex.py", "embed_batch_size", (128, 512, 2048)),
}
HOW = (
    "LangChain: `index()` of langchain-core with `SQLRecordManager` on the same server and `PGVector`, cleanup full, "
    "blake2b keys. CocoIndex: Postgres source and target, an app as in its examples, `embed` memoized and batched by "
    "up to 512. LlamaIndex: `IngestionPipeline` with a `SimpleDocumentStore` that each day reads and writes, "
    "upserts_and_delete, one node a film, no cache of transformations (it is by the whole list), `PGVectorStore` with "
    "jsonb. In each, popularity is metadata of the film; “kept beside” is the same code with popularity in a table of "
    "its own, which one `update` changes, so that the library sees nothing new; ours always keeps it so. The "
    "libraries' tables have no vector index; ours through Dagster has, and builds it on the first day. Ours without "
    "Dagster calls the stages' own functions and statements: no runs, checks or index. The start of processes and "
    "imports are in nobody's time. Versions: bench/peers/requirements.lock."
)


def main() -> None:
    """Try the settings, then measure everybody in turn, round after round."""
    parser = parser_of(__doc__)
    parser.add_argument("--films", type=int, default=5_000)
    arguments = parser.parse_args()
    with server_of_ones_own("incremental") as (address, _):
        settings = {name: best_setting(address, name, arguments.films) for name in PEERS}
        ways: dict[str, Work] = {name: partial(run_ours, way, arguments.films) for name, way in OURS.items()}
        ways |= {name: partial(run_peer, name, arguments.films, settings[name], len(GOALS)) for name in PEERS}
        rounds: dict[str, list[list[Row]]] = {name: [] for name in ways}
        for number in range(arguments.rounds):
            for name, work in ways.items():
                report_progress(f"round {number + 1}: {name}")
                rounds[name].append(with_database(address, work))
    rows = [row for name, found in rounds.items() for row in medians(name, found)]
    tried = "; ".join(described(PEERS[name], value) for name, value in settings.items())
    sizes = f"{arguments.films:,} films, medians of {arguments.rounds} rounds"
    configured = f"{sizes}. {HOW} Settings, each the best of a full build with all films: {tried}."
    comparison = compared(rows)
    report(rows, comparison, configured)
    write_json(arguments.json, "incremental", PLAIN, arguments.rounds, configured, rows, comparison=comparison)


def best_setting(address: str, name: str, films: int) -> int:
    """Return the value with which a full build of so many films was the fastest."""
    peer, taken = PEERS[name], {}
    for value in peer.values:
        report_progress(f"trial: {name}, {peer.setting} {value}")
        (day,) = with_database(address, partial(run_peer, name, films, value, 1))
        taken[value] = day["seconds"]
    return min(taken, key=lambda value: taken[value])


def described(peer: Peer, value: int) -> str:
    """Describe a setting and the values that were tried."""
    return f"{peer.setting} {value} of {', '.join(map(str, peer.values))}"


def with_database(address: str, work: Work) -> list[Row]:
    """Do work on a new database, and drop it."""
    own = address.replace("/incremental?", "/measured?")
    ensure_database(own)
    with psycopg.connect(own, autocommit=True) as connection:
        connection.execute("create extension if not exists vector")
        connection.execute("checkpoint")
    try:
        return work(own)
    finally:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("drop database measured with (force)")
            connection.execute("drop database if exists measured_dagster with (force)")


def run_peer(name: str, films: int, value: int, count: int, address: str) -> list[Row]:
    """Run the script of a library for so many days, and return the days that it measured."""
    days: list[Row] = run_script(PEERS[name].script, address, films, value, count)
    return days


def run_ours(way: str, films: int, address: str) -> list[Row]:
    """Run our script, and return the days that it measured; its errors are printed only when it fails."""
    script = Path(__file__).with_name("incremental_ours.py")
    command = [sys.executable, str(script), way, address, str(films)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(f"{way} failed:\n{run.stderr}")
    days: list[Row] = json.loads(run.stdout)
    return days


def medians(name: str, rounds: list[list[Row]]) -> list[Row]:
    """Return the days of a way: median seconds, the maximum of memory and wrong rows, the counts of the first round."""
    rows = []
    for days in zip(*rounds, strict=True):
        row = {"way": name, "rounds": len(days), **days[0], "every_round": [day["seconds"] for day in days]}
        row["seconds"] = median(row["every_round"])
        row["peak_megabytes"] = max(day["peak_megabytes"] for day in days)
        row["wrong_rows"] = None if name == FLOOR else max(day["wrong_rows"] for day in days)
        rows.append(row)
    return rows


def compared(rows: list[Row]) -> list[Row]:
    """Return for each day the fastest library that leaves the right rows, and how many times as fast ours is."""
    seconds = {(row["way"], row["day"]): row["seconds"] for row in rows}
    lines = []
    for day, goal in GOALS.items():
        right = [row for row in rows if row["day"] == day and row["way"] in PEERS and not row["wrong_rows"]]
        fastest = min(right, key=lambda row: row["seconds"])
        took = fastest["seconds"]
        ours = {way: seconds[way, POPULARITY if day == BESIDE else day] for way in OURS}
        above = ours[DAGSTER] - ours[FLOOR]
        lines.append({
            "day": day, "fastest": fastest["way"], "seconds": took, "goal": goal, "without_dagster": took / ours[PLAIN],
            "through_dagster": took / ours[DAGSTER], "above_the_floor": took / above if above > 0 else None,
        })  # fmt: skip
    return lines


def report(rows: list[Row], comparison: list[Row], configured: str) -> None:
    """Print three tables: seconds, what was embedded and whether it is right, and the comparison."""
    found = {(row["way"], row["day"]): row for row in rows}
    ways = list(dict.fromkeys(row["way"] for row in rows))
    peaks = {way: max(row["peak_megabytes"] for row in rows if row["way"] == way) for way in ways}

    def cells(way: str, cell: Callable[[Row], str]) -> list[str]:
        return [cell(found[way, day]) if (way, day) in found else "" for day in GOALS]

    print(f"## Keeping a table in line, day by day\n\n{configured}\n\nSeconds; fewer are better:\n")
    table(
        ["way", *GOALS, "peak MB"],
        [[way, *cells(way, lambda row: f"{row['seconds']:.2f}"), f"{peaks[way]:,.0f}"] for way in ways],
    )
    print("\nTexts embedded, and in brackets rows that are missing or not as in the source afterwards:\n")
    table(
        ["way", *GOALS],
        [
            [way, *cells(way, lambda row: f"{row['texts_embedded']:,} ({row['wrong_rows']})")]
            for way in ways
            if way != FLOOR
        ],
    )
    print(
        "\nHow many times as fast ours is as the fastest library of the day that leaves the right rows; “above the "
        "floor” is ours through Dagster with Dagster's own floor taken off:\n"
    )
    table(
        ["day", "fastest library", "its seconds", "without Dagster", "through Dagster", "above the floor", "goal"],
        [
            (
                line["day"], line["fastest"], f"{line['seconds']:.2f}", f"{line['without_dagster']:.1f}",
                f"{line['through_dagster']:.2f}",
                f"{line['above_the_floor']:.1f}" if line["above_the_floor"] else "", line["goal"],
            )
            for line in comparison
        ],
        texts=2,
    )  # fmt: skip


if __name__ == "__main__":
    main()
