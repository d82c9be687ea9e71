"""Our definitions and examples as a FHIR package: a gzipped tar in the npm layout, the same bytes every time.

Source: FHIR NPM package specification (FHIR R5, "FHIR NPM Packages").
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fhir_keta._version import __version__
from fhir_keta.definitions.library import PACKAGE, bundled, profiles
from fhir_keta.definitions.narrative import with_narrative
from fhir_keta.errors import DefinitionError

JsonObject = dict[str, Any]

NAME = "org.w3id.fhir-keta"
CANONICAL = "https://w3id.org/fhir-keta"
DEPENDENCIES = {"hl7.fhir.r4.core": "4.0.1", "hl7.fhir.uv.sdc": "3.0.0"}
FILE_NAME = f"{NAME}-{__version__}.tgz"

_INDEX_VERSION = 2
_INDEXED = (
    "resourceType", "id", "url", "version", "kind", "type", "supplements", "content", "valueSet", "derivation",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Example:
    """A record that shows the profiles in use: its bytes as they are published, and the same parsed."""

    data: bytes
    resource: JsonObject


def published() -> list[JsonObject]:
    """Return our definitions as they are packaged and uploaded: with snapshots and generated narratives.

    Those of SDC that this package carries to check with are not among them: they are not ours to publish.
    Raises DefinitionError when the installation lacks them.
    """
    return [with_narrative(_with_snapshot(definition)) for definition in profiles()]


def _with_snapshot(definition: JsonObject) -> JsonObject:
    if definition["resourceType"] != "StructureDefinition":
        return definition
    structure = bundled().structure(f"{definition['url']}|{definition['version']}")
    assert structure is not None
    # FHIR's order: the snapshot stands before the differential
    rest = {name: value for name, value in definition.items() if name != "differential"}
    return {**rest, "snapshot": structure["snapshot"], "differential": definition["differential"]}


def examples() -> list[Example]:
    """Return the records of the example course, each as it stands in the export: they refer to nothing outside it.

    Raises DefinitionError when the installation lacks them.
    """
    files = sorted((PACKAGE / "examples" / "export").glob("*.ndjson"))
    if not files:
        raise DefinitionError("this installation of fhir-keta lacks its folder examples/export; install it again")
    return [Example(line, json.loads(line)) for file in files for line in file.read_bytes().splitlines(keepends=True)]


def build(definitions: Iterable[JsonObject], records: Iterable[Example]) -> bytes:
    """Return the package that holds these definitions, and these records as its examples.

    The bytes depend on nothing else: not on time, place, user, file modes or the order in which a folder is read.
    """
    conformance = list(definitions)
    files = {f"package/{_file_name(item)}": (_dump(item), item) for item in conformance}
    files |= {f"package/example/{_file_name(each.resource)}": (each.data, each.resource) for each in records}
    content = {"package/package.json": _dump(_manifest(conformance))}
    for folder in sorted({name.rpartition("/")[0] for name in files}):
        content[f"{folder}/.index.json"] = _dump(_index(folder, files))
    content |= {name: files[name][0] for name in sorted(files)}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in content.items():
            archive.addfile(_member(name, len(data)), io.BytesIO(data))
    compressed = io.BytesIO()
    with gzip.GzipFile("", "wb", 9, compressed, mtime=0) as stream:
        stream.write(packed.getvalue())
    return compressed.getvalue()


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
        {"filename": name.rpartition("/")[2], **{key: resource[key] for key in _INDEXED if _is_text(resource, key)}}
        for name, (_, resource) in sorted(files.items())
        if name.rpartition("/")[0] == folder
    ]
    return {"index-version": _INDEX_VERSION, "files": entries}


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
