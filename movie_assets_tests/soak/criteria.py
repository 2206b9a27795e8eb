"""The criteria of a soak: pure functions of the figures of its days, which `gauges` and `life` measure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import mean, median

from movie_assets_tests.chaos.truth import Differences
from movie_assets_tests.soak.gauges import Table
from movie_assets_tests.soak.life import Day
from movie_assets_tests.soak.troubles import kind_of

FEWEST_DAYS = 20  # in the first ten, tables and caches still fill: autovacuum leaves a fifth of dead rows
MEMORY = 0.5  # % a day: in the 90 days for which runs are kept, less than by half
SESSIONS = 0.25  # MB a day: of all sessions of Postgres together, less than their own again in 90 days
SIZE = 0.5  # % a day beside what histories add: autovacuum's usual share, a fifth, is not to be had twice in a quarter
FILES = 5.0  # MB a day: logs of runs and processes, under half a gigabyte until they are cleaned up
FASTER = 1.5  # a day's rows of a history in the second half, over those in the first
DAYS_KEPT = {"Dagster's records": 90, "histories": 730}  # those that are kept longest
DEAD_SHARE, DEAD_ROWS = 0.2, 1000  # autovacuum's share of dead rows, and what a small table may have besides


@dataclass(frozen=True)
class Criterion:
    """One thing that has to hold; `holds` is None if there were too few days."""

    what: str
    holds: bool | None
    found: str
    bound: str


def slope(values: Sequence[float]) -> float:
    """Growth a day: the median of the slopes of all pairs (Theil-Sen), which a few odd days do not tilt."""
    pairs = combinations(enumerate(values), 2)
    return median((later - value) / (place - start) for (start, value), (place, later) in pairs)


def second_half(days: Sequence[Day]) -> Sequence[Day]:
    """The days whose growth counts: by then, caches are full and tables have been rewritten once."""
    return days[len(days) // 2 :]


def all_criteria(
    days: Sequence[Day], truth: Differences, rows: int, differing: int, at_the_end: dict[str, Table]
) -> list[Criterion]:
    """All criteria of a soak."""
    return [
        on_truth(truth, rows, differing),
        on_jobs(days),
        on_troubles(days),
        on_processes(days),
        *(on_memory(name, days) for name in ("daemon", "web", "code")),
        on_postgres(days),
        on_catalogue(days),
        on_history("Dagster's records", "records", days),
        on_history("histories", "histories", days),
        on_wal(days),
        on_files(days),
        on_dead_rows(at_the_end),
    ]


def on_truth(truth: Differences, rows: int, differing: int) -> Criterion:
    """The catalogue is the world, and agrees with itself."""
    found = (
        f"{rows:,} rows compared: {truth.lost} lost, {truth.duplicated} duplicated, {truth.wrong} wrong; "
        f"{differing} differing by the recount"
    )
    return Criterion("the catalogue is the emulator's truth", truth.is_true and not differing, found, "0, 0, 0; 0")


def on_jobs(days: Sequence[Day]) -> Criterion:
    """Jobs end well on their day."""
    failed = [f"{job} on {day.day}" for day in days for job in day.failed]
    excused = sum(len(day.excused) for day in days)
    again = sum(sum(day.tries.values()) - len(day.tries) for day in days)
    runs = sum(sum(day.tries.values()) for day in days)
    found = f"{', '.join(failed) or 'none'} failed, {excused} could not; {runs} runs, {again} of them repeated others"
    return Criterion("each job ended well on its day, but for days without a source", not failed, found, "none failed")


def on_troubles(days: Sequence[Day]) -> Criterion:
    """Whatever was dealt did strike."""
    dealt = [(name, count) for day in days for name, count in day.troubles.items()]
    struck = Counter[str]()
    for name, count in dealt:
        struck[kind_of(name)] += count
    never = [kind for kind, count in struck.items() if not count]
    did = sum(count > 0 for _, count in dealt)
    found = f"{len(struck)} kinds; {did} of {len(dealt)} that were dealt struck; never: {', '.join(never) or 'none'}"
    return Criterion("every kind of trouble struck", not never, found, "none never")


def on_processes(days: Sequence[Day]) -> Criterion:
    """Nothing of ours ends by itself."""
    ended = [f"{name} on {day.day}" for day in days for name in day.restarted]
    return Criterion("daemon, web and code server stayed up", not ended, ", ".join(ended) or "none ended", "none ended")


def on_memory(name: str, days: Sequence[Day]) -> Criterion:
    """A process does not grow."""
    values = [day.gauges["memory"][name] for day in second_half(days)]
    return _growth(f"memory of {name} is flat", days, values, MEMORY)


def on_postgres(days: Sequence[Day]) -> Criterion:
    """Sessions of Postgres do not grow; its buffers, a cache with a limit, are reported, and no criterion."""
    what = "memory of postgres beside its buffers is flat"
    if len(days) < FEWEST_DAYS:
        return _too_few(what, days)
    own, buffers = ([day.gauges["memory"][name] for day in second_half(days)] for name in ("postgres", "buffers"))
    grown = slope(own)
    found = f"{grown:+.2f} MB a day at {mean(own):.0f} MB, beside buffers of {max(buffers):,.0f} MB at most"
    return Criterion(what, grown <= SESSIONS, found, f"≤ {SESSIONS:g} MB a day")


def on_catalogue(days: Sequence[Day]) -> Criterion:
    """The database grows by what histories add, and little by anything else."""
    half = second_half(days)
    beside = [day.gauges["catalogue"] - day.gauges["histories"] for day in half]
    criterion = _growth("the catalogue beside its histories hardly grows", days, beside, SIZE)
    if criterion.holds is None:
        return criterion
    films = max(1, days[-1].films)
    found = f"{criterion.found}; {days[-1].gauges['catalogue'] * 1024 / films:.0f} kB a film with them"
    return Criterion(criterion.what, criterion.holds, found, criterion.bound)


def on_history(name: str, gauge: str, days: Sequence[Day]) -> Criterion:
    """What is kept by age grows evenly: each day adds its rows, and they are deleted when they are so old."""
    what, kept = f"{name} grow evenly", DAYS_KEPT[name]
    if len(days) < FEWEST_DAYS:
        return _too_few(what, days)
    sizes = [day.gauges[gauge] for day in days]
    early, late = slope(sizes[1 : len(days) // 2]), slope(sizes[len(days) // 2 :])
    found = f"{early:.2f}, then {late:.2f} MB a day; {late * kept:,.0f} MB in {kept} days"
    return Criterion(what, late <= FASTER * early, found, f"≤ {FASTER:g} times the first half's")


def on_wal(days: Sequence[Day]) -> Criterion:
    """Postgres' log of changes is thrown away: no forgotten slot or failing archive keeps it."""
    largest, most = max(day.gauges["wal"] for day in days), days[-1].gauges["most_wal"]
    return Criterion(
        "WAL keeps to its size", largest <= most, f"{largest:,.0f} MB at most", f"≤ {most:,.0f} MB, max_wal_size"
    )


