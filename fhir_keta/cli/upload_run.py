"""How ``fhir-keta upload`` carries a plan out: at what pace, with what patience, and in which journal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fhir_keta.errors import KetaError, UsageError

if TYPE_CHECKING:
    from fhir_keta.server.client import Client
    from fhir_keta.server.journal import Journal
    from fhir_keta.server.plan import Plan
    from fhir_keta.server.result import Report
    from fhir_keta.server.retry import Retry

Command = TypeVar("Command", bound=Callable[..., Any])

_WORTH_TELLING = 5.0  # seconds

patience_option = click.option(
    "--retry-budget",
    type=click.FloatRange(min=0),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to go on trying when the server is busy or the connection breaks.",
)
_OPTIONS = (
    click.option(
        "--workers", type=click.IntRange(1, 64), default=4, show_default=True, help="Requests on their way at a time."
    ),
    patience_option,
    click.option(
        "--journal", metavar="FILE", help="Write down what is sent and what comes of it: to resume or remove."
    ),
    click.option("--resume", metavar="FILE", help="Go on with the upload that wrote this journal."),
    click.option("--no-read-back", is_flag=True, help="Do not read again what was written."),
    click.option(
        "--format",
        type=click.Choice(("text", "json", "junit")),
        default="text",
        show_default=True,
        help="How the results are written.",
    ),
)


def run_options(command: Command) -> Command:
    """Give a command the options of this module."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def check_run(options: Mapping[str, Any]) -> None:
    """Raises UsageError for options that do not go together."""
    if options["journal"] and options["resume"]:
        raise UsageError("--resume goes on writing its own journal: leave --journal out.")
    if options["format"] != "text" and (options["dry_run"] or options["plan_to"]):
        raise UsageError("--format is for results: leave it out of --dry-run and --plan, whose FILE is JSON.")
    if (options["journal"] or options["resume"]) and (options["dry_run"] or options["plan_to"]):
        raise UsageError("--dry-run and --plan write nothing to the server: leave --journal and --resume out.")


def patience(options: Mapping[str, Any]) -> Retry:
    """What ``--retry-budget`` means; a wait long enough to wonder about is told."""
    from fhir_keta.server.retry import Retry

    def tell(seconds: float) -> None:
        if seconds >= _WORTH_TELLING:
            click.echo(f"The server is not ready: waiting {seconds:.0f} s.", err=True)

    return Retry(options["retry_budget"], on_wait=tell)


def as_planned(planned: Plan, options: Mapping[str, Any]) -> Plan:
    """``planned`` as it was before the run that is resumed: what a saved plan is held against."""
    if not options["resume"]:
        return planned
    from fhir_keta.server import resume

    return resume.as_planned(Path(options["resume"]), planned)


def applied(planned: Plan, client: Client, settings: Mapping[str, Any], options: Mapping[str, Any]) -> Report:
    """Carry the plan out, with what it is announced in, and read back what was written."""
    from fhir_keta.server.apply import apply
    from fhir_keta.server.read_back import read_back

    journal, rest = _journal(planned, settings, options)
    with journal or nullcontext():
        entries = len(rest.entries)
        hidden = not sys.stderr.isatty()
        with click.progressbar(length=entries, label="Uploading", file=sys.stderr, hidden=hidden) as bar:
            report = apply(
                rest, client, progress=lambda _result: bar.update(1), workers=options["workers"], journal=journal
            )
        if report.stopped is None and not options["no_read_back"]:
            try:
                report = read_back(rest, report, client, journal, workers=options["workers"])
            except KetaError as error:
                report = replace(report, stopped=error)
    if report.stopped is not None and journal is not None:
        click.echo(f"To go on, call it again with --resume {journal.path} instead of --journal.", err=True)
    return report


def _journal(planned: Plan, settings: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[Journal | None, Plan]:
    """The journal, if there is to be one, and what is to be done."""
    from fhir_keta.server import journal, resume

    if options["resume"]:
        return resume.resume(Path(options["resume"]), planned, settings)
    if options["journal"]:
        return journal.begin(Path(options["journal"]), planned, settings), planned
    return None, planned
