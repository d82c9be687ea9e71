"""Constraints of StructureDefinition and ElementDefinition that the compiler states as schema."""

from __future__ import annotations

from tests.unit.invariant_records import (
    BELOW_ROOT,
    BOUND,
    R4,
    SLICED,
    STRING,
    differential,
    extension,
    extension_value,
    logical,
    structure,
)
from tests.unit.key_case import KeyCase, case

_TWO_TYPES = [{"code": "string"}, {"code": "integer"}]
_ROOT = {"path": "Basic"}
_SNAPSHOT = structure("snapshot", _ROOT, BELOW_ROOT)


_DIFFERENTIAL = "StructureDefinition.differential.element"

STRUCTURE_CASES: tuple[KeyCase, ...] = (
    case(
        "eld-1",
        extension(SLICED),
        {"differential.element.1.slicing.discriminator": None},
        f"{_DIFFERENTIAL}[1].slicing",
    ),
    case(
        "eld-4",
        extension_value(type=[{"code": "Reference", "aggregation": ["contained"]}]),
        {"differential.element.2.type.0.code": "string"},
        f"{_DIFFERENTIAL}[2].type[0]",
    ),
    case(
        "eld-5",
        logical(contentReference="#a"),
        {"differential.element.1.maxLength": 1},
        f"{_DIFFERENTIAL}[1]",
    ),
    case(
        "eld-6",
        extension_value(type=STRING, fixedString="x"),
        {"differential.element.2.type": _TWO_TYPES},
        f"{_DIFFERENTIAL}[2]",
    ),
    case(
        "eld-7",
        extension_value(type=STRING, patternString="x"),
        {"differential.element.2.type": _TWO_TYPES},
        f"{_DIFFERENTIAL}[2]",
    ),
    case(
        "eld-8",
        extension_value(type=STRING, patternString="x"),
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
        logical(defaultValueString="x"),
        {"differential.element.1.meaningWhenMissing": "x"},
        f"{_DIFFERENTIAL}[1]",
    ),
    case(
        "eld-17",
        extension_value(type=[{"code": "canonical", "targetProfile": [f"{R4}ValueSet"]}]),
        {"differential.element.2.type.0.code": "uri"},
        f"{_DIFFERENTIAL}[2].type[0]",
    ),
    case(
        "eld-18",
        logical(isModifier=True, isModifierReason="x"),
        {"differential.element.1.isModifierReason": None},
        f"{_DIFFERENTIAL}[1]",
    ),
    case(
        "eld-22",
        extension(
            SLICED,
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
    case("sdf-5", extension(), {"context": None}, "StructureDefinition"),
    case("sdf-6", differential(), {"differential": None}, "StructureDefinition"),
    case("sdf-8b", _SNAPSHOT, {"snapshot.element.1.base": None}, "StructureDefinition.snapshot"),
    case(
        "sdf-10",
        structure("snapshot", _ROOT, {**BELOW_ROOT, "binding": BOUND}),
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
    case("sdf-21", logical(defaultValueString="x"), {"derivation": "constraint"}, "StructureDefinition"),
    case("sdf-22", logical(defaultValueString="x"), {"url": f"{R4}a"}, "StructureDefinition"),
    case("sdf-23", differential(), {"differential.element.0.sliceName": "a"}, "StructureDefinition"),
)
