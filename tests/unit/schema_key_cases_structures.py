"""Constraints of StructureDefinition and ElementDefinition that the compiler states as schema."""

from __future__ import annotations

from typing import Any

from tests.unit.invariant_records import BELOW_ROOT, JsonObject, differential, structure
from tests.unit.key_case import KeyCase, case

_R4 = "http://hl7.org/fhir/StructureDefinition/"
_OURS = "https://ehr.test/StructureDefinition/a"
_STRING = [{"code": "string"}]
_TWO_TYPES = [{"code": "string"}, {"code": "integer"}]
_ROOT = {"path": "Basic"}
_SNAPSHOT = structure("snapshot", _ROOT, BELOW_ROOT)
_BOUND = {"strength": "example", "description": "x"}
_SLICED = {"rules": "open", "discriminator": [{"type": "value", "path": "url"}]}


def _extension(*elements: JsonObject) -> JsonObject:
    """Its element[1] is what comes first in ``elements``."""
    url = {"path": "Extension.url", "fixedUri": _OURS}
    ordered = sorted([*elements, url], key=lambda element: element["path"])  # as in R4's Extension
    return {
        **structure("differential", {"path": "Extension"}, *ordered),
        "kind": "complex-type",
        "type": "Extension",
        "baseDefinition": f"{_R4}Extension",
        "context": [{"type": "element", "expression": "Patient"}],
        "contextInvariant": ["true"],
    }


def _value(**value: Any) -> JsonObject:
    return _extension({"path": "Extension.value[x]", **value})


def _logical(**element: Any) -> JsonObject:
    """A model of its own: only there has an element a default value."""
    what = {} if "contentReference" in element else {"type": _STRING}
    one = {"path": "a.b", "definition": "x", "min": 0, "max": "1", **what, **element}
    return {
        **structure("differential", {"path": "a", "definition": "x", "min": 0, "max": "*"}, one),
        "kind": "logical",
        "type": _OURS,
        "baseDefinition": f"{_R4}Element",
        "derivation": "specialization",
    }


_DIFFERENTIAL = "StructureDefinition.differential.element"

STRUCTURE_CASES: tuple[KeyCase, ...] = (
    case(
        "eld-1",
        _extension({"path": "Extension.extension", "slicing": _SLICED}),
        {"differential.element.1.slicing.discriminator": None},
        f"{_DIFFERENTIAL}[1].slicing",
    ),
    case(
        "eld-4",
        _value(type=[{"code": "Reference", "aggregation": ["contained"]}]),
        {"differential.element.2.type.0.code": "string"},
        f"{_DIFFERENTIAL}[2].type[0]",
    ),
    case(
        "eld-5",
        _logical(contentReference="#a"),
        {"differential.element.1.maxLength": 1},
        f"{_DIFFERENTIAL}[1]",
    ),
    case(
        "eld-6",
        _value(type=_STRING, fixedString="x"),
        {"differential.element.2.type": _TWO_TYPES},
        f"{_DIFFERENTIAL}[2]",
    ),
    case(
        "eld-7",
        _value(type=_STRING, patternString="x"),
        {"differential.element.2.type": _TWO_TYPES},
        f"{_DIFFERENTIAL}[2]",
    ),
    case(
        "eld-8",
        _value(type=_STRING, patternString="x"),
        {"differential.element.2.fixedString": "x"},
        f"{_DIFFERENTIAL}[2]",
    ),
    case(
        "eld-12",
        differential(binding={"strength": "example", "valueSet": "http://hl7.org/fhir/ValueSet/languages"}),
        {"differential.element.1.binding.valueSet": "ftp://ehr.test/ValueSet/a"},
        f"{_DIFFERENTIAL}[1].binding",
    ),
    case(
        "eld-15",
        _logical(defaultValueString="x"),
        {"differential.element.1.meaningWhenMissing": "x"},
        f"{_DIFFERENTIAL}[1]",
    ),
    case(
        "eld-17",
        _value(type=[{"code": "canonical", "targetProfile": [f"{_R4}ValueSet"]}]),
        {"differential.element.2.type.0.code": "uri"},
        f"{_DIFFERENTIAL}[2].type[0]",
    ),
    case(
        "eld-18",
        _logical(isModifier=True, isModifierReason="x"),
        {"differential.element.1.isModifierReason": None},
        f"{_DIFFERENTIAL}[1]",
    ),
    case(
        "eld-22",
        _extension(
            {"path": "Extension.extension", "slicing": _SLICED},
            {
                "path": "Extension.extension",
                "id": "Extension.extension:a",
                "sliceName": "a",
                "sliceIsConstraining": False,
            },
        ),
        {"differential.element.2.sliceName": None},
        f"{_DIFFERENTIAL}[2]",
    ),
    case(
        "sdf-2",
        {**differential(), "mapping": [{"identity": "a", "name": "x", "comment": "x"}]},
        {"mapping.0.name": None},
        "StructureDefinition.mapping[0]",
    ),
    case(
        "sdf-3",
        _SNAPSHOT,
        {"snapshot.element.1.definition": None},
        "StructureDefinition.snapshot",
    ),
    case("sdf-4", differential(), {"baseDefinition": None}, "StructureDefinition"),
    case("sdf-5", _extension(), {"context": None}, "StructureDefinition"),
    case("sdf-6", differential(), {"differential": None}, "StructureDefinition"),
    case("sdf-8b", _SNAPSHOT, {"snapshot.element.1.base": None}, "StructureDefinition.snapshot"),
    case(
        "sdf-10",
        structure("snapshot", _ROOT, {**BELOW_ROOT, "binding": _BOUND}),
        {"snapshot.element.1.binding.description": None},
        "StructureDefinition.snapshot.element[1]",
    ),
    case("sdf-14", differential(), {"differential.element.1.id": None}, "StructureDefinition", "sdf-17"),
    case("sdf-18", differential(), {"contextInvariant": ["true"]}, "StructureDefinition"),
    case(
        "sdf-20",
        differential(),
        {"differential.element.0.slicing": {"rules": "open", "description": "x"}},
        "StructureDefinition.differential",
    ),
    case("sdf-21", _logical(defaultValueString="x"), {"derivation": "constraint"}, "StructureDefinition"),
    case("sdf-22", _logical(defaultValueString="x"), {"url": f"{_R4}a"}, "StructureDefinition"),
    case("sdf-23", differential(), {"differential.element.0.sliceName": "a"}, "StructureDefinition"),
)
