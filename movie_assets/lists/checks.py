"""The checks of `tmdb_lists`: the age of each list, and how many titles left it since the snapshot before."""

from datetime import timedelta

import dagster as dg

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.lists.list_changes import ListChange, ages_of, turnovers
from movie_assets.lists.list_kinds import wanted_lists
from movie_assets.runs.metadata_tables import bar, shown_table
from movie_assets.runs.run_time import run_time_of

AGES = ("media type", "list", "region", "read at", "age in hours", "allowed hours")
MOVES = ("media type", "list", "region", "titles", "since", "share that left", "allowed", "")


@dg.asset_check(
    asset="tmdb_lists",
    description="Each list was read within its age: trends within 12 hours, the top rated within 8 days, others within "
    "30 hours. An error at 36 hours, 15 days and 54 hours, or for a list that was never read.",
)
def every_list_is_fresh(
    context: dg.AssetCheckExecutionContext, database: dg.ResourceParam[Database], settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """Compare the age of each list's newest snapshot with what its kind allows."""
    as_of = run_time_of(context.run)
    wanted = wanted_lists(settings.media_types, settings.regions, settings.list_pages)
    ages = ages_of(database.fetch(ListChange, "list_changes", as_of=as_of), wanted, as_of)
    late = [each for each in ages if each.is_late]
    rows = [
        (
            each.kind.media.name,
            each.kind.name,
            each.region,
            f"{each.read_at:%Y-%m-%d %H:%M}" if each.read_at else "never",
            None if each.age is None else round(each.age / timedelta(hours=1), 1),
            each.kind.warn_hours,
        )
        for each in ages
    ]
    severity = dg.AssetCheckSeverity.ERROR if any(e.is_very_late for e in late) else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        passed=not late,
        severity=severity,
        description=f"too old: {', '.join(each.name for each in late)}" if late else None,
        metadata={"lists": len(ages), "too_old": len(late), "ages": shown_table(AGES, rows)},
    )


@dg.asset_check(
    asset="tmdb_lists",
    description="Of each list of 20 titles or more, no more titles left since the snapshot before than usually do "
    "(three times the usual share and a tenth), and a list of trends is not the same as the day before.",
)
def lists_change_as_usual(
    context: dg.AssetCheckExecutionContext, database: dg.ResourceParam[Database], settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """Compare the newest two snapshots of each list, which are of different days."""
    changes = database.fetch(ListChange, "list_changes", as_of=run_time_of(context.run))
    compared = turnovers(changes, wanted_lists(settings.media_types, settings.regions, settings.list_pages))
    problems = [each.problem for each in compared if each.problem]
    rows = [
        (
            each.change.media_type,
            each.change.list,
            each.change.region,
            each.change.titles,
            str(each.change.day_before),
            round(each.left, 3),
            round(each.allowed, 3),
            bar(each.left),
        )
        for each in compared
    ]
    return dg.AssetCheckResult(
        passed=not problems,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(problems) or None,
        metadata={"compared": len(compared), "unusual": len(problems), "changes": shown_table(MOVES, rows)},
    )


CHECKS = (every_list_is_fresh, lists_change_as_usual)
