"""The option ``--definitions``, for every command that has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fhir_keta.definitions.library import Library

definitions_option = click.option(
    "--definitions",
    metavar="PATH",
    multiple=True,
    help="Use these definitions too: a JSON file, a folder, or a FHIR package (.tgz). Repeatable.",
)


def library_with(paths: tuple[str, ...]) -> Library:
    """What this package carries, with the definitions that the user brings on top."""
    from fhir_keta.definitions.library import bundled

    if not paths:
        return bundled()
    from fhir_keta.definitions.incoming import read_definitions

    return bundled().with_resources(read_definitions(paths))
