"""FHIR packages: ours written, anybody's read. A package is a gzipped tar in the npm layout (.tgz)."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from fhir_keta._version import __version__
from fhir_keta.definitions.library import bundled, profiles
from fhir_keta.definitions.narrative import with_narrative
from fhir_keta.errors import DefinitionError

JsonObject = dict[str, Any]

NAME = "org.w3id.fhir-keta"
CANONICAL = "https://w3id.org/fhir-keta"
DEPENDENCIES = {"hl7.fhir.r4.core": "4.0.1", "hl7.fhir.uv.sdc": "3.0.0"}
INDEXED = ("resourceType", "id", "url", "version", "kind", "type")

LARGEST_FILE = 64 * 2**20
LARGEST_PACKAGE = 512 * 2**20
MOST_FILES = 100_000
BROKEN = (tarfile.TarError, OSError, EOFError, zlib.error)


# ---- writing --------------------------------------------------------------------------------------------------------


def published() -> list[JsonObject]:
    """Return our definitions as they are packaged and uploaded: with snapshots and generated narratives."""
    return [with_narrative(_with_snapshot(definition)) for definition in profiles()]


def _with_snapshot(definition: JsonObject) -> JsonObject:
    if definition["resourceType"] != "StructureDefinition":
        return definition
    structure = bundled().structure(f"{definition['url']}|{definition['version']}")
    assert structure is not None
    # FHIR's order: the snapshot stands before the differential
    rest = {name: value for name, value in definition.items() if name != "differential"}
    return {**rest, "snapshot": structure["snapshot"], "differential": definition["differential"]}


def build(target: Path, examples: Iterable[Path] = ()) -> None:
    """Write our definitions, with snapshots and narratives, as the FHIR package ``target``; the same bytes every time.

    ``examples`` are JSON files of one resource each; they go to package/example as they are.
    Raises DefinitionError when a definition or example cannot be used.
    Source: FHIR NPM package specification (FHIR R5, "FHIR NPM Packages").
    """
    definitions = published()
    files = {f"package/{_file_name(item)}": (_dump(item), item) for item in definitions}
    for example in examples:
        resource = _resource(example.read_bytes(), str(example))
        files[f"package/example/{_file_name(resource)}"] = (example.read_bytes(), resource)
    content: dict[str, bytes] = {"package/package.json": _dump(_manifest(definitions))}
    for folder in sorted({name.rpartition("/")[0] for name in files}):
        content[f"{folder}/.index.json"] = _dump(_index(folder, files))
    content |= {name: files[name][0] for name in sorted(files)}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in content.items():
            archive.addfile(_member(name, len(data)), io.BytesIO(data))
    with target.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as stream:
        stream.write(packed.getvalue())


def _file_name(resource: JsonObject) -> str:
    return f"{resource['resourceType']}-{resource['id']}.json"


def _manifest(definitions: list[JsonObject]) -> JsonObject:
    guide = next((item for item in definitions if item["resourceType"] == "ImplementationGuide"), {})
    return {
        "name": NAME,
        "version": __version__,
        "canonical": CANONICAL,
        "url": CANONICAL + "/",
        "title": guide.get("title", "fhir-keta"),
        "description": guide.get("description", ""),
        "type": "IG",
        "fhirVersions": ["4.0.1"],
        "dependencies": DEPENDENCIES,
        "author": guide.get("publisher", "fhir-keta maintainers"),
        "license": "Apache-2.0",
        "jurisdiction": "http://unstats.un.org/unsd/methods/m49/m49.htm#001",
        "directories": {"lib": "package", "example": "example"},
    }


def _index(folder: str, files: dict[str, tuple[bytes, JsonObject]]) -> JsonObject:
    entries = [
        {"filename": name.rpartition("/")[2], **{key: resource[key] for key in INDEXED if _is_text(resource, key)}}
        for name, (_, resource) in sorted(files.items())
        if name.rpartition("/")[0] == folder
    ]
    return {"index-version": 1, "files": entries}


def _is_text(resource: JsonObject, key: str) -> bool:
    return isinstance(resource.get(key), str)


def _dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o644
    member.mtime = 0
    return member


# ---- reading --------------------------------------------------------------------------------------------------------


def read(source: Path, examples: bool = False) -> list[JsonObject]:
    """Return the resources of a FHIR package for R4, in its order, on request with its examples. Nothing is unpacked.

    Raises DefinitionError when the file is no such package or is not safe to read: links, names that leave the
    package, sizes no package has.
    """
    found: list[JsonObject] = []
    manifest: JsonObject | None = None
    for name, data in _files(source):
        folder, _, file = name.rpartition("/")
        if name == "package/package.json":
            manifest = _json(data, f"{name} in {source}")
        elif file.endswith(".json") and not file.startswith(".") and _wanted(folder, examples):
            found.append(_resource(data, f"{name} in {source}"))
    if manifest is None:
        raise DefinitionError(f"{source} is not a FHIR package: it has no package/package.json; give a package (.tgz)")
    versions = manifest.get("fhirVersions") or manifest.get("fhir-version-list") or ["4.0.1"]
    if not any(str(version).startswith("4.0") for version in versions):
        raise DefinitionError(f"{source} is for FHIR {', '.join(map(str, versions))}; give its edition for FHIR 4.0.1")
    return found


def _wanted(folder: str, examples: bool) -> bool:
    return folder == "package" or (examples and folder in ("package/example", "package/examples"))


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
        value = json.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        raise DefinitionError(f"{place} is not JSON ({error}); correct it") from error
    if not isinstance(value, dict):
        raise DefinitionError(f"{place} is not a JSON object; correct it")
    return value


def _resource(data: bytes, place: str) -> JsonObject:
    resource = _json(data, place)
    if not isinstance(resource.get("resourceType"), str):
        raise DefinitionError(f"{place} is not a FHIR resource (no resourceType); leave it out")
    return resource
