"""Our snapshots against those that HL7's own generator makes today: our profiles, and profiles made to be hard."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fhir_keta.definitions.library import base, bundled, profiles
from tests.oracle.oracle import Oracle

JsonObject = dict[str, Any]
OURS = [item for item in profiles() if item["resourceType"] == "StructureDefinition"]
CORE = "http://hl7.org/fhir/StructureDefinition/"
EXAMPLE = "https://example.org/StructureDefinition/"
BY_CODE = {"discriminator": [{"type": "value", "path": "code"}], "rules": "open"}

# what a verdict can depend on; texts (short, definition, ...) are compared with the published R4 profiles instead
DECIDING = (
    "path",
    "sliceName",
    "min",
    "max",
    "base",
    "type",
    "slicing",
    "contentReference",
    "mustSupport",
    "isModifier",
)


def _hard(name: str, base_name: str, *elements: JsonObject) -> JsonObject:
    for element in elements:
        steps = [step.partition(":") for step in element["id"].split(".")]
        element["path"] = ".".join(step for step, _, _ in steps)
        if steps[-1][2]:
            element["sliceName"] = steps[-1][2]
    return {
        "resourceType": "StructureDefinition",
        "id": name,
        "url": EXAMPLE + name,
        "version": "1",
        "name": name.title().replace("-", ""),
        "status": "active",
        "fhirVersion": "4.0.1",
        "kind": "complex-type" if base_name == "Extension" else "resource",
        "abstract": False,
        **({"context": [{"type": "element", "expression": "Observation"}]} if base_name == "Extension" else {}),
        "type": "Extension" if base_name == "Extension" else "Observation",
        "baseDefinition": (EXAMPLE if base_name in ("slices", "loud") else CORE) + base_name,
        "derivation": "constraint",
        "differential": {
            "element": [{"id": elements[0]["path"].split(".")[0], "path": elements[0]["path"].split(".")[0]}, *elements]
        },
    }


# slices of slices are not here: HL7's tool loses their slicing (tests/unit/test_snapshot.py has the rule)
HARD = [
    _hard(
        "walk",
        "Observation",
        {"id": "Observation.code.coding.system", "min": 1},
        {"id": "Observation.subject.reference", "min": 1},
    ),
    _hard(
        "choice-long",
        "Observation",
        {
            "id": "Observation.value[x]",
            "slicing": {"discriminator": [{"type": "type", "path": "$this"}], "rules": "open"},
        },
        {"id": "Observation.value[x]:valueQuantity", "max": "1", "type": [{"code": "Quantity"}]},
        {"id": "Observation.value[x]:valueQuantity.code", "min": 1},
        {"id": "Observation.value[x]:valueString", "max": "1", "type": [{"code": "string"}], "maxLength": 10},
    ),
    _hard(
        "choice-one",
        "Observation",
        {"id": "Observation.value[x]", "type": [{"code": "Quantity"}]},
        {"id": "Observation.value[x].unit", "min": 1},
    ),
    _hard(
        "slices",
        "Observation",
        {"id": "Observation.component", "slicing": BY_CODE, "min": 1},
        {"id": "Observation.component:one", "min": 1, "max": "1"},
        {
            "id": "Observation.component:one.code",
            "patternCodeableConcept": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
        },
        {"id": "Observation.component:one.value[x]", "min": 1, "type": [{"code": "Quantity"}]},
        {"id": "Observation.component:two", "max": "3"},
        {
            "id": "Observation.component:two.code",
            "patternCodeableConcept": {"coding": [{"system": "http://loinc.org", "code": "8462-4"}]},
        },
    ),
    _hard(
        "slices-narrowed",
        "slices",
        {"id": "Observation.component:two", "max": "2"},
        {"id": "Observation.component:two.interpretation", "max": "0"},
        {"id": "Observation.component:three", "max": "1"},
        {
            "id": "Observation.component:three.code",
            "patternCodeableConcept": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        },
    ),
    _hard(
        "choice-shortcut",
        "Observation",
        {"id": "Observation.valueQuantity", "min": 1},
        {"id": "Observation.valueQuantity.code", "min": 1},
    ),
    _hard(
        "choice-shortcuts",
        "Observation",
        {"id": "Observation.valueQuantity", "mustSupport": True},
        {"id": "Observation.valueString", "mustSupport": True},
    ),
    _hard(
        "profiled",
        "Observation",
        {
            "id": "Observation.value[x]",
            "type": [{"code": "Quantity", "profile": [CORE + "SimpleQuantity"]}],
        },
        {"id": "Observation.value[x].unit", "min": 1},
    ),
    _hard(
        "unsliced",
        "Observation",
        {"id": "Observation.component", "slicing": BY_CODE},
        {"id": "Observation.component.code", "mustSupport": True},
        {"id": "Observation.component:one", "min": 1},
        {"id": "Observation.component:one.value[x]", "min": 1},
    ),
    _hard("reference", "Observation", {"id": "Observation.component.referenceRange.low", "min": 1}),
    _hard(
        "loud",
        "Extension",
        {"id": "Extension.extension", "max": "0"},
        {"id": "Extension.url", "fixedUri": EXAMPLE + "loud"},
        {"id": "Extension.value[x]", "min": 1, "type": [{"code": "integer"}]},
    ),
    _hard(
        "extended",
        "Observation",
        {
            "id": "Observation.extension:loud",
            "max": "1",
            "type": [{"code": "Extension", "profile": [EXAMPLE + "loud"]}],
        },
        {
            "id": "Observation.component.modifierExtension:loud",
            "max": "1",
            "type": [{"code": "Extension", "profile": [EXAMPLE + "loud"]}],
        },
    ),
    _hard(
        "narrower",
        "Observation",
        {
            "id": "Observation.category",
            "min": 1,
            "max": "1",
            "binding": {"strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/observation-category"},
        },
        {
            "id": "Observation.subject",
            "min": 1,
            "type": [{"code": "Reference", "targetProfile": [CORE + "Patient"]}],
            "mustSupport": True,
        },
        {"id": "Observation.method", "max": "0"},
    ),
]


@pytest.mark.parametrize("definition", OURS, ids=lambda item: item["id"])
def test_snapshots_of_our_profiles(oracle: Oracle, definition: JsonObject) -> None:
    _compare(bundled().structure(definition["url"]), oracle.structure(definition["url"]))


@pytest.fixture(scope="module")
def hard_ones(oracle: Oracle, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], JsonObject | None]:
    folder: Path = tmp_path_factory.mktemp("hard")
    for definition in HARD:
        (folder / f"{definition['id']}.json").write_text(json.dumps(definition))
    return oracle.with_definitions([folder]).structure


@pytest.mark.parametrize("definition", HARD, ids=lambda item: item["id"])
def test_snapshots_of_hard_profiles(hard_ones: Callable[[str], JsonObject | None], definition: JsonObject) -> None:
    _compare(base().with_resources(HARD).structure(definition["url"]), hard_ones(definition["url"]))


def _compare(ours: JsonObject | None, theirs: JsonObject | None) -> None:
    assert ours is not None and theirs is not None
    made, expected = ([_deciding(element) for element in item["snapshot"]["element"]] for item in (ours, theirs))
    assert [element["id"] for element in made] == [element["id"] for element in expected]
    assert made == expected


def _deciding(element: JsonObject) -> JsonObject:
    """The deciding part of an element, in one spelling: today's tool pins R4's versions and corrects R4's own slips."""
    result = {"id": element["id"], **{name: element[name] for name in DECIDING if name in element}}
    for name, value in element.items():
        if name.startswith(("fixed", "pattern", "minValue", "maxValue", "maxLength")):
            result[name] = value
    if "binding" in element:
        result["binding"] = (element["binding"]["strength"], _unpinned(element["binding"].get("valueSet", "")))
    if "type" in element:
        # an extension here only says what FHIR type a System type stands for: id in R4 4.0.1 is called string there
        result["type"] = [
            {
                name: [_unpinned(url) for url in value] if isinstance(value, list) else value
                for name, value in kind.items()
                if name != "extension"
            }
            for kind in element["type"]
        ]
    if "contentReference" in element:
        result["contentReference"] = "#" + element["contentReference"].rpartition("#")[2]
    if "slicing" in element:
        result["slicing"] = {
            "ordered": False,
            **{name: value for name, value in element["slicing"].items() if name != "description"},
        }
    result["constraint"] = {
        item["key"]: (item["severity"], item["expression"])
        for item in element.get("constraint", ())
        if item["key"] not in ("sqty-1", "qty-3")
    }
    return result


def _unpinned(canonical: str) -> str:
    return canonical.removesuffix("|4.0.1")
