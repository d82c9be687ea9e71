"""``fhir-keta remove``: take back what an upload created, by its journal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fhir_keta.cli.server_options import server_options, server_settings
from fhir_keta.cli.upload_report import aligned
from fhir_keta.cli.upload_run import patience, patience_option
from fhir_keta.errors import UsageError

if TYPE_CHECKING:
    from fhir_keta.server.remove import Removal


@click.command()
@server_options
@click.option("--journal", required=True, metavar="FILE", help="The journal of the upload (upload --journal).")
@click.option("--dry-run", is_flag=True, help="Show what would be removed, and remove nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before removing.")
@patience_option
@click.pass_context
def remove(context: click.Context, /, server: str, journal: str, dry_run: bool, yes: bool, **options: object) -> None:
    """Take back what an upload created on a FHIR server.

    In reverse, and only what nobody has changed since; what the upload updated was there before, and stays. A run that
    was cut short is simply run again.
    """
    from fhir_keta.server.journal import reopen
    from fhir_keta.server.remove import plan_removal
    from fhir_keta.server.remove import remove as removed

    with reopen(Path(journal)) as opened, server_settings(context).client(patience(options)) as client:
        expected = opened.contents.heading.server
        if client.base != expected:
            raise UsageError(f"{journal} is of another server: expected {expected}, found {client.base}.")
        planned = plan_removal(opened, client)
        _show("ACTION", planned)
        if dry_run or not any(removal.state == "remove" for removal in planned):
            context.exit(0 if all(removal.state in ("remove", "gone") for removal in planned) else 1)
        if not yes:
            if not sys.stdin.isatty():
                raise UsageError("Nobody can be asked whether to remove these. Look at them above, and add --yes.")
            click.confirm("Remove them?", abort=True, err=True)
        done = removed(planned, opened, client)
    _show("STATUS", done.each, told=planned)
    if done.stopped is not None:
        raise done.stopped
    context.exit(0 if done.complete else 1)


def _show(column: str, removals: Sequence[Removal], told: Sequence[Removal] = ()) -> None:
    """A line for each, and the reasons of those that were not told with the same reason before."""
    for line in aligned(("RESOURCE", column), [(removal.address, removal.state) for removal in removals]):
        click.echo(line)
    before = {*told}
    for removal in removals:
        if removal.reason and removal not in before:
            click.echo(f"{removal.address} {removal.state}: {removal.reason.rstrip('.')}.", err=True)
