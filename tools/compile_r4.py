"""Make fhir_keta/definitions/r4/ from HL7's own FHIR R4 (4.0.1) definitions.

Re-run: ``python tools/compile_r4.py [JAR]``.

Source: the Maven artifact named in ``SOURCE``, which carries HL7's published definitions unmodified, as XML. Without
an argument it is fetched by the ``mvn`` command from wherever your Maven is set up to look.

What is kept is what validating a record and generating the snapshot of a profile need; see ``compact``. The output is
the same, byte for byte, at every run with the same zlib.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SOURCE = "ca.uhn.hapi.fhir:hapi-fhir-validation-resources-r4:8.8.0"
TARGET = Path(__file__).resolve().parent.parent / "fhir_keta" / "definitions" / "r4"
FOLDER = "org/hl7/fhir/r4/model/"
STRUCTURES = (
    "profile/profiles-types.xml",
    "profile/profiles-resources.xml",
    "profile/profiles-others.xml",
    "extension/extension-definitions.xml",
)
SEARCHES = "sp/search-parameters.json"
TERMINOLOGY = ("valueset/valuesets.xml", "valueset/v2-tables.xml", "valueset/v3-codesystems.xml")

FHIR = "{http://hl7.org/fhir}"
XHTML = "http://www.w3.org/1999/xhtml"
GROUP = 64 * 1024
ARCHIVES = {"StructureDefinition": "structures.zip", "CodeSystem": "terminology.zip", "ValueSet": "terminology.zip"}

JsonObject = dict[str, Any]


# ---- FHIR XML to FHIR JSON ------------------------------------------------------------------------------------------


class Shapes:
    """What each element of R4 is, read from the StructureDefinitions themselves: its types and whether it repeats."""

    def __init__(self, definitions: list[ElementTree.Element]) -> None:
        self.elements: dict[str, tuple[bool, list[str], str | None]] = {}
        self.primitives: set[str] = set()
        self.bases: dict[str, str] = {}
        for definition in definitions:
            if _value(definition, "derivation") == "constraint":
                continue
            name = _value(definition, "type")
            if _value(definition, "kind") == "primitive-type":
                self.primitives.add(name)
            for element in definition.findall(f"{FHIR}snapshot/{FHIR}element"):
                types = [_value(node, "code") for node in element.findall(f"{FHIR}type")]
                repeats = _value(element.find(f"{FHIR}base"), "max") != "1"
                reference = _value(element, "contentReference") or None
                self.elements[_value(element, "path")] = (repeats, types, reference)

    def child(self, path: str, name: str) -> tuple[bool, str]:
        """(repeats, path or type under which the grandchildren stand) of child ``name`` of the element at ``path``."""
        if (found := self.elements.get(f"{path}.{name}")) is not None:
            repeats, types, reference = found
            if reference is not None:
                return repeats, reference.removeprefix("#")
            if types[0].startswith("http://hl7.org/fhirpath/System."):
                return repeats, "string"
            backbone = types[0] in ("BackboneElement", "Element")
            return repeats, f"{path}.{name}" if backbone else types[0]
        for position in range(len(name) - 1, 0, -1):
            choice = self.elements.get(f"{path}.{name[:position]}[x]")
            if choice is not None:
                suffix = name[position:]
                return choice[0], next(code for code in choice[1] if code[0].upper() + code[1:] == suffix)
        raise ValueError(f"{path} has no child {name}: the definitions and their XML do not agree")


def _value(node: ElementTree.Element | None, name: str) -> str:
    child = node.find(FHIR + name) if node is not None else None
    return child.get("value", "") if child is not None else ""


def to_json(node: ElementTree.Element, shapes: Shapes) -> JsonObject:
    """Turn the XML of one resource into its FHIR JSON form (R4, "JSON Representation of Resources")."""
    name = node.tag.removeprefix(FHIR)
    return {"resourceType": name, **_members(node, name, shapes)}


def _members(node: ElementTree.Element, path: str, shapes: Shapes) -> JsonObject:
    members: JsonObject = {name: value for name, value in node.attrib.items() if name in ("id", "url")}
    repeated: set[str] = set()
    for child in node:
        name = child.tag.rpartition("}")[2]
        if child.tag == f"{{{XHTML}}}div":
            members["div"] = _xhtml(child)
            continue
        repeats, kind = shapes.child(path, name)
        if kind == "Resource":
            _add(members, name, to_json(child[0], shapes), repeats)
        elif kind in shapes.primitives:
            beside: JsonObject = {key: child.attrib[key] for key in ("id",) if key in child.attrib}
            if len(child):
                beside |= _members(child, "Element", shapes)
            _add(members, name, _primitive(child.get("value"), kind), repeats)
            if repeats:
                members.setdefault("_" + name, []).append(beside or None)
                repeated.add("_" + name)
            elif beside:
                members["_" + name] = beside
        else:
            _add(members, name, _members(child, kind, shapes), repeats)
    for name in repeated:
        if not any(members[name]):
            del members[name]
    return {name: value for name, value in members.items() if value is not None}


def _add(members: JsonObject, name: str, value: object, repeats: bool) -> None:
    if repeats:
        members.setdefault(name, []).append(value)
    elif name in members:
        raise ValueError(f"{name} stands twice where one is allowed")
    else:
        members[name] = value


def _primitive(text: str | None, kind: str) -> object:
    if text is None:
        return None
    if kind == "boolean":
        return {"true": True, "false": False}[text]
    if kind in ("integer", "positiveInt", "unsignedInt"):
        return int(text)
    if kind == "decimal":
        return float(text) if "." in text else int(text)
    return text


def _xhtml(node: ElementTree.Element) -> str:
    ElementTree.register_namespace("", XHTML)
    copy = ElementTree.fromstring(ElementTree.tostring(node))
    copy.tail = None
    return ElementTree.tostring(copy, encoding="unicode")


def definitions(jar: Path, files: tuple[str, ...] = STRUCTURES + TERMINOLOGY) -> Iterator[JsonObject]:
    """Yield every resource of the named files of the jar as complete FHIR JSON, in their order."""
    with zipfile.ZipFile(jar) as archive:

        def resources(file: str) -> list[ElementTree.Element]:
            root = ElementTree.fromstring(archive.read(FOLDER + file))
            return [node[0] for node in root.findall(f"{FHIR}entry/{FHIR}resource")]

        read = {file: resources(file) for file in {*files, *STRUCTURES[:2]}}
        structures = [
            node for file in STRUCTURES[:2] for node in read[file] if node.tag == f"{FHIR}StructureDefinition"
        ]
        shapes = Shapes(structures)
        for file in files:
            for node in read[file]:
                yield to_json(node, shapes)


# ---- what is kept ---------------------------------------------------------------------------------------------------

_EXTENSION = "http://hl7.org/fhir/StructureDefinition/"
KEPT_EXTENSIONS = {
    _EXTENSION + "structuredefinition-fhir-type",  # the FHIR type of an element whose type is a FHIRPath System type
    _EXTENSION + "regex",  # the lexical form of a primitive
    _EXTENSION + "elementdefinition-maxValueSet",
    _EXTENSION + "elementdefinition-minValueSet",
    _EXTENSION + "elementdefinition-allowedUnits",
    _EXTENSION + "elementdefinition-bestpractice",  # a constraint that is advice
}
KEPT_METADATA = ("resourceType", "id", "url", "version", "name", "title", "status", "experimental")
KEPT_STRUCTURE = (
    *KEPT_METADATA,
    "fhirVersion",
    "kind",
    "abstract",
    "context",
    "contextInvariant",
    "type",
    "baseDefinition",
    "derivation",
)
DROPPED_ELEMENT = ("comment", "requirements", "alias", "example", "mapping", "code", "label")
KEPT_CODE_SYSTEM = (
    *KEPT_METADATA,
    "caseSensitive",
    "valueSet",
    "hierarchyMeaning",
    "compositional",
    "versionNeeded",
    "content",
    "supplements",
    "count",
    "filter",
    "property",
)


def compact(resource: JsonObject) -> JsonObject | None:
    """Return what we ship of one definition, or None for types that we do not ship (operations, search, capability)."""
    match resource["resourceType"]:
        case "StructureDefinition":
            kept = {name: resource[name] for name in KEPT_STRUCTURE if name in resource}
            elements = [_compact_element(element) for element in resource["snapshot"]["element"]]
            return {**kept, "snapshot": {"element": elements}}
        case "CodeSystem":
            kept = {name: resource[name] for name in KEPT_CODE_SYSTEM if name in resource}
            return {**kept, "concept": [_compact_concept(concept) for concept in resource.get("concept", ())]}
        case "ValueSet":
            kept = {name: resource[name] for name in (*KEPT_METADATA, "immutable", "expansion") if name in resource}
            compose = _without_extensions(resource.get("compose", {}))
            for part in (*compose.get("include", ()), *compose.get("exclude", ())):
                for concept in part.get("concept", ()):
                    concept.pop("designation", None)
            return {**kept, **({"compose": compose} if compose else {})}
    return None


def registered(code_systems: list[JsonObject], searches: list[JsonObject]) -> JsonObject:
    """Return what is looked up by another name: code systems by OID, search parameters (type and bases) by id."""
    oids = {
        each["value"]: resource["url"]
        for resource in code_systems
        for each in resource.get("identifier", ())
        if each.get("value", "").startswith("urn:oid:")
    }
    return {
        "codeSystems": oids,
        "searchParameters": {each["id"]: [each["type"], *each["base"]] for each in searches},
    }


def searches(jar: Path) -> list[JsonObject]:
    """Return the search parameters of the jar."""
    with zipfile.ZipFile(jar) as archive:
        bundle = json.loads(archive.read(FOLDER + SEARCHES))
    return [entry["resource"] for entry in bundle["entry"]]


def _compact_element(element: JsonObject) -> JsonObject:
    kept = _without_extensions({name: value for name, value in element.items() if name not in DROPPED_ELEMENT})
    for constraint in kept.get("constraint", ()):
        constraint.pop("xpath", None)
    if "binding" in kept:
        kept["binding"].pop("description", None)
    return dict(kept)


def _compact_concept(concept: JsonObject) -> JsonObject:
    kept: JsonObject = {
        name: _without_extensions(concept[name]) for name in ("code", "display", "property") if name in concept
    }
    if "concept" in concept:
        kept["concept"] = [_compact_concept(child) for child in concept["concept"]]
    return kept


def _without_extensions(value: Any) -> Any:
    """Drop every extension that is not in KEPT_EXTENSIONS, at any depth."""
    if isinstance(value, list):
        return [_without_extensions(item) for item in value]
    if not isinstance(value, dict):
        return value
    result: JsonObject = {}
    for name, item in value.items():
        if name == "extension":
            item = [extension for extension in item if extension["url"] in KEPT_EXTENSIONS]
        elif name.startswith("_"):
            item = _without_extensions(item)
            item = item if any(item) else None
        else:
            item = _without_extensions(item)
        if item not in ([], None):
            result[name] = item
    return result


# ---- writing --------------------------------------------------------------------------------------------------------


def write(jar: Path, target: Path) -> None:
    """Write the definitions of the jar into the folder ``target``: the archives, index.json and registered.json.

    A member of an archive is a JSON array of neighbours, about GROUP bytes, since small members alone compress badly.
    index.json says which resource types there are and, for each archive and member in order, the
    ``[resourceType, url, version]`` of what it holds.
    """
    resource_types: list[str] = []
    groups: dict[str, list[list[JsonObject]]] = {archive: [] for archive in sorted(set(ARCHIVES.values()))}
    sizes = dict.fromkeys(groups, GROUP)
    code_systems: list[JsonObject] = []
    for resource in definitions(jar):
        if resource["resourceType"] == "CodeSystem":
            code_systems.append(resource)
        if (shipped := compact(resource)) is None:
            continue
        archive, size = ARCHIVES[shipped["resourceType"]], len(_dump(shipped))
        if sizes[archive] + size > GROUP:
            groups[archive].append([])
            sizes[archive] = 0
        groups[archive][-1].append(shipped)
        sizes[archive] += size
        if shipped.get("kind") == "resource" and not shipped["abstract"] and shipped["derivation"] == "specialization":
            resource_types.append(shipped["id"])
    target.mkdir(parents=True, exist_ok=True)
    index: dict[str, list[list[list[str]]]] = {}
    for archive, members in groups.items():
        names = ("resourceType", "url", "version")
        index[archive] = [[[item.get(name, "") for name in names] for item in group] for group in members]
        with zipfile.ZipFile(target / archive, "w") as output:
            for number, group in enumerate(members):
                info = zipfile.ZipInfo(f"{number:03}.json", (1980, 1, 1, 0, 0, 0))
                info.create_system = 3
                info.external_attr = 0o644 << 16
                output.writestr(info, _dump(group), zipfile.ZIP_DEFLATED, 9)
    (target / "registered.json").write_bytes(_dump(registered(code_systems, searches(jar))) + b"\n")
    (target / "index.json").write_bytes(_dump({"resourceTypes": sorted(resource_types), "archives": index}) + b"\n")


def _dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def fetch(folder: Path) -> Path:
    """Copy the jar named by SOURCE into ``folder`` with Maven and return its path."""
    goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"
    quiet = ["mvn", "-q", "-B"]
    subprocess.run([*quiet, f"{goal}:get", f"-Dartifact={SOURCE}", "-Dtransitive=false"], check=True)
    subprocess.run([*quiet, f"{goal}:copy", f"-Dartifact={SOURCE}", f"-DoutputDirectory={folder}"], check=True)
    return next(folder.glob("*.jar"))


def main(arguments: list[str]) -> None:
    """Write the definitions from the jar named on the command line, or fetched."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(arguments[0]) if arguments else fetch(Path(folder)), TARGET)
    for file in sorted(TARGET.iterdir()):
        print(f"{file.name}: {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
