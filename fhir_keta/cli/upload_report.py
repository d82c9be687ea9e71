"""What ``fhir-keta upload`` prints: the plan or the results as a table, and what each needs to have said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fhir_keta.server.apply import Report
    from fhir_keta.server.plan import Plan


def plan(planned: Plan) -> None:
    """What would be done, a line a resource."""
    _table(("RESOURCE", "ACTION"), [(entry.incoming.label, entry.action) for entry in planned.entries])
    _summary(planned, planned.counts(), "planned")
    for entry in planned.entries:
        if entry.reason:
            _say(entry.incoming.label, entry.action, entry.reason)


def report(planned: Plan, done: Report) -> None:
    """What became of each resource."""
    rows = [(result.entry.incoming.label, result.entry.action, result.status) for result in done.results]
    _table(("RESOURCE", "ACTION", "STATUS"), rows)
    _summary(planned, done.counts(), "done")
    for result in done.results:
        if result.message:
            http = f" (HTTP {result.http_status})" if result.http_status is not None else ""
            _say(result.entry.incoming.label, f"{result.status}{http}", result.message)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _summary(planned: Plan, counts: dict[str, int], done: str) -> None:
    numbers = ", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "nothing"
    click.echo(f"{planned.server} ({planned.software}): {done}: {numbers}.", err=True)


def _say(label: str, state: str, reason: str) -> None:
    remedy = " Replace it with --overwrite, or give yours another version." if state == "conflict" else ""
    click.echo(f"{label} {state}: {reason.rstrip('.')}.{remedy}", err=True)
