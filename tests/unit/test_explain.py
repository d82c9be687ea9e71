"""From refusals to findings: FHIRPath through the index, one finding a fault, and nothing of the patient."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from fhir_keta.definitions.library import bundled
from fhir_keta.validation.compiler import compile_structure
from fhir_keta.validation.explain import element_name
from fhir_keta.validation.validator import Validator
from tests.base_cases import BASE_CASES
from tests.base_records import CATEGORY, observation, patient
from tests.unit.made_profiles import element, findings, profile, slicing, validator

JsonObject = dict[str, Any]

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def base() -> Validator:
    return Validator()


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        # choice elements by their type, companions by the element
        (observation(valueQuantity={"value": "1"}), ("primitive-format", "Observation.value.ofType(Quantity).value")),
        (patient(birthDate="2000", _birthDate={"a": 1}), ("element-unknown", "Patient.birthDate.a")),
        (
            observation(valueString="x", _valueString={"a": 1}),
            ("element-unknown", "Observation.value.ofType(string).a"),
        ),
        (patient(name=[{}, {"text": "x"}]), ("element-empty", "Patient.name[0]")),
        (patient(name=[{"text": "x"}, {"given": ["a", 1]}]), ("primitive-format", "Patient.name[1].given[1]")),
        # a missing element at its parent, an unknown one at itself
        (observation(component=[{"valueString": "x"}]), ("cardinality-min", "Observation.component[0]")),
        (
            observation(component=[{"code": {"text": "x", "y": 1}}]),
            ("element-unknown", "Observation.component[0].code.y"),
        ),
        # what recurses is reached through references
        (
            {
                "resourceType": "Questionnaire",
                "status": "draft",
                "item": [
                    {
                        "linkId": "a",
                        "type": "group",
                        "item": [{"linkId": "b", "type": "group", "item": [{"linkId": "c", "type": "text?"}]}],
                    }
                ],
            },
            ("binding-required", "Questionnaire.item[0].item[0].item[0].type"),
        ),
        # resources inside resources
        (
            {"resourceType": "Parameters", "parameter": [{"name": "a", "resource": patient(gender="x")}]},
            ("binding-required", "Parameters.parameter[0].resource.gender"),
        ),
        (observation(valueQuantity=1), ("element-type", "Observation.value.ofType(Quantity)")),
        (observation(status=None), ("element-empty", "Observation.status")),
        (observation(note=[None]), ("element-empty", "Observation.note[0]")),
    ],
)
def test_one_fault_one_finding_at_its_place(record: JsonObject, expected: tuple[str, str], base: Validator) -> None:
    assert findings(base.check(record)) == [expected]


def test_all_faults_are_found_at_once(base: Validator) -> None:
    record = observation(colour=1, note=[{"text": ""}], valueString="x", valueInteger=1, issued="x", status="x")
    assert sorted(findings(base.check(record))) == [
        ("binding-required", "Observation.status"),
        ("choice-multiple", "Observation"),
        ("element-empty", "Observation.note[0].text"),
        ("element-unknown", "Observation.colour"),
        ("primitive-format", "Observation.issued"),
    ]


@pytest.fixture(scope="module")
def narrow() -> Validator:
    return validator(
        profile(
            "narrow",
            element("Observation.category", slicing=slicing("pattern", "$this"), min=1),
            element(
                "Observation.category:exam",
                min=1,
                patternCodeableConcept={"coding": [{"system": CATEGORY, "code": "exam"}]},
            ),
            element("Observation.category:exam.text", min=1, maxLength=5),
            element("Observation.effective[x]", min=1, type=[{"code": "dateTime"}]),
            element("Observation.value[x]", min=1, type=[{"code": "integer"}], minValueInteger=0, maxValueInteger=3),
            element("Observation.bodySite", max="0"),
            element("Observation.issued", max="0"),
            element("Observation.status", fixedCode="final"),
            element("Observation.performer", min=2, max="3"),
        )
    )


EXAM = {"coding": [{"system": CATEGORY, "code": "exam"}], "text": "x"}
SURVEY = {"coding": [{"system": CATEGORY, "code": "survey"}]}


def good(**elements: Any) -> JsonObject:
    filled = {
        "category": [EXAM],
        "effectiveDateTime": "2020",
        "valueInteger": 1,
        "performer": [{"display": "a"}, {"display": "b"}],
        **elements,
    }
    return observation(**{name: value for name, value in filled.items() if value is not None})


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (good(), []),
        # the index moved the slice, the finding is at its old place
        (
            good(category=[SURVEY, SURVEY, {**EXAM, "text": "too long"}]),
            [("max-length", "Observation.category[2].text")],
        ),
        (
            good(category=[SURVEY, {**EXAM, "coding": EXAM["coding"], "x": 1}]),
            [("element-unknown", "Observation.category[1].x")],
        ),
        # the wrong type is the fault, not that the right one is missing
        (good(valueInteger=None, valueString="x"), [("choice-type", "Observation.value.ofType(string)")]),
        (
            good(effectiveDateTime=None, effectivePeriod={"start": "2020"}),
            [("choice-type", "Observation.effective.ofType(Period)")],
        ),
        (good(valueInteger=None), [("cardinality-min", "Observation")]),
        (good(valueInteger=4), [("value-range", "Observation.value.ofType(integer)")]),
        (good(valueInteger=-1), [("value-range", "Observation.value.ofType(integer)")]),
        (good(bodySite={"text": "x"}), [("element-prohibited", "Observation.bodySite")]),
        (good(_issued={"id": "a"}), [("element-prohibited", "Observation.issued")]),
        (good(status="amended"), [("value-fixed", "Observation.status")]),
        (good(performer=[{"display": "a"}]), [("cardinality-min", "Observation.performer")]),
        (good(performer=[{"display": "a"}] * 4), [("cardinality-max", "Observation.performer")]),
    ],
)
def test_of_a_profile(record: JsonObject, expected: list[tuple[str, str]], narrow: Validator) -> None:
    assert findings(narrow.check(record)) == expected


def test_what_follows_from_a_wrong_type_is_not_said_as_well() -> None:
    rule = {"key": "own-1", "severity": "error", "human": "Not below 0.", "expression": "value.ofType(integer) >= 0"}
    made = validator(
        profile(
            "follows",
            element("Observation", constraint=[rule]),
            element("Observation.value[x]", min=1, type=[{"code": "integer"}]),
        )
    )
    assert findings(made.check(observation(valueInteger=-1))) == [("own-1", "Observation")]
    assert findings(made.check(observation(valueString="x"))) == [("choice-type", "Observation.value.ofType(string)")]


def test_names_of_choice_elements() -> None:
    definition = bundled().structure("Observation")
    assert definition is not None
    compiled = compile_structure(definition, bundled())
    assert element_name(compiled, "valueCodeableConcept") == "value.ofType(CodeableConcept)"
    assert element_name(compiled, "_valueString") == "value.ofType(string)"
    assert element_name(compiled, "_issued") == "issued"


SECRET = "Zyxwvut9"


def _poisoned(value: Any) -> list[Any]:
    """The value with each of its strings, numbers and keys' contents in turn replaced by what must not be repeated."""
    found: list[Any] = []
    if isinstance(value, dict):
        for key, content in value.items():
            if key != "resourceType":
                found += [{**value, key: below} for below in _poisoned(content)]
    elif isinstance(value, list):
        for position, content in enumerate(value):
            found += [[*value[:position], below, *value[position + 1 :]] for below in _poisoned(content)]
        found.append(SECRET)
    else:
        found += [SECRET, f"{SECRET} ", [SECRET], {SECRET.lower(): SECRET}]
    return found


