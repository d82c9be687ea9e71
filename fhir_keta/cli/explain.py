"""``fhir-keta explain``: what a rule means."""

from __future__ import annotations

import click

from fhir_keta.cli.definitions import definitions_option, library_with


@click.command()
@click.argument("rule", required=False)
@definitions_option
def explain(rule: str | None, definitions: tuple[str, ...]) -> None:
    """Say what RULE means, why it is there, and how to mend what it finds. Without RULE: all rules there are.

    RULE is what stands in brackets in a finding: a rule of this program, or the key of an invariant such as obs-7.
    """
    from fhir_keta.reporting.explanation import explanation, rule_list

    library = library_with(definitions)
    click.echo(rule_list(library) if rule is None else explanation(rule, library), nl=False)
