"""What decides the plan of ``fhir-keta upload``: a saved plan keeps these options, and brings them back."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fhir_keta.errors import UsageError

if TYPE_CHECKING:
    from fhir_keta.server.client import Client
    from fhir_keta.server.plan import Plan
    from fhir_keta.server.plan_file import SavedPlan
    from fhir_keta.server.result import Report

Command = TypeVar("Command", bound=Callable[..., Any])

_READING = ("examples",)
_PLANNING = ("overwrite", "batch_size", "ids", "source")


def _checked_source(_context: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    if name is not None and not re.fullmatch(r"[A-Za-z0-9.-]{1,64}", name):
        raise click.BadParameter("letters, digits, dots and hyphens make a name, 64 at most")
    return name


_OPTIONS = (
    click.option("--dry-run", is_flag=True, help="Show what would be done, and write nothing."),
    click.option(
        "--plan", "plan_to", metavar="FILE", help="Show what would be done, keep it in FILE, and write nothing."
    ),
    click.option("--apply", "plan_from", metavar="FILE", help="Do what was planned in FILE, exactly that or nothing."),
    click.option("--examples", is_flag=True, help="Upload the examples of packages too."),
    click.option("--overwrite", is_flag=True, help="Replace definitions that the server has with other content."),
    click.option(
        "--batch-size",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="Records to send in one transaction. One that is refused is sent again record by record.",
    ),
    click.option(
        "--ids",
        type=click.Choice(["own", "server"]),
        help="Whether new resources keep their own ids or get one from the server; else as the server says.",
    ),
    click.option(
        "--source",
        metavar="NAME",
        callback=_checked_source,
        help="Where the records' ids come from. A server that gives its own ids keeps NAME and id as a tag, by which a "
        "second upload finds the record; without NAME its identifier tells it.",
    ),
    click.option(
        "--validate-on-server",
        is_flag=True,
        help="Write nothing unless the server's own validation passes each record. Their profiles must be there.",
    ),
)


def planning_options(command: Command) -> Command:
    """Give a command the options of this module."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def check_planning(context: click.Context, paths: Sequence[str]) -> None:
    """Raises UsageError for options that do not go together."""
    options = context.params
    given = {
        name for name in options if context.get_parameter_source(name) not in (click.core.ParameterSource.DEFAULT, None)
    }
    if options["plan_from"] and (paths or given.intersection((*_READING, *_PLANNING, "plan_to", "dry_run"))):
        raise UsageError("--apply takes what is uploaded, and how, from the plan: leave paths and its options out.")
    if options["plan_to"] and "-" in paths:
        raise UsageError("--plan reads its sources again when it is applied: save standard input to a file first.")


def settings_of(saved: SavedPlan | None, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """What decides the plan: of a saved one, or as given."""
    return saved.settings if saved is not None else {name: options[name] for name in (*_READING, *_PLANNING)}


def planned_of(paths: Sequence[str], settings: Mapping[str, Any], client: Client, workers: int) -> Plan:
    """Read the sources, ask the server, and make the plan."""
    from fhir_keta.cli.upload_sources import sources
    from fhir_keta.server.plan import plan

    read = sources(paths, examples=settings.get("examples", False))
    planning = {name: value for name, value in settings.items() if name in _PLANNING}
    return plan(read, client, workers=workers, **planning)


def refused_beforehand(planned: Plan, client: Client, options: Mapping[str, Any]) -> Report | None:
    """What the server's own validation refuses, if it was asked for and refuses something."""
    if not options["validate_on_server"]:
        return None
    from fhir_keta.server.server_validation import refused_by_validation

    hidden = not sys.stderr.isatty()
    with click.progressbar(length=len(planned.entries), label="Validating", file=sys.stderr, hidden=hidden) as bar:
        return refused_by_validation(planned, client, progress=lambda: bar.update(1))
