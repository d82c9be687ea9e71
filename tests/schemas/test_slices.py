"""Which elements belong to a slice: the predicate of the index and the published schema, for every discriminator.

Expected slices from R4, Profiling, Discriminator; then both sides on every value, also on values of other shapes.
"""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from fhir_keta.definitions.library import bundled
from fhir_keta.errors import DefinitionError
from fhir_keta.validation.elements import Element
from fhir_keta.validation.slicing import slice_condition

Json = dict[str, Any]

LOINC = "http://loinc.org"
URL = "https://example.org/StructureDefinition/one"
GENDER = {"strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/administrative-gender"}


def element(name: str, *children: Element, types: tuple[Json, ...] = (), many: bool = False, **more: Any) -> Element:
    base = {"path": f"X.{name}", "min": 0, "max": "*" if many else "1"}
    definition = {"id": f"X.{name}", "path": f"X.{name}", "type": list(types), "base": base, **more}
    return Element(definition, name, {child.name: child for child in children})


def typed(*codes: str, **more: Any) -> tuple[Json, ...]:
    return tuple({"code": code, **more} for code in codes)


def sliced(*discriminators: tuple[str, str]) -> Element:
    stated = [{"type": kind, "path": path} for kind, path in discriminators]
    return element("part", many=True, slicing={"discriminator": stated, "rules": "open"})


def concept(code: str, system: str = LOINC, **more: Any) -> Json:
    return {"coding": [{"system": system, "code": code, **more}]}


CODE = concept("1-8")
CODED = element("code", types=typed("CodeableConcept"), patternCodeableConcept=CODE)
SYSTEM = element("system", types=typed("uri"), fixedUri=LOINC)
EXTENDED = element("extension", types=typed("Extension"), many=True)
EXTENDED.slices["one"] = element("extension", types=typed("Extension", profile=[URL]), many=True)
EXTENDED.slices["one"].children["value[x]"] = element("value[x]", types=typed("code"), fixedCode="a")
INNER = element("coding", types=typed("Coding"), many=True)
INNER.slices["one"] = element("coding", types=typed("Coding"), many=True, min=1, patternCoding=CODE["coding"][0])

