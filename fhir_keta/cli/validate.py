"""``fhir-keta validate``: records in, findings out."""

from __future__ import annotations

import os
import sys
from contextlib import closing

import click

from fhir_keta.cli.definitions import definitions_option, library_with
from fhir_keta.cli.progress import clear, reading
from fhir_keta.errors import UsageError
from fhir_keta.records.source import read_together
from fhir_keta.reporting.checking import results
from fhir_keta.reporting.formats import FORMATS, WITH_SUMMARY
from fhir_keta.reporting.reporter import not_written
from fhir_keta.reporting.result import Counts, limited


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--profile", metavar="URL", multiple=True, help="Check against this profile too. Repeatable.")
@definitions_option
@click.option("--format", type=click.Choice(list(FORMATS)), default="text", show_default=True)
@click.option("--strict", is_flag=True, help="An unknown profile or questionnaire is an error, not a warning.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "none"]),
    default="error",
    show_default=True,
    help="The least severity that makes the exit code 1.",
)
@click.option("--max-findings", metavar="N", type=click.IntRange(min=0), help="Write out N findings, count the rest.")
@click.option("--summary", is_flag=True, help="End with the findings counted by rule and by file (text and json).")
@click.option("--show-values", is_flag=True, help="Quote the values found. They may be patient data.")
@click.option(
    "--jobs", metavar="N", type=click.IntRange(min=0), default=1, show_default=True, help="Processes; 0 is one a core."
)
def validate(
    paths: tuple[str, ...],
    profile: tuple[str, ...],
    definitions: tuple[str, ...],
    format: str,
    strict: bool,
    fail_on: str,
    max_findings: int | None,
    summary: bool,
    show_values: bool,
    jobs: int,
) -> None:
    """Check FHIR R4 records: JSON files, folders, Bundles, NDJSON, .gz of these, or - for standard input.

    Findings go to standard output, the counts to standard error. Nothing of a record but resource types, ids and names
    of elements is repeated in a finding, unless --show-values asks for it. What a rule means: fhir-keta explain RULE.
    """
    if summary and format not in WITH_SUMMARY:
        formats = " or ".join(WITH_SUMMARY)
        raise UsageError(f"--summary goes with --format {formats}: leave it out, or change the format.")
    reporter = (WITH_SUMMARY if summary else FORMATS)[format](sys.stdout)
    counts = Counts()
    with reading(paths) as advance:
        items = read_together(paths, advance=advance)
        from fhir_keta.validation.validator import Validator

        validator = Validator(library_with(definitions), profile, strict)
        with closing(results(items, validator.check, jobs or cores(), show_values=show_values)) as found:
            for result in limited(found, max_findings):
                counts.add(result)
                if result.findings and advance:
                    clear()
                reporter.add(result)
    reporter.finish()
    if counts.hidden:
        click.echo(not_written(counts.hidden), err=True)
    click.echo(_counted(counts), err=True)
    if fail_on != "none" and (counts.errors or (fail_on == "warning" and counts.warning)):
        raise click.exceptions.Exit(1)


def cores() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # only Linux says which
        return os.cpu_count() or 1


def _counted(counts: Counts) -> str:
    numbers = [_number(counts.records, "record"), _number(counts.errors, "error"), _number(counts.warning, "warning")]
    return "Checked {}: {}, {}.".format(*numbers)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
