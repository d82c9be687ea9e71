"""FHIR packages, anybody's: gzipped tars in the npm layout (.tgz), read with care. ``package_build`` writes ours.

Source: FHIR NPM package specification (FHIR R5, "FHIR NPM Packages").
"""

from __future__ import annotations

import gzip
import json
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from fhir_keta.errors import DefinitionError

JsonObject = dict[str, Any]

ENDINGS = (".tgz", ".tar.gz")

LARGEST_FILE = 64 * 2**20
LARGEST_PACKAGE = 512 * 2**20
MOST_FILES = 100_000
BROKEN = (tarfile.TarError, OSError, EOFError, zlib.error)

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_EXAMPLE_FOLDERS = ("package/example", "package/examples", "example", "examples")


@dataclass(frozen=True, slots=True)
class Member:
    """A resource of a package: the name of its file in the package, its bytes, and the same parsed.

    ``example`` says that it stands in a folder of examples.
    """

    name: str
    data: bytes
    resource: JsonObject
    example: bool


@dataclass(frozen=True, slots=True)
class Package:
    """A package for FHIR R4, in its own order. ``passed_over`` are the names of JSON files that are no resources."""

    name: str
    version: str
    dependencies: dict[str, str]
    members: tuple[Member, ...]
    passed_over: tuple[str, ...]


def read(source: Path) -> Package:
    """Return the resources of a FHIR package for R4. Nothing is unpacked to disk.

    They are the .json files of the folder ``package`` and those of a folder ``example``; of other folders (``xml``,
    ``other``, ``openapi``) the specification does not define the use, so they are not looked into.
    Raises DefinitionError when the file is no such package or is not safe to read: links, names that leave the
    package, sizes no package has.
    """
    found: list[Member] = []
    passed_over: list[str] = []
    manifest: JsonObject | None = None
    for name, data in _files(source):
        folder, _, file = name.rpartition("/")
        if name == "package/package.json":
            manifest = _json(data, f"{name} in {source}")
        elif file.endswith(".json") and not file.startswith(".") and folder in ("package", *_EXAMPLE_FOLDERS):
            resource = _json(data, f"{name} in {source}")
            if isinstance(resource.get("resourceType"), str):
                found.append(Member(name, data.removeprefix(_BYTE_ORDER_MARK), resource, folder != "package"))
            else:
                passed_over.append(name)
    if manifest is None:
        raise DefinitionError(f"{source} is not a FHIR package: it has no package/package.json; give a package (.tgz)")
    versions = manifest.get("fhirVersions") or manifest.get("fhir-version-list") or ["4.0.1"]
    if not isinstance(versions, list) or not any(str(version).startswith("4.0") for version in versions):
        named = ", ".join(map(str, versions)) if isinstance(versions, list) else str(versions)
        raise DefinitionError(f"{source} is for FHIR {named}; give its edition for FHIR 4.0.1")
    needed = manifest.get("dependencies")
    return Package(
        str(manifest.get("name", source.name)),
        str(manifest.get("version", "")),
        {str(name): str(version) for name, version in needed.items()} if isinstance(needed, dict) else {},
        tuple(found),
        tuple(passed_over),
    )


class _Limited:
    """The unpacked bytes of a package, up to what a package may have: also tar's own headers count."""

    def __init__(self, stream: gzip.GzipFile, name: str) -> None:
        self._stream = stream
        self._name = name
        self._left = LARGEST_PACKAGE

    def read(self, size: int) -> bytes:
        data = self._stream.read(min(size, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise DefinitionError(f"{self._name} unpacks to more than {LARGEST_PACKAGE:,} bytes; give a real package")
        return data


def _files(source: Path) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of every file in the package, each held to be safe."""
    try:
        with gzip.open(source) as stream:
            limited = cast(IO[bytes], _Limited(stream, str(source)))
            with tarfile.open(fileobj=limited, mode="r|") as archive:
                yield from _members(archive, source)
    except BROKEN as error:
        raise DefinitionError(f"{source} cannot be read as a package ({error}); give a FHIR package (.tgz)") from error


def _members(archive: tarfile.TarFile, source: Path) -> Iterator[tuple[str, bytes]]:
    for count, member in enumerate(archive):
        if count >= MOST_FILES:
            raise DefinitionError(f"{source} has more than {MOST_FILES:,} files; give a real package")
        if not member.isdir():
            _check(member, source)
            content = archive.extractfile(member)
            assert content is not None
            yield str(PurePosixPath(member.name)), content.read()


def _check(member: tarfile.TarInfo, source: Path) -> None:
    path = PurePosixPath(member.name)
    if not member.isfile():
        raise DefinitionError(f"{source} holds {member.name!r}, which is a link or device; give a package without it")
    if path.is_absolute() or ".." in path.parts or "\\" in member.name or ":" in member.name.split("/")[0]:
        raise DefinitionError(f"{source} holds {member.name!r}, which leaves the package; give a package without it")
    if member.size > LARGEST_FILE:
        raise DefinitionError(
            f"{member.name} in {source} has {member.size:,} bytes, over {LARGEST_FILE:,}; leave it out"
        )


def _json(data: bytes, place: str) -> JsonObject:
    try:
        value = json.loads(data.removeprefix(_BYTE_ORDER_MARK))
    except (ValueError, RecursionError) as error:
        raise DefinitionError(f"{place} is not JSON ({error}); correct it") from error
    if not isinstance(value, dict):
        raise DefinitionError(f"{place} is not a JSON object; correct it")
    return value
