"""``fhir-keta package build``: our definitions and examples as one file that FHIR tools and servers install."""

from __future__ import annotations

from pathlib import Path

import click

from fhir_keta.errors import UsageError


@click.group()
def package() -> None:
    """The FHIR package (.tgz) of the profiles, questionnaires, vocabulary and examples."""


@package.command()
@click.argument("directory", metavar="[DIRECTORY]", type=click.Path(file_okay=False, path_type=Path), default=".")
def build(directory: Path) -> None:
    """Write the package into DIRECTORY (the current one by default), under its name and version.

    Definitions come with snapshots and narratives. The bytes are the same at each build of a version.
    """
    from fhir_keta.definitions import package_build

    definitions, examples = package_build.published(), package_build.examples()
    target = directory / package_build.FILE_NAME
    try:
        directory.mkdir(parents=True, exist_ok=True)
        target.write_bytes(package_build.build(definitions, examples))
    except OSError as error:
        raise UsageError(f"Cannot write to {directory}: {error.strerror}. Choose another folder.") from error
    click.echo(f"{target}: {len(definitions)} definitions, {len(examples)} examples.")
