"""Small StructureDefinitions to start a case from: profiles, extensions, snapshots, and their elements."""

from __future__ import annotations

from typing import Any

from tests.base_records import JsonObject

CORE = "http://hl7.org/fhir/StructureDefinition/"
URL = "https://ehr.test/StructureDefinition/made"
PLACE = "StructureDefinition.differential.element"
BY_CODE = {"discriminator": [{"type": "value", "path": "code"}], "rules": "open"}
BY_TYPE = {"discriminator": [{"type": "type", "path": "$this"}], "rules": "open"}
SETS = "http://hl7.org/fhir/ValueSet/"


def of(path: str, **said: Any) -> JsonObject:
    """An element of a differential; ``Observation.component:fat`` is a slice, ``Observation.component:fat.code`` a part
    of one."""
    name = path.rpartition(".")[2].partition(":")[2]
    plain = ".".join(step.partition(":")[0] for step in path.split("."))
    return {"id": path, "path": plain, **({"sliceName": name} if name else {}), **said}


def profile(*elements: JsonObject, base: str = "Observation", **more: Any) -> JsonObject:
    """A profile of a resource with this differential."""
    return {
        "resourceType": "StructureDefinition",
        "url": URL,
        "name": "Made",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": base,
        "baseDefinition": CORE + base,
        "derivation": "constraint",
        "differential": {"element": [{"id": base, "path": base}, *elements]},
        **more,
    }


def over(base: str, *elements: JsonObject, type_: str = "Observation") -> JsonObject:
    """A profile of another profile."""
    return profile(*elements, base=type_, baseDefinition=CORE + base)


def extension(
    *elements: JsonObject, context: str = "Patient", url_fixed: JsonObject | None = None, **more: Any
) -> JsonObject:
    """The definition of an extension; these elements stand after its url."""
    url = of("Extension.url", **(url_fixed or {"fixedUri": URL}))
    contexts = [{"type": "element", "expression": context}]
    return profile(url, *elements, base="Extension", **{"kind": "complex-type", "context": contexts, **more})


def snapshot(*elements: JsonObject, **root: Any) -> JsonObject:
    """A profile with a snapshot that has these elements only."""
    whole = [_whole({"id": "Observation", "path": "Observation", "max": "*", **root})]
    return profile(snapshot={"element": [*whole, *map(_whole, elements)]})


def _whole(element: JsonObject) -> JsonObject:
    known = {"min": 0, "max": "1", "definition": "x", "base": {"path": element["path"], "min": 0, "max": "*"}}
    return {**known, **element}


def slices(path: str, *names: str, **said: Any) -> list[JsonObject]:
    return [of(f"{path}:{name}", **said) for name in names]


def constraint(key: str = "made-1", expression: str = "value.exists()", **more: Any) -> JsonObject:
    return {"key": key, "severity": "error", "human": "x", "expression": expression, **more}


def at(position: int, rule: str) -> tuple[str, str]:
    return rule, f"{PLACE}[{position}]"