def on_files(days: Sequence[Day]) -> Criterion:
    """The data folder beside the databases."""
    what = "files beside the databases hardly grow"
    if len(days) < FEWEST_DAYS:
        return _too_few(what, days)
    grown = slope([day.gauges["files"] for day in second_half(days)])
    return Criterion(what, grown <= FILES, f"{grown:.2f} MB a day", f"≤ {FILES:g} MB a day")


def on_dead_rows(tables: dict[str, Table]) -> Criterion:
    """Autovacuum keeps up: nothing holds it back, as a forgotten transaction would."""
    piles = [f"{name} {t.dead:,} of {t.live:,}" for name, t in tables.items() if is_a_pile(t)]
    dead, live = sum(t.dead for t in tables.values()), sum(t.live for t in tables.values())
    found = f"{dead:,} dead of {live:,} rows; beyond the bound: {', '.join(piles) or 'none'}"
    return Criterion("no table keeps a pile of dead rows", not piles, found, f"≤ {DEAD_SHARE:.0%} + {DEAD_ROWS:,} rows")


def is_a_pile(table: Table) -> bool:
    """Whether a table has more dead rows than autovacuum leaves."""
    return table.dead > DEAD_SHARE * table.live + DEAD_ROWS


def _growth(what: str, days: Sequence[Day], values: Sequence[float], bound: float) -> Criterion:
    """Whether values grow by a share of them at most."""
    if len(days) < FEWEST_DAYS:
        return _too_few(what, days)
    grown = slope(values)
    share = 100 * grown / mean(values)
    found = f"{grown:+.2f} MB a day at {mean(values):.0f} MB ({share:+.2f} %)"
    return Criterion(what, share <= bound, found, f"≤ {bound:g} % a day")


def _too_few(what: str, days: Sequence[Day]) -> Criterion:
    return Criterion(what, None, f"{len(days)} days", f"from {FEWEST_DAYS} days on")
