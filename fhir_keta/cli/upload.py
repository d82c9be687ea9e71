"""``fhir-keta upload``: bring definitions or records to a FHIR server, and say what became of each."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from fhir_keta.cli.server_options import server_options, server_settings
from fhir_keta.errors import UsageError

if TYPE_CHECKING:
    from fhir_keta.server.client import Client
    from fhir_keta.server.plan import Plan
    from fhir_keta.server.result import Report

# what decides a plan; a saved one brings its own
_READING = ("examples",)
_PLANNING = ("overwrite",)


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@server_options
@click.option("--dry-run", is_flag=True, help="Show what would be done, and write nothing.")
@click.option("--plan", "plan_to", metavar="FILE", help="Show what would be done, keep it in FILE, and write nothing.")
@click.option("--apply", "plan_from", metavar="FILE", help="Do what was planned in FILE, exactly that or nothing.")
@click.option("--examples", is_flag=True, help="Upload the examples of packages too.")
@click.option("--overwrite", is_flag=True, help="Replace definitions that the server has with other content.")
@click.pass_context
def upload(context: click.Context, /, paths: Sequence[str], **options: Any) -> None:
    """Upload definitions or records to a FHIR R4 server.

    Without PATH the profiles, questionnaires and vocabulary of this package; else the resources in PATH: JSON files,
    folders, NDJSON, Bundles, each also gzipped, or - for standard input, and the definitions of FHIR packages (.tgz).
    What the server has already is left as it is: a second upload changes nothing.
    """
    from fhir_keta.cli import upload_report as show
    from fhir_keta.cli.upload_sources import sources
    from fhir_keta.server import plan_file
    from fhir_keta.server.plan import plan

    _check_usage(context, paths, options)
    saved = plan_file.load(options["plan_from"]) if options["plan_from"] else None
    paths = saved.sources if saved else paths
    settings = saved.settings if saved else {name: options[name] for name in (*_READING, *_PLANNING)}
    with server_settings(context).client() as client:
        read = sources(paths, examples=settings.get("examples", False))
        planned = plan(read, client, **{name: value for name, value in settings.items() if name in _PLANNING})
        if saved is not None:
            plan_file.check(saved, planned)
        if options["plan_to"]:
            plan_file.save(planned, options["plan_to"], paths, settings)
        if options["plan_to"] or options["dry_run"]:
            show.plan(planned)
            context.exit(1 if planned.hindered else 0)
        report = _applied(planned, client, options)
    show.report(planned, report)
    if report.stopped is not None:
        raise report.stopped
    context.exit(0 if report.complete else 1)


def _check_usage(context: click.Context, paths: Sequence[str], options: dict[str, Any]) -> None:
    given = {
        name for name in options if context.get_parameter_source(name) not in (click.core.ParameterSource.DEFAULT, None)
    }
    if options["plan_from"]:
        of_plan = given.intersection((*_READING, *_PLANNING, "plan_to", "dry_run"))
        if paths or of_plan:
            raise UsageError("--apply takes what is uploaded, and how, from the plan: leave paths and its options out.")
    if options["plan_to"] and "-" in paths:
        raise UsageError("--plan reads its sources again when it is applied: save standard input to a file first.")


def _applied(planned: Plan, client: Client, options: dict[str, Any]) -> Report:
    from fhir_keta.server.apply import apply

    entries = len(planned.entries)
    with click.progressbar(length=entries, label="Uploading", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        return apply(planned, client, progress=lambda _result: bar.update(1))
