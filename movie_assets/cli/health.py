"""The command that tells what is broken right now."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import click
from rich.markup import escape

from movie_assets.cli.terminal import console
from movie_assets.config.settings import Settings, SettingsError
from movie_assets.operations.health.findings import Finding, by_severity, worst

MARKS = {"ok": "[green]ok     [/]", "warn": "[yellow]warns  [/]", "error": "[red]BROKEN [/]", "unknown": "unknown"}


@click.command("health")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def health_command(as_json: bool) -> None:
    """Tell what is broken right now: services, credentials, database, disk, freshness, gaps, runs, sensors.

    Looks only, within seconds each, and needs none of them to work. Exit code for a monitor: 0 all is well,
    1 something warns or could not be looked at, 2 something is broken.
    """
    from movie_assets.operations.health.report import probe_from_outside  # noqa: PLC0415  # importing the client takes half a second

    try:
        findings = probe_from_outside(Settings.from_env(), datetime.now(UTC))
    except SettingsError as error:
        findings = [Finding("settings", "error", str(error), next_step="correct the variable that it names")]
    if as_json:
        click.echo(json.dumps({"exit_code": worst(findings), "findings": [asdict(each) for each in findings]}))
    else:
        show(by_severity(findings))
    sys.exit(worst(findings))


def show(findings: Sequence[Finding]) -> None:
    """One line a finding, and what to do about those that are not well."""
    for found in findings:
        console.print(f"{MARKS[found.severity]} {found.name:<22} {escape(found.says)}", highlight=False)
        if found.severity in ("ok", "unknown"):
            continue
        if found.examples:
            console.print(f"        {'':<22} for example {escape(', '.join(found.examples))}", highlight=False)
        if found.next_step:
            console.print(f"        {'':<22} → {escape(found.next_step)}", highlight=False)