RECORDS = {
    "observation": observation(
        category=[EXAM],
        subject={"reference": "Patient/1"},
        effectivePeriod={"start": "2020"},
        valueQuantity={"value": 1, "system": "http://unitsofmeasure.org", "code": "mg"},
        note=[{"text": "x"}],
    ),
    "patient": patient(
        identifier=[{"system": "urn:x:y", "value": "x"}],
        name=[{"given": ["x"]}],
        birthDate="2000",
        telecom=[{"system": "phone", "value": "1"}],
        photo=[{"contentType": "image/png", "data": "aGVsbG8=", "size": 5}],
    ),
    "response": json.loads((EXAMPLES / "responses/gad-7.json").read_bytes()),
    "rating": json.loads((EXAMPLES / "observations/keta-rating.json").read_bytes()),
}


@pytest.mark.parametrize("name", RECORDS)
def test_messages_never_repeat_what_the_record_says(name: str, base: Validator) -> None:
    found = 0
    for record in _poisoned(RECORDS[name]):
        for issue in base.check(json.dumps(record).encode()):
            found += 1
            assert SECRET not in issue.message
            # names of elements may be shown, as they are part of the place
            assert SECRET not in issue.expression
    assert found > 30


def test_messages_of_all_cases_are_sentences(base: Validator) -> None:
    for case in BASE_CASES:
        for issue in base.check(case.resource):
            assert not re.search(r"\{|\}|None", issue.message), issue
            assert issue.expression.startswith(case.resource["resourceType"])
