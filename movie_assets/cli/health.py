"""The command that reports what is broken right now."""

import json
import sys
from collections.abc import Sequence
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
    """Report what is broken right now: services, credentials, database, disk, freshness, gaps, runs, sensors.

    Each check takes at most some seconds and changes nothing; a check that cannot run does not stop the others. Exit
    codes for a monitor: 0 everything is well, 1 there is a warning or a check could not run, 2 something is broken.
    """
    from movie_assets.operations.health.report import probe_from_outside  # noqa: PLC0415  # importing the HTTP client takes half a second

    try:
        findings = probe_from_outside(Settings.from_env(), datetime.now(UTC))
    except SettingsError as error:
        findings = [Finding("settings", "error", str(error), next_step="correct the variable that it names")]
    if as_json:
        click.echo(json.dumps({"exit_code": worst(findings), "findings": [each.as_json() for each in findings]}))
    else:
        show(by_severity(findings))
    sys.exit(worst(findings))


def show(findings: Sequence[Finding]) -> None:
    """Print a line for each finding; below warnings and errors, examples and what to do."""
    for finding in findings:
        console.print(f"{MARKS[finding.severity]} {finding.name:<22} {escape(finding.message)}", highlight=False)
        if finding.severity in ("ok", "unknown"):
            continue
        if finding.examples:
            console.print(f"        {'':<22} for example {escape(', '.join(finding.examples))}", highlight=False)
        if finding.next_step:
            console.print(f"        {'':<22} → {escape(finding.next_step)}", highlight=False)
