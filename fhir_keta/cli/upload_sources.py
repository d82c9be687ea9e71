"""What ``fhir-keta upload`` is to bring to the server: our definitions, records from files, or a FHIR package."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fhir_keta.errors import InputError

if TYPE_CHECKING:
    from fhir_keta.records.source import Record


def sources(paths: Sequence[str], *, examples: bool) -> Iterator[Record | dict[str, Any]]:
    """The resources of the paths, those of packages last; without paths our own definitions.

    ``examples`` brings those of packages too. Raises InputError or DefinitionError for what cannot be read.
    """
    from fhir_keta.definitions import package, package_build

    if not paths:
        return iter(package_build.published())
    packages = [path for path in paths if path.endswith(package.ENDINGS) and Path(path).is_file()]
    others = [path for path in paths if path not in packages]
    return chain(_records(others), *(_of_package(path, examples) for path in packages))


def _records(paths: Sequence[str]) -> Iterator[Record]:
    from fhir_keta.records.source import Fault, read
    from fhir_keta.validation import rules

    for record in read(paths):
        if isinstance(record, Fault):
            problem = rules.issue(record.rule, "", **record.names).message
            line = f":{record.place.line}" if record.place.line is not None else ""
            raise InputError(f"{record.place.path}{line}: {problem} Nothing was uploaded.")
        yield record


def _of_package(path: str, examples: bool) -> Iterator[Record]:
    from fhir_keta.records.files import shown
    from fhir_keta.server.packages import choose

    chosen = choose(Path(path), examples=examples)
    for remark in chosen.remarks:
        click.echo(f"{shown(path)}: {remark}", err=True)
    yield from chosen.records
