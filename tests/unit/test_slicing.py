"""Slices: by value, pattern, existence, type; open, closed; least and most; inside and outside (R4, Profiling)."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_keta.errors import DefinitionError
from fhir_keta.validation.validator import Validator
from tests.base_records import CATEGORY, observation
from tests.unit.made_profiles import element, extension, findings, profile, slicing, validator

JsonObject = dict[str, Any]

SYSTEM = "https://example.org/CodeSystem/parts"


def part(code: str, **elements: Any) -> JsonObject:
    return {"code": {"coding": [{"system": SYSTEM, "code": code}]}, **elements}


def pattern(code: str) -> JsonObject:
    return {"patternCodeableConcept": {"coding": [{"system": SYSTEM, "code": code}]}}


def sliced(rules: str = "open", **first: Any) -> JsonObject:
    """Components sliced by their code: ``first`` a boolean, ``second`` a string of which there may be several."""
    return profile(
        f"sliced-{rules}",
        element("Observation.component", slicing=slicing("pattern", "code", rules), max="4"),
        element("Observation.component:first", **{"min": 1, "max": "1", **first}),
        element("Observation.component:first.code", **pattern("first")),
        element("Observation.component:first.value[x]", min=1, type=[{"code": "boolean"}]),
        element("Observation.component:second", max="2"),
        element("Observation.component:second.code", **pattern("second")),
        element("Observation.component:second.value[x]", type=[{"code": "string"}]),
    )


FIRST = part("first", valueBoolean=True)
SECOND = part("second", valueString="x")
OTHER = part("other", valueInteger=1)


@pytest.fixture(scope="module")
def opened() -> Validator:
    return validator(sliced())


@pytest.fixture(scope="module")
def closed() -> Validator:
    return validator(sliced("closed"))


@pytest.mark.parametrize(
    ("components", "expected"),
    [
        ([FIRST], []),
        ([FIRST, SECOND, SECOND], []),
        ([SECOND, OTHER, FIRST], []),  # open: others may stand among them, in any order
        ([SECOND], [("slice-min", "Observation")]),
        ([FIRST, FIRST], [("slice-max", "Observation.component")]),
        ([FIRST, SECOND, SECOND, SECOND], [("slice-max", "Observation.component")]),
        ([FIRST, OTHER, OTHER, OTHER, OTHER], [("cardinality-max", "Observation.component")]),
        ([OTHER, part("first", valueString="x")], [("choice-type", "Observation.component[1].value.ofType(string)")]),
        (
            [SECOND, FIRST, part("second", valueBoolean=True)],
            [("choice-type", "Observation.component[2].value.ofType(boolean)")],
        ),
        ([SECOND, part("first")], [("cardinality-min", "Observation.component[1]")]),
        ([OTHER, {**FIRST, "colour": 1}], [("element-unknown", "Observation.component[1].colour")]),
        ([FIRST, {**OTHER, "colour": 1}], [("element-unknown", "Observation.component[1].colour")]),
    ],
)
def test_open_slices(opened: Validator, components: list[JsonObject], expected: list[tuple[str, str]]) -> None:
    assert findings(opened.check(observation(component=components))) == expected


def test_a_required_slice_of_a_missing_array(opened: Validator) -> None:
    assert findings(opened.check(observation())) == [("slice-min", "Observation")]


def test_closed_slices_allow_no_others(closed: Validator) -> None:
    assert findings(closed.check(observation(component=[FIRST, SECOND]))) == []
    record = observation(component=[FIRST, OTHER, SECOND, OTHER])
    assert findings(closed.check(record)) == [
        ("slice-unmatched", "Observation.component[1]"),
        ("slice-unmatched", "Observation.component[3]"),
    ]


def test_a_slice_needed_twice() -> None:
    twice = validator(sliced(min=2, max="3"))
    assert findings(twice.check(observation(component=[FIRST]))) == [("slice-min", "Observation")]
    assert findings(twice.check(observation(component=[FIRST, FIRST]))) == []


def test_a_prohibited_slice() -> None:
    none = validator(sliced(min=0, max="0"))
    assert findings(none.check(observation(component=[FIRST]))) == [("slice-max", "Observation.component")]
    assert findings(none.check(observation(component=[SECOND]))) == []


def test_what_is_not_an_array_is_said_once(opened: Validator) -> None:
    assert ("element-type", "Observation.component") in findings(opened.check(observation(component=FIRST)))
    assert ("element-type", "Observation.component[1]") in findings(opened.check(observation(component=[FIRST, 1])))


def test_by_value_in_a_fixed_part() -> None:
    """The discriminator reaches through an array to a fixed code."""
    made = validator(
        profile(
            "by-value",
            element("Observation.category", slicing=slicing("value", "coding.code"), min=1),
            element("Observation.category:vital", min=1, max="1"),
            element("Observation.category:vital.coding", min=1),
            element("Observation.category:vital.coding.code", min=1, fixedCode="vital-signs"),
        )
    )
    vital, survey = ({"coding": [{"system": CATEGORY, "code": code}]} for code in ("vital-signs", "survey"))
    assert findings(made.check(observation(category=[survey, vital]))) == []
    assert findings(made.check(observation(category=[survey]))) == [("slice-min", "Observation")]


def test_by_a_bound_value_set() -> None:
    made = validator(
        profile(
            "by-binding",
            element("Observation.category", slicing=slicing("value", "$this")),
            element(
                "Observation.category:known",
                min=1,
                binding={"strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/observation-category"},
            ),
        )
    )
    assert findings(made.check(observation(category=[{"coding": [{"system": CATEGORY, "code": "exam"}]}]))) == []
    assert findings(made.check(observation(category=[{"text": "exam"}]))) == [("slice-min", "Observation")]


def test_by_existence() -> None:
    made = validator(
        profile(
            "by-existence",
            element("Observation.component", slicing=slicing("exists", "value")),
            element("Observation.component:absent", max="1"),
            element("Observation.component:absent.value[x]", max="0"),
            element("Observation.component:absent.dataAbsentReason", min=1),
            element("Observation.component:given"),
            element("Observation.component:given.value[x]", min=1),
            element("Observation.component:given.interpretation", max="0"),
        )
    )
    reason = part("a", dataAbsentReason={"text": "x"})
    assert findings(made.check(observation(component=[FIRST, SECOND, reason]))) == []
    assert findings(made.check(observation(component=[FIRST, part("a")]))) == [
        ("cardinality-min", "Observation.component[1]")
    ]
    assert findings(made.check(observation(component=[reason, reason]))) == [("slice-max", "Observation.component")]
    valued = {**FIRST, "interpretation": [{"text": "x"}]}
    assert findings(made.check(observation(component=[reason, valued]))) == [
        ("element-prohibited", "Observation.component[1].interpretation")
    ]


def test_by_type_of_the_value() -> None:
    made = validator(
        profile(
            "by-type",
            element("Observation.component", slicing=slicing("type", "value")),
            element("Observation.component:number", max="1"),
            element("Observation.component:number.value[x]", min=1, type=[{"code": "integer"}]),
        )
    )
    assert findings(made.check(observation(component=[FIRST, SECOND, OTHER]))) == []
    assert findings(made.check(observation(component=[OTHER, FIRST, OTHER]))) == [
        ("slice-max", "Observation.component")
    ]


def test_by_type_of_the_resource() -> None:
    made = validator(
        profile(
            "by-entry",
            element("Bundle.entry", slicing=slicing("type", "resource", "closed")),
            element("Bundle.entry:patient", min=1, max="1"),
            element("Bundle.entry:patient.resource", min=1, type=[{"code": "Patient"}]),
            on="Bundle",
        )
    )

    def bundle(*types: str) -> JsonObject:
        entries = [
            {"fullUrl": f"urn:uuid:6c3b1a34-8a0f-4a0f-9d1e-0d6f1f0f8a1{number}", "resource": record}
            for number, record in enumerate(
                {"resourceType": "Patient", "active": True} if type_ == "Patient" else observation() for type_ in types
            )
        ]
        return {"resourceType": "Bundle", "type": "collection", "entry": entries}

    assert findings(made.check(bundle("Patient"))) == []
    assert findings(made.check(bundle("Patient", "Observation"))) == [("slice-unmatched", "Bundle.entry[1]")]
    assert findings(made.check(bundle("Patient", "Patient"))) == [("slice-max", "Bundle.entry")]


def test_by_the_target_of_a_reference() -> None:
    target = {"code": "Reference", "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Practitioner"]}
    made = validator(
        profile(
            "by-target",
            element("Observation.performer", slicing=slicing("type", "$this.resolve()")),
            element("Observation.performer:person", min=1, type=[target]),
        )
    )
    organization, practitioner = {"reference": "Organization/1"}, {"reference": "https://ehr.test/Practitioner/1"}
    assert findings(made.check(observation(performer=[organization, practitioner]))) == []
    assert findings(made.check(observation(performer=[organization]))) == [("slice-min", "Observation")]
    assert findings(made.check(observation(performer=[{"type": "Practitioner", "display": "x"}]))) == []


def test_extensions_by_url_and_inside_a_slice() -> None:
    mark = extension("mark", element("Extension.value[x]", min=1, type=[{"code": "boolean"}]))
    made = validator(
        profile(
            "marked",
            element("Observation.component", slicing=slicing("pattern", "code")),
            element("Observation.component:first", min=1),
            element("Observation.component:first.extension", slicing=slicing("value", "url")),
            element(
                "Observation.component:first.extension:mark",
                min=1,
                max="1",
                type=[{"code": "Extension", "profile": [mark["url"]]}],
            ),
            element("Observation.component:first.code", **pattern("first")),
        ),
        mark,
    )
    marked = {"url": mark["url"], "valueBoolean": True}
    assert findings(made.check(observation(component=[OTHER, {**FIRST, "extension": [marked]}]))) == []
    assert findings(made.check(observation(component=[OTHER, FIRST]))) == [("slice-min", "Observation.component[1]")]
    wrong = {"url": mark["url"], "valueString": "x"}
    found = findings(made.check(observation(component=[OTHER, {**FIRST, "extension": [marked, wrong]}])))
    assert ("slice-max", "Observation.component[1].extension") in found
    assert ("choice-type", "Observation.component[1].extension[1].value.ofType(string)") in found


def test_two_discriminators_must_both_match() -> None:
    both = slicing("pattern", "code")
    both["discriminator"].append({"type": "exists", "path": "interpretation"})
    made = validator(
        profile(
            "two",
            element("Observation.component", slicing=both),
            element("Observation.component:first", min=1),
            element("Observation.component:first.code", **pattern("first")),
            element("Observation.component:first.interpretation", min=1),
        )
    )
    assert findings(made.check(observation(component=[FIRST]))) == [("slice-min", "Observation")]
    assert findings(made.check(observation(component=[{**FIRST, "interpretation": [{"text": "x"}]}]))) == []


@pytest.mark.parametrize(
    ("slices", "message"),
    [
        ({"discriminator": [], "rules": "open"}, "sliced without a discriminator"),
        (slicing("position", "code"), "by position|position is no discriminator"),
        (slicing("value", "valueCodeableConcept"), "nothing fixed at the discriminator"),
    ],
)
def test_a_slicing_that_cannot_be_followed_says_so(slices: JsonObject, message: str) -> None:
    made = profile(
        "unclear",
        element("Observation.component", slicing=slices),
        element("Observation.component:first", min=1),
        element("Observation.component:first.code", **pattern("first")),
    )
    with pytest.raises(DefinitionError, match=message):
        validator(made).check(observation())
