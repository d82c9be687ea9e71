"""Definitions that somebody brings along: JSON files, folders, Bundles and FHIR packages, read for use in a Library."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any

from fhir_keta.definitions import package
from fhir_keta.definitions.library import Library, bundled
from fhir_keta.errors import DefinitionError, InputError

JsonObject = dict[str, Any]

LARGEST_FILE = 256 * 2**20
"""Bytes of one file of definitions. More is refused, so that a device or a wrong file does not fill the memory."""

# what a check makes use of; nothing else needs a url
_USED = frozenset({"CodeSystem", "Questionnaire", "StructureDefinition", "ValueSet"})


def read_definitions(paths: Iterable[str | PathLike[str]]) -> list[JsonObject]:
    """Return the definitions in JSON files, in folders of them, in Bundles, and in FHIR packages (.tgz).

    ``Validator(library=bundled().with_resources(read_definitions(paths)))`` checks against them. In folders, Bundles
    and packages other resources (examples, say) are passed over; hidden files and package.json are no resources.
    Raises InputError for a missing path, DefinitionError for what cannot be used, naming the file and the remedy: no
    JSON, no resource, a definition without url, two different definitions with one url and version, a profile whose
    base is not known or that is built on itself.
    """
    found: dict[tuple[str, str], tuple[JsonObject, str]] = {}
    for path in map(Path, paths):
        alone = path.is_file() and not path.name.endswith(package.ENDINGS)
        usable = 0
        for resource, place in _resources(path):
            if _is_definition(resource, place, alone):
                _add(resource, place, found)
                usable += 1
        if not usable:
            raise DefinitionError(f"{path} holds no definitions; name a file, folder or package that does")
    definitions = [resource for resource, _ in found.values()]
    _check_bases(found.values(), bundled().with_resources(definitions))
    return definitions


def _resources(path: Path) -> Iterator[tuple[JsonObject, str]]:
    """Each resource below ``path`` with its place in words; those in a Bundle one by one."""
    if path.is_dir():
        files = (file for file in sorted(path.rglob("*")) if file.is_file())
        for file in files:
            hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
            if not hidden and file.name.endswith((".json", *package.ENDINGS)) and not _is_manifest(file):
                yield from _resources(file)
    elif path.name.endswith(package.ENDINGS):
        if not path.is_file():
            raise InputError(f"{path} is not there; check the path after --definitions")
        for member in package.read(path).members:
            if not member.example:
                place = f"{member.resource['resourceType']} {member.resource.get('id', '')} in {path}"
                yield from _unbundled(member.resource, place)
    else:
        yield from _unbundled(_read(path), str(path))


def _is_manifest(file: Path) -> bool:
    """An unpacked package has its manifest among its resources."""
    return file.name == "package.json"


def _read(file: Path) -> JsonObject:
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}); check the path after --definitions") from error
    if len(data) > LARGEST_FILE:
        raise DefinitionError(f"{file} has more than {LARGEST_FILE:,} bytes; give its definitions in several files")
    try:
        value = json.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        raise DefinitionError(f"{file} is not JSON ({error}); correct it or leave it out") from error
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        raise DefinitionError(f"{file} is not a FHIR resource (no resourceType); correct it or leave it out")
    return value


def _unbundled(resource: JsonObject, place: str) -> Iterator[tuple[JsonObject, str]]:
    if resource["resourceType"] != "Bundle":
        yield resource, place
        return
    entries = resource.get("entry", [])
    for position, entry in enumerate(entries if isinstance(entries, list) else ()):
        inner = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(inner, dict) and isinstance(inner.get("resourceType"), str):
            yield inner, f"entry {position} of {place}"


def _is_definition(resource: JsonObject, place: str, alone: bool) -> bool:
    """Whether it is one, and usable; ``alone`` is a file that was named, so that it was meant to be one."""
    name = resource["resourceType"]
    if not isinstance(resource.get("url"), str):
        if name in _USED:
            raise DefinitionError(f"{place} is a {name} without url, so nothing can refer to it; give it a url")
        if alone and not place.startswith("entry "):
            raise DefinitionError(
                f"{place} is a {name:.64}, not a definition; name it without --definitions to check it as a record"
            )
        return False
    if not isinstance(resource.get("version", ""), str):
        raise DefinitionError(f"{place} has a version that is no text; write it in quotation marks")
    if name == "StructureDefinition":
        _check_structure(resource, place)
    return True


def _check_structure(resource: JsonObject, place: str) -> None:
    for key in ("kind", "type"):
        if not isinstance(resource.get(key), str):
            raise DefinitionError(f"{place} is a StructureDefinition without {key}; give it one")
    for view in ("snapshot", "differential"):
        holder = resource.get(view, {})
        elements = holder.get("element", []) if isinstance(holder, dict) else None
        if not isinstance(elements, list) or not all(_is_element(element) for element in elements):
            raise DefinitionError(f"{place}: its {view} is no list of elements with paths; correct it")


def _is_element(element: object) -> bool:
    return isinstance(element, dict) and isinstance(element.get("path"), str)


def _add(resource: JsonObject, place: str, found: dict[tuple[str, str], tuple[JsonObject, str]]) -> None:
    url, version = resource["url"], resource.get("version", "")
    known = found.setdefault((url, version), (resource, place))
    if known[0] != resource:
        canonical = f"{url}|{version}" if version else url
        raise DefinitionError(
            f"{place} and {known[1]} both define {canonical}, but differ; leave one out, or give it another version"
        )


def _check_bases(definitions: Iterable[tuple[JsonObject, str]], library: Library) -> None:
    """Every profile stands, through known definitions, on one that is no profile."""
    for definition, place in definitions:
        chain: list[str] = []
        current: JsonObject | None = definition
        while current is not None and _is_profile(current):
            if current["url"] in chain:
                circle = " -> ".join((*chain, current["url"]))
                raise DefinitionError(f"{place} is built on itself: {circle}; give one of them another baseDefinition")
            chain.append(current["url"])
            base = current.get("baseDefinition")
            if base is None:
                raise DefinitionError(
                    f"{place}: {chain[-1]} is a profile without baseDefinition; say what it is built on"
                )
            current = library.find(base) if isinstance(base, str) else None
            if current is None or current["resourceType"] != "StructureDefinition":
                raise DefinitionError(
                    f"{place}: the baseDefinition {base} of {chain[-1]} is not known; add its definition with "
                    "--definitions, or correct it"
                )


def _is_profile(definition: JsonObject) -> bool:
    return definition.get("derivation") == "constraint" and definition.get("kind") != "logical"
