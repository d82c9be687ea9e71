"""``fhir-keta schema export``: what validate checks, as JSON Schemas for other languages."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fhir_keta.errors import UsageError


@click.group()
def schema() -> None:
    """JSON Schemas (draft 2020-12) made from the profiles and questionnaires."""


@schema.command()
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
def export(directory: Path) -> None:
    """Write one schema for each profile and one for each questionnaire's responses into DIR.

    They check a resource's JSON as it is written, in any language. What a schema cannot say is listed in its $comment.
    """
    from fhir_keta.definitions.library import bundled, profiles
    from fhir_keta.validation.published.schemas import published_schemas

    count = 0
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for document in published_schemas(profiles(), bundled()):
            text = json.dumps(document.schema, ensure_ascii=False, indent=1)
            (directory / document.name).write_text(f"{text}\n", encoding="utf-8", newline="\n")
            count += 1
    except OSError as error:
        raise UsageError(f"Cannot write to {directory}: {error.strerror}. Choose another folder.") from error
    click.echo(f"{count} schemas written to {directory}.")
