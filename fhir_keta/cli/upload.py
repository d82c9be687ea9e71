"""``fhir-keta upload``: bring definitions or records to a FHIR server, and say what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from fhir_keta.cli.server_options import server_options, server_settings
from fhir_keta.cli.upload_planning import (
    check_planning,
    planned_of,
    planning_options,
    refused_beforehand,
    settings_of,
)
from fhir_keta.cli.upload_run import applied, as_planned, check_run, patience, run_options


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@server_options
@planning_options
@run_options
@click.pass_context
def upload(context: click.Context, /, paths: Sequence[str], **options: Any) -> None:
    """Upload definitions or records to a FHIR R4 server.

    Without PATH the profiles, questionnaires and vocabulary of this package; else the resources in PATH: JSON files,
    folders, NDJSON, Bundles, each also gzipped, or - for standard input, and the definitions of FHIR packages (.tgz).
    What the server has already is left as it is: a second upload changes nothing.
    """
    from fhir_keta.cli import upload_report as show
    from fhir_keta.server import plan_file

    check_planning(context, paths)
    check_run(options)
    saved = plan_file.load(options["plan_from"]) if options["plan_from"] else None
    paths = saved.sources if saved else paths
    settings = settings_of(saved, options)
    with server_settings(context).client(patience(options)) as client:
        planned = planned_of(paths, settings, client, options["workers"])
        if saved is not None:
            plan_file.check(saved, as_planned(planned, options))
        if options["plan_to"]:
            plan_file.save(planned, options["plan_to"], paths, settings)
        if options["plan_to"] or options["dry_run"]:
            show.plan(planned)
            context.exit(1 if planned.hindered else 0)
        report = refused_beforehand(planned, client, options) or applied(planned, client, settings, options)
    show.report(planned, report, options["format"])
    if report.stopped is not None:
        raise report.stopped
    context.exit(0 if report.complete else 1)