# name: (discriminators, the slice, values of it, values that are not)
CASES: dict[str, tuple[Element, Element, list[Any], list[Any]]] = {
    "pattern of a concept": (
        sliced(("pattern", "code")),
        element("part", CODED),
        [{"code": CODE}, {"code": {"coding": [{"code": "2"}, {**CODE["coding"][0], "display": "x"}]}}],
        [{"code": concept("2")}, {"code": concept("1-8", "urn:other")}, {"code": {"text": "1-8"}}],
    ),
    "value at the element itself": (
        sliced(("value", "$this")),
        element("part", types=typed("CodeableConcept"), patternCodeableConcept=CODE),
        [CODE, {**CODE, "text": "x"}],
        [concept("2")],
    ),
    "value fixed further down": (
        sliced(("value", "code.coding.system")),
        element("part", element("code", element("coding", SYSTEM, many=True))),
        [{"code": {"coding": [{"system": "urn:other"}, {"system": LOINC}]}}],
        [{"code": {"coding": [{"system": "urn:other"}]}}, {"code": {"coding": []}}],
    ),
    "value inside a pattern above": (
        sliced(("value", "code.coding.code")),
        element("part", CODED),
        [{"code": {"coding": [{"code": "1-8"}]}}],
        [{"code": {"coding": [{"code": "2"}]}}],
    ),
    "value in a required inner slice": (
        sliced(("value", "code.coding")),
        element("part", element("code", INNER)),
        [{"code": CODE}],
        [{"code": concept("2")}],
    ),
    "value of the children": (
        sliced(("value", "code")),
        element("part", element("code", SYSTEM)),
        [{"code": {"system": LOINC}}],
        [{"code": {"system": "urn:other"}}, {"code": {}}],
    ),
    "a url by profile": (
        sliced(("value", "url")),
        element("part", types=typed("Extension", profile=[f"{URL}|1.0"])),
        [{"url": URL, "valueCode": "x"}],
        [{"url": f"{URL}s"}, {"valueCode": URL}],
    ),
    "a required binding": (
        sliced(("value", "code")),
        element("part", element("code", types=typed("code"), binding=GENDER)),
        [{"code": "female"}, {"code": {"coding": [{"code": "male"}]}}, {"code": {"code": "male"}}],
        [{"code": "Female"}, {"code": {"coding": [{"code": "male", "system": LOINC}]}}, {"code": {"code": "x"}}],
    ),
    "two discriminators": (
        sliced(("value", "system"), ("value", "use")),
        element("part", SYSTEM, element("use", types=typed("code"), fixedCode="old")),
        [{"system": LOINC, "use": "old"}],
        [{"system": LOINC}, {"use": "old"}, {"system": LOINC, "use": "new"}],
    ),
    "an extension": (
        sliced(("value", f"extension('{URL}').value")),
        element("part", EXTENDED),
        [{"extension": [{"url": "urn:other"}, {"url": URL, "valueCode": "a"}]}],
        [{"extension": [{"url": URL, "valueCode": "b"}, {"url": "urn:other", "valueCode": "a"}]}],
    ),
    "there": (
        sliced(("exists", "code")),
        element("part", element("code", types=typed("code"), min=1, max="1")),
        [{"code": "a"}],
        [{"system": "a"}, {}],
    ),
    "not there": (
        sliced(("exists", "code")),
        element("part", element("code", types=typed("code"), max="0")),
        [{"system": "a"}, {}],
        [{"code": "a"}],
    ),
    "a type of a choice": (
        sliced(("type", "value")),
        element("part", element("value[x]", types=typed("Quantity", "string"))),
        [{"valueQuantity": {}}, {"valueString": "a"}],
        [{"valueCode": "a"}, {"value": {}}],
    ),
    "a type of resource": (
        sliced(("type", "$this")),
        element("part", types=typed("Patient")),
        [{"resourceType": "Patient"}],
        [{"resourceType": "Group"}, {}],
    ),
    "a type of resource further down": (
        sliced(("type", "resource")),
        element("part", element("resource", types=typed("Patient"))),
        [{"resource": {"resourceType": "Patient"}}],
        [{"resource": {"resourceType": "Group"}}],
    ),
    "what a reference leads to": (
        sliced(("type", "who.resolve()")),
        element(
            "part",
            element(
                "who",
                types=typed("Reference", targetProfile=["http://hl7.org/fhir/StructureDefinition/Patient"]),
            ),
        ),
        [
            {"who": {"reference": "Patient/1"}},
            {"who": {"reference": "https://x/fhir/Patient/1"}},
            {"who": {"type": "Patient"}},
        ],
        [{"who": {"reference": "Group/1"}}, {"who": {"reference": "Patient/1", "type": "Group"}}, {"who": {}}],
    ),
}
SHAPES: list[Any] = [
    *(None, True, 1, "", "female", LOINC, [], {}, [[]]),
    *({key: odd} for key in ("code", "system", "url", "extension", "who") for odd in (1, "x", {}, {"coding": {}})),
]


@pytest.mark.parametrize("name", CASES)
def test_predicate_and_schema_tell_the_same_elements(name: str) -> None:
    array, slice_, members, others = CASES[name]
    condition = slice_condition(array, slice_, bundled())
    matches, schema = condition.matches, condition.schema()
    assert jsonschema_rs.meta.is_valid(schema)
    said = jsonschema_rs.Draft202012Validator(schema, offline=True).is_valid
    assert [(value, matches(value), said(value)) for value in members] == [(value, True, True) for value in members]
    assert [(value, matches(value), said(value)) for value in others] == [(value, False, False) for value in others]
    every = [*SHAPES, *(value for case in CASES.values() for value in (*case[2], *case[3]))]
    assert [value for value in every if matches(value) is not said(value)] == []


@pytest.mark.parametrize(
    ("array", "slice_", "problem"),
    [
        (sliced(), element("part"), "without a discriminator"),
        (sliced(("profile", "$this")), element("part"), "slicing by profile needs the record"),
        (sliced(("exists", "code")), element("part", element("code")), "code may be there or not"),
        (sliced(("exists", "code.text")), element("part", element("code")), "code.text may be there or not"),
        (sliced(("value", "code")), element("part", element("code")), "nothing fixed at the discriminator code"),
    ],
)
def test_what_cannot_be_said_is_refused(array: Element, slice_: Element, problem: str) -> None:
    with pytest.raises(DefinitionError, match=problem):
        slice_condition(array, slice_, bundled())
