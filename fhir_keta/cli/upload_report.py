"""What ``fhir-keta upload`` prints: the plan or the results as a table, and what each needs to have said."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from fhir_keta.server import exact_json

if TYPE_CHECKING:
    from fhir_keta.server.comparison import Difference
    from fhir_keta.server.plan import Entry, Plan
    from fhir_keta.server.result import Report

_MOST_LINES = 20
_LONGEST_VALUE = 60


def plan(planned: Plan) -> None:
    """What would be done, a line a resource; below it where it differs, and what else the server has of it."""
    rows = [(entry.incoming.label, entry.action) for entry in planned.entries]
    for line, entry in zip(aligned(("RESOURCE", "ACTION"), rows), (None, *planned.entries), strict=True):
        click.echo(line)
        if entry is not None:
            for detail in _details(entry):
                click.echo(f"  {detail}")
    _summary(planned, planned.counts(), "planned")
    for entry in planned.entries:
        if entry.reason:
            _say(entry, entry.action, entry.reason)


def _details(entry: Entry) -> Iterator[str]:
    for difference in entry.differences[:_MOST_LINES]:
        yield f"{difference.path}: {_change(difference, with_values=entry.incoming.is_definition)}"
    if len(entry.differences) > _MOST_LINES:
        yield f"and {len(entry.differences) - _MOST_LINES} more differences"
    for other in entry.others:
        yield f"also there: {other}"


def _change(difference: Difference, with_values: bool) -> str:
    """What becomes of the server's value; the values themselves are shown of definitions, never of records."""
    if difference.theirs is None:
        return f"added {_shown(difference.ours)}" if with_values else "added"
    if difference.ours is None:
        return f"removed {_shown(difference.theirs)}" if with_values else "removed"
    return f"{_shown(difference.theirs)} -> {_shown(difference.ours)}" if with_values else "changed"


def _shown(value: object) -> str:
    text = exact_json.write(value).decode()
    text = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]} [...]"


def report(planned: Plan, done: Report, format: str) -> None:
    """What became of each resource: on standard output in this format, on standard error in words."""
    from fhir_keta.server.report import WRITERS

    if format in WRITERS:
        WRITERS[format](planned, done, sys.stdout)
    else:
        rows = [(result.entry.incoming.label, result.action, result.status) for result in done.results]
        for line in aligned(("RESOURCE", "ACTION", "STATUS"), rows):
            click.echo(line)
    _summary(planned, done.counts(), "done")
    for result in done.results:
        if result.message:
            http = f" (HTTP {result.http_status})" if result.http_status is not None else ""
            _say(result.entry, f"{result.status}{http}", result.message)
    if any(result.http_status in (404, 405) and result.entry.target is not None for result in done.results):
        click.echo("If the server gives its own ids to new resources, upload with --ids server.", err=True)


def aligned(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """The lines of a table, each column as wide as its widest cell."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _summary(planned: Plan, counts: dict[str, int], done: str) -> None:
    numbers = ", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "nothing"
    click.echo(f"{planned.server} ({planned.software}): {done}: {numbers}.", err=True)


def _say(entry: Entry, state: str, reason: str) -> None:
    replaceable = state == "conflict" and entry.incoming.is_definition
    remedy = " Replace it with --overwrite, or give yours another version." if replaceable else ""
    click.echo(f"{entry.incoming.label} {state}: {reason.rstrip('.')}.{remedy}", err=True)
