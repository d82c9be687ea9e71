"""``fhir-keta validate``: records in, findings out."""

from __future__ import annotations

import sys

import click

from fhir_keta.records.source import read
from fhir_keta.reporting.formats import FORMATS
from fhir_keta.reporting.result import Counts, results


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--profile", metavar="URL", multiple=True, help="Check against this profile too. Repeatable.")
@click.option("--format", type=click.Choice(list(FORMATS)), default="text", show_default=True)
@click.option("--strict", is_flag=True, help="An unknown profile or questionnaire is an error, not a warning.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning"]),
    default="error",
    show_default=True,
    help="The least severity that makes the exit code 1.",
)
def validate(paths: tuple[str, ...], profile: tuple[str, ...], format: str, strict: bool, fail_on: str) -> None:
    """Check FHIR R4 records: JSON files, folders, Bundles, NDJSON, .gz of these, or - for standard input.

    Findings go to standard output, a summary to standard error. Nothing of a record but resource types and ids is
    repeated in a finding.
    """
    items = read(paths)
    from fhir_keta.validation.validator import Validator

    validator = Validator(profiles=profile, strict=strict)
    reporter = FORMATS[format](sys.stdout)
    counts = Counts()
    for result in results(items, validator.check):
        counts.add(result)
        reporter.add(result)
    reporter.finish()
    click.echo(_summary(counts), err=True)
    if counts.errors or (fail_on == "warning" and counts.warning):
        raise click.exceptions.Exit(1)


def _summary(counts: Counts) -> str:
    numbers = [_number(counts.records, "record"), _number(counts.errors, "error"), _number(counts.warning, "warning")]
    return "Checked {}: {}, {}.".format(*numbers)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
