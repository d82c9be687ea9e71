"""What is known: FHIR R4's own definitions and ours, looked up by type, canonical or canonical|version."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from fhir_keta.definitions import codes as code_lists
from fhir_keta.definitions.codes import Codes
from fhir_keta.errors import DefinitionError

__all__ = ["Codes", "Library", "bundled"]

try:
    from orjson import loads
except ImportError:  # PyPy, Pyodide: see the environment marker in setup.cfg
    from json import loads  # type: ignore[assignment]

JsonObject = dict[str, Any]

PACKAGE = Path(__file__).resolve().parent.parent
CORE = "http://hl7.org/fhir/StructureDefinition/"

# what reading a definition of the wrong shape raises
MALFORMED = (AttributeError, IndexError, KeyError, StopIteration, TypeError, ValueError)


class Library:
    """Conformance resources and questionnaires by canonical; treat everything it returns as read-only.

    A library never changes: ``with_resources`` puts a new one on top. It can be pickled.
    """

    def __init__(self, resources: Iterable[JsonObject] = (), below: Library | None = None) -> None:
        """Hold the resources that have a ``url``, over those of the library ``below``; later ones win."""
        self._below = below
        self._own: dict[str, dict[str, JsonObject]] = {}
        for resource in resources:
            if isinstance(url := resource.get("url"), str):
                self._own.setdefault(url, {})[resource.get("version", "")] = resource
        self._structures: dict[str, JsonObject] = {}
        self._codes: dict[str, Codes | None] = {}
        self._limits: dict[str, Codes | None] = {}

    def find(self, canonical: str) -> JsonObject | None:
        """Return the resource with this ``url`` or ``url|version``, without a version the newest, or None."""
        url, _, version = canonical.partition("|")
        known = self._versions(url)
        if not version:
            version = max(known, key=_age, default="")
        return known[version]() if version in known else None

    def structure(self, type_or_canonical: str) -> JsonObject | None:
        """Return the StructureDefinition of a type ("Observation") or canonical, with a snapshot, or None.

        Raises DefinitionError when a snapshot is missing and cannot be generated from the differential.
        """
        return self._structure(type_or_canonical, ())

    def _structure(self, type_or_canonical: str, asking: tuple[str, ...]) -> JsonObject | None:
        """``asking`` are the definitions whose snapshots are in the making and need this one."""
        canonical = type_or_canonical if ":" in type_or_canonical else CORE + type_or_canonical
        if canonical not in self._structures:
            found = self.find(canonical)
            if found is None or found["resourceType"] != "StructureDefinition":
                return None  # not remembered: records may name any number of unknown ones
            _check_shape(found)
            if "snapshot" not in found:
                found = self._generated(found, (*asking, found["url"]))
            if "id" not in found:  # messages name it by that
                found = {"id": found["url"].rpartition("/")[2], **found}
            self._structures[canonical] = found
        return self._structures[canonical]

    def _generated(self, definition: JsonObject, asking: tuple[str, ...]) -> JsonObject:
        from fhir_keta.definitions.snapshot import with_snapshot

        if definition["url"] in asking[:-1]:
            circle = " -> ".join(asking)
            raise DefinitionError(
                f"profiles are built on each other in a circle: {circle}; give one of them another base"
            )
        try:
            return with_snapshot(definition, lambda name: self._structure(name, asking))
        except MALFORMED as error:
            raise _malformed(definition) from error

    def codes(self, value_set_canonical: str) -> Codes | None:
        """Return the codes of a value set, or None when it is unknown or cannot be enumerated here."""
        if value_set_canonical not in self._codes:
            found = self._value_set(value_set_canonical)
            self._codes[value_set_canonical] = self.expand(found) if found else None
        return self._codes[value_set_canonical]

    def possible_codes(self, value_set_canonical: str) -> Codes | None:
        """Return the codes that may be in a value set, also one that cannot be enumerated here; None if any may be."""
        if value_set_canonical not in self._limits:
            found = self._value_set(value_set_canonical)
            self._limits[value_set_canonical] = code_lists.limits(found, self.find) if found else None
        return self._limits[value_set_canonical]

    def _value_set(self, canonical: str) -> JsonObject | None:
        found = self.find(canonical)
        return found if found is not None and found["resourceType"] == "ValueSet" else None

    def expand(self, value_set: JsonObject) -> Codes | None:
        """Return the codes of a ValueSet resource (a contained one, say), or None when it cannot be enumerated here."""
        return code_lists.expand(value_set, self.find)

    def code_system(self, url: str) -> JsonObject | None:
        """Return the CodeSystem with this ``url`` or ``url|version``, or None."""
        found = self.find(url)
        return found if found is not None and found["resourceType"] == "CodeSystem" else None

    def is_value_set(self, canonical: str) -> bool:
        """Return whether this canonical is that of a ValueSet known here."""
        return self._value_set(canonical) is not None

    def of_type(self, resource_type: str) -> Iterator[JsonObject]:
        """Yield every resource of this type; one that a higher layer replaces (same url and version) only once."""
        for url in self._urls(resource_type):
            for read in self._versions(url).values():
                if (resource := read())["resourceType"] == resource_type:
                    yield resource

    @property
    def resource_types(self) -> frozenset[str]:
        """The concrete resource types of FHIR R4 that this library knows."""
        return self._below.resource_types if self._below is not None else frozenset()

    def with_resources(self, resources: Iterable[JsonObject]) -> Library:
        """Return a new library with these resources (parsed JSON) on top of this one."""
        return Library(resources, self)

    def _versions(self, url: str) -> dict[str, Any]:
        """How to read each known version of ``url``."""
        known = self._below._versions(url) if self._below is not None else {}
        own = self._own.get(url)
        return {**known, **{version: (lambda item=item: item) for version, item in own.items()}} if own else known

    def _urls(self, resource_type: str) -> list[str]:
        own = [
            url for url, known in self._own.items() for item in known.values() if item["resourceType"] == resource_type
        ]
        return list(dict.fromkeys([*(self._below._urls(resource_type) if self._below is not None else []), *own]))


class BaseLibrary(Library):
    """FHIR R4's own definitions, read on demand from the files that tools/compile_r4.py made."""

    def __init__(self) -> None:
        super().__init__()
        index = loads(r4_file("index.json"))
        self._resource_types = frozenset(index["resourceTypes"])
        self._places = {
            url: (resource_type, version, archive, number, position)
            for archive, members in index["archives"].items()
            for number, group in enumerate(members)
            for position, (resource_type, url, version) in enumerate(group)
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return (base, ())

    @property
    def resource_types(self) -> frozenset[str]:
        return self._resource_types

    def _versions(self, url: str) -> dict[str, Any]:
        if url not in self._places:
            return {}
        _, version, archive, number, position = self._places[url]
        return {version: lambda: _group(archive, number)[position]}

    def _urls(self, resource_type: str) -> list[str]:
        return [url for url, place in self._places.items() if place[0] == resource_type]


@cache
def base() -> Library:
    """Return the library of FHIR R4 4.0.1 alone: types, resources, core profiles and extensions, terminology."""
    return BaseLibrary()


@cache
def bundled() -> Library:
    """Return the library of everything this package carries: FHIR R4, the SDC extensions it needs, its own profiles.

    Raises DefinitionError when the installation lacks them.
    """
    return base().with_resources(_resources("definitions/sdc")).with_resources(profiles())


def profiles() -> list[JsonObject]:
    """Return this project's own definitions (profiles/), in the order of their file names.

    Raises DefinitionError when the folder is missing or a file in it is not a JSON resource.
    """
    return _resources("profiles")


def _resources(name: str) -> list[JsonObject]:
    found = [_resource(file) for file in sorted(_folder(name).rglob("*.json"))]
    if not found:
        raise DefinitionError(f"this installation of fhir-keta has nothing in its folder {name}; install it again")
    return found


def _resource(file: Path) -> JsonObject:
    try:
        resource = loads(file.read_bytes())
    except ValueError as error:
        raise DefinitionError(f"{file} is not JSON ({error}); correct it or install fhir-keta again") from error
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        raise DefinitionError(f"{file} is not a FHIR resource (no resourceType); correct it or remove it")
    return resource


def _folder(name: str) -> Path:
    folder = PACKAGE / name
    if not folder.is_dir():
        raise DefinitionError(f"this installation of fhir-keta lacks its folder {name}; install the package again")
    return folder


def r4_file(name: str) -> bytes:
    """Return the content of a file that tools/compile_r4.py made. Raises DefinitionError when it is missing."""
    try:
        return (_folder("definitions/r4") / name).read_bytes()
    except OSError as error:
        raise DefinitionError(
            f"this installation of fhir-keta lacks definitions/r4/{name}; install it again, or in a checkout run "
            "tools/compile_r4.py"
        ) from error


@cache
def _group(archive: str, number: int) -> list[JsonObject]:
    """The definitions in one member of an archive."""
    group: list[JsonObject] = loads(_archive(archive).read(f"{number:03}.json"))
    return group


@cache
def _archive(name: str) -> zipfile.ZipFile:
    """Opened over bytes in memory, so that forked processes share no file position."""
    return zipfile.ZipFile(io.BytesIO(r4_file(name)))


def _age(version: str) -> list[tuple[int, int, str]]:
    """Sort versions like 0.10.0 after 0.9.0, and a pre-release before its release."""
    parts = re.split(r"[.\-+]", version)
    key = [(1, int(part), "") if part.isdigit() else (-1, 0, part) for part in parts]
    return [*key, (0, 0, "")]


def _check_shape(definition: JsonObject) -> None:
    """Where an extension may stand: of a StructureDefinition all that is read besides its elements."""
    contexts, invariants = definition.get("context", []), definition.get("contextInvariant", [])
    named = isinstance(contexts, list) and all(
        isinstance(each, dict) and isinstance(each.get("type"), str) and isinstance(each.get("expression"), str)
        for each in contexts
    )
    if not named or not isinstance(invariants, list) or not all(isinstance(each, str) for each in invariants):
        raise _malformed(definition)


def _malformed(definition: JsonObject) -> DefinitionError:
    return DefinitionError(
        f"{definition['url']} is malformed and cannot be used; check its file with fhir-keta validate"
    )
