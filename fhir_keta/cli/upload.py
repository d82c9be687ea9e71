"""``fhir-keta upload``: bring definitions or records to a FHIR server, and say what became of each."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from fhir_keta.errors import InputError

if TYPE_CHECKING:
    from fhir_keta.records.source import Record
    from fhir_keta.server.apply import Report
    from fhir_keta.server.client import Client
    from fhir_keta.server.plan import Plan


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--server", required=True, metavar="URL", help="Base URL of the FHIR server.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and write nothing.")
@click.option("--overwrite", is_flag=True, help="Replace definitions that the server has with other content.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), default=60.0, show_default=True, help="Seconds to wait."
)
@click.pass_context
def upload(
    context: click.Context, paths: Sequence[str], server: str, dry_run: bool, overwrite: bool, timeout: float
) -> None:
    """Upload definitions or records to a FHIR R4 server.

    Without PATH the profiles, questionnaires and vocabulary of this package; else the resources in PATH: JSON files,
    folders, NDJSON, Bundles, each also gzipped, or - for standard input. What the server has already is left as it is:
    a second upload changes nothing.
    """
    from fhir_keta.server.client import Client
    from fhir_keta.server.plan import plan

    sources = _records(paths) if paths else _bundled_definitions()
    with Client(server, timeout=timeout) as client:
        planned = plan(sources, client, overwrite=overwrite)
        if dry_run:
            _show_plan(planned)
            context.exit(1 if planned.counts().keys() & {"conflict", "unsupported"} else 0)
        report = _applied(planned, client)
    _show_report(planned, report)
    if report.stopped is not None:
        raise report.stopped
    context.exit(0 if report.complete else 1)


def _bundled_definitions() -> Iterator[dict[str, Any]]:
    """Our own definitions, with snapshots and narratives. Those of SDC are not ours to upload."""
    from fhir_keta.definitions.library import bundled, profiles
    from fhir_keta.definitions.narrative import with_narrative

    library = bundled()
    for definition in profiles():
        canonical = f"{definition['url']}|{definition['version']}"
        yield with_narrative(library.structure(canonical) or definition)


def _records(paths: Sequence[str]) -> Iterator[Record]:
    from fhir_keta.records.source import Fault, read
    from fhir_keta.validation import rules

    for record in read(paths):
        if isinstance(record, Fault):
            problem = rules.issue(record.rule, "", **record.names).message
            line = f":{record.place.line}" if record.place.line is not None else ""
            raise InputError(f"{record.place.path}{line}: {problem} Nothing was uploaded.")
        yield record


def _applied(planned: Plan, client: Client) -> Report:
    from fhir_keta.server.apply import apply

    entries = len(planned.entries)
    with click.progressbar(length=entries, label="Uploading", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        return apply(planned, client, progress=lambda _result: bar.update(1))


def _show_plan(planned: Plan) -> None:
    _show_table(("RESOURCE", "ACTION"), [(entry.incoming.label, entry.action) for entry in planned.entries])
    _show_summary(planned, planned.counts(), "planned")
    for entry in planned.entries:
        if entry.reason:
            _say(entry.incoming.label, entry.action, entry.reason)


def _show_report(planned: Plan, report: Report) -> None:
    rows = [(result.entry.incoming.label, result.entry.action, result.status) for result in report.results]
    _show_table(("RESOURCE", "ACTION", "STATUS"), rows)
    _show_summary(planned, report.counts(), "done")
    for result in report.results:
        if result.message:
            http = f" (HTTP {result.http_status})" if result.http_status is not None else ""
            _say(result.entry.incoming.label, f"{result.status}{http}", result.message)


def _show_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _show_summary(planned: Plan, counts: dict[str, int], done: str) -> None:
    numbers = ", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "nothing"
    click.echo(f"{planned.server} ({planned.software}): {done}: {numbers}.", err=True)


def _say(label: str, state: str, reason: str) -> None:
    remedy = " Replace it with --overwrite, or give yours another version." if state == "conflict" else ""
    click.echo(f"{label} {state}: {reason.rstrip('.')}.{remedy}", err=True)
