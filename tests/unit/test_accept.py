"""The accept path of the functions: it passes over what is clean, and over nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fhir_keta.validation.validator import Validator
from tests.base_records import observation
from tests.unit.made_profiles import element, profile, validator

JsonObject = dict[str, Any]

LATE = profile(
    "late",
    element(
        "Observation.subject",
        constraint=[
            {
                "key": "own-1",
                "severity": "error",
                "human": "The number of the patient is greater than five.",
                "expression": "reference.substring(8).toInteger() > 5",
            }
        ],
    ),
)


def found(made: Validator, record: JsonObject) -> list[tuple[str, str]]:
    return [(issue.rule, issue.expression) for issue in made.check(json.dumps(record).encode())]


@pytest.mark.parametrize("beside", [{}, {"language": "no language"}])
def test_a_constraint_of_a_profile_on_a_plain_reference(beside: JsonObject) -> None:
    made = validator(LATE)
    assert found(made, observation(subject={"reference": "Patient/9"})) == []
    broken = observation(subject={"reference": "Patient/1"}, **beside)
    assert ("own-1", "Observation.subject") in found(made, broken)


@pytest.mark.parametrize("beside", [{}, {"language": "no language"}])
def test_a_plain_reference_to_another_type_in_the_bundle(beside: JsonObject) -> None:
    practitioner = {"resourceType": "Practitioner", "id": "1"}
    entries = {"Observation/o": observation(subject={"reference": "Patient/1"}, **beside), "Patient/1": practitioner}
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": f"https://example.org/fhir/{place}", "resource": resource}
            for place, resource in entries.items()
        ],
    }
    assert ("reference-target", "Bundle.entry[0].resource.subject") in found(Validator(), bundle)


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        ({"valueInteger": 6}, ""),
        ({"valueInteger": 6.0}, "primitive-format"),
        ({"valueInteger": True}, "primitive-format"),
        ({"valueCoding": {"system": "http://hl7.org/fhir/administrative-gender", "code": "male"}}, ""),
        ({"valueCoding": {"system": "http://hl7.org/fhir/administrative-gender", "code": "mela"}}, "code-unknown"),
        ({"valueCoding": {"system": "http://hl7.org/fhir/administrative-gender", "code": "male", "id": "a"}}, ""),
        ({"valueCoding": {"system": "http://hl7.org/fhir/administrative-gender", "code": ["male"]}}, "element-type"),
    ],
)
def test_what_was_clean_says_nothing_of_what_is_almost_like_it(answer: JsonObject, rule: str) -> None:
    clean = [
        {"valueInteger": 6},
        {"valueCoding": {"system": "http://hl7.org/fhir/administrative-gender", "code": "male"}},
    ]

    def response(*answers: JsonObject) -> JsonObject:
        items = [{"linkId": "a", "answer": [each]} for each in answers]
        return {"resourceType": "QuestionnaireResponse", "status": "in-progress", "item": items}

    made = Validator()
    assert found(made, response(*clean, *clean)) == []
    rules = {name for name, _ in found(made, response(*clean, answer))}
    assert rules == ({rule} if rule else set())


def test_an_id_that_stands_twice_in_what_was_clean_alone() -> None:
    made = Validator()
    coding = {"system": "http://hl7.org/fhir/administrative-gender", "code": "male"}
    concept = {"coding": [coding]}
    assert found(made, observation(category=[concept, concept])) == []
    named = [{**concept, "id": "a"}, {**concept, "id": "a"}]
    assert ("element-id", "Observation.category[1]") in found(made, observation(category=named))
