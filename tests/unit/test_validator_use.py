"""The validator as others use it: pure, picklable, shared by threads, with libraries and profiles of their own."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from fhir_keta.errors import DefinitionError
from fhir_keta.validation.validator import Validator
from tests.base_cases import BASE_CASES
from tests.base_records import observation, patient
from tests.unit.made_profiles import MADE, element, findings, library, profile

JsonObject = dict[str, Any]

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTED = profile("noted", element("Observation.note", min=1))


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator()


def test_a_check_changes_nothing_it_was_given(validator: Validator) -> None:
    records = [case.resource for case in BASE_CASES]
    records += [json.loads(path.read_bytes()) for path in sorted((EXAMPLES / "responses").glob("*.json"))]
    for record in records:
        before = copy.deepcopy(record)
        validator.check(record)
        assert record == before


def _with_odd_values(record: Any, odd: Iterator[Any]) -> Iterator[Any]:
    """The record with each value in it replaced, one at a time."""
    for key, value in list(record.items() if isinstance(record, dict) else enumerate(record)):
        record[key] = next(odd)
        yield record
        record[key] = value
        if isinstance(value, dict | list):
            for _ in _with_odd_values(value, odd):
                yield record


def test_no_shape_is_too_odd(validator: Validator) -> None:
    odd = cycle([[], {}, 1, None, "é", [[]], [None], {"x": [{}]}, True, 1.5, [{"id": 1}], {"reference": []}, "#", -1])
    for case in BASE_CASES:
        for record in _with_odd_values(copy.deepcopy(case.resource), odd):
            for issue in validator.check(json.dumps(record).encode()):
                assert issue.message


def test_a_record_is_judged_the_same_as_text_and_as_object(validator: Validator) -> None:
    for case in BASE_CASES:
        assert validator.check(json.dumps(case.resource).encode()) == validator.check(case.resource), case.name


def test_verdicts_do_not_depend_on_what_came_before() -> None:
    forwards, backwards = Validator(), Validator()
    first = {case.name: forwards.check(case.resource) for case in BASE_CASES}
    for case in reversed(BASE_CASES):
        assert backwards.check(case.resource) == first[case.name]
        assert forwards.check(case.resource) == first[case.name]


def test_a_pickled_validator_is_the_same() -> None:
    known = library(NOTED)
    original = Validator(known, profiles=[NOTED["url"]], strict=True)
    record = observation(meta={"profile": ["https://ehr.test/unknown"]})
    expected = original.check(record)
    assert [(issue.rule, issue.severity) for issue in expected] == [
        ("profile-unknown", "error"),
        ("cardinality-min", "error"),
    ]
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        restored = pickle.loads(pickle.dumps(original, protocol))
        assert restored.check(record) == expected


def test_threads_share_one_validator(validator: Validator) -> None:
    """Everything is compiled on first use, so the first uses meet."""
    expected = [validator.check(case.resource) for case in BASE_CASES]
    shared = Validator()
    work = list(range(len(BASE_CASES))) * 3
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: shared.check(BASE_CASES[number].resource), work))
    assert found == [expected[number] for number in work]


def test_each_finding_stands_once(validator: Validator) -> None:
    for case in BASE_CASES:
        found = validator.check(case.resource)
        assert len(found) == len(set(found)), case.name


def test_a_profile_for_every_record_of_its_type() -> None:
    held = Validator(library(NOTED), profiles=[NOTED["url"]])
    assert findings(held.check(observation())) == [("cardinality-min", "Observation")]
    assert findings(held.check(observation(note=[{"text": "x"}]))) == []
    assert findings(held.check(patient(active=True))) == []
    inside = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": "urn:x:y", "resource": observation()}],
    }
    assert findings(held.check(inside)) == [("cardinality-min", "Bundle.entry[0].resource")]


def test_a_profile_that_the_record_claims() -> None:
    known = Validator(library(NOTED))
    assert findings(known.check(observation())) == []
    for claim in (NOTED["url"], f"{NOTED['url']}|1"):
        assert findings(known.check(observation(meta={"profile": [claim]}))) == [("cardinality-min", "Observation")]


def test_two_profiles_and_one_fault() -> None:
    coded = profile("coded", element("Observation.method", min=1))
    known = Validator(library(NOTED, coded))
    record = observation(meta={"profile": [NOTED["url"], coded["url"]]}, status="x")
    found = known.check(record)
    assert sorted(issue.message for issue in found) == [
        "'method' is required here (at least 1).",
        "'note' is required here (at least 1).",
        next(issue.message for issue in found if issue.rule == "binding-required"),
    ]


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        (["https://ehr.test/unknown"], [("profile-unknown", "Observation.meta.profile[0]")]),
        (
            ["http://hl7.org/fhir/StructureDefinition/Observation", f"{MADE}noted|9"],
            [("profile-unknown", "Observation.meta.profile[1]")],
        ),
    ],
)
def test_unknown_profiles_warn_or_refuse(claims: list[str], expected: list[tuple[str, str]]) -> None:
    record = observation(meta={"profile": claims})
    for strict, severity in ((False, "warning"), (True, "error")):
        found = Validator(library(NOTED), strict=strict).check(record)
        assert [(issue.rule, issue.expression) for issue in found] == expected
        assert {issue.severity for issue in found} == {severity}


def test_a_claim_that_is_no_list_says_nothing_of_one_that_is() -> None:
    made = Validator()
    assert "element-type" in {issue.rule for issue in made.check(observation(meta={"profile": "ab"}))}
    assert "profile-unknown" in {issue.rule for issue in made.check(observation(meta={"profile": ["a", "b"]}))}


def test_unknown_questionnaires_warn_or_refuse() -> None:
    response = {"resourceType": "QuestionnaireResponse", "status": "completed", "questionnaire": "https://ehr.test/q"}
    for strict, severity in ((False, "warning"), (True, "error")):
        (found,) = Validator(strict=strict).check(response)
        assert (found.rule, found.severity, found.expression) == (
            "questionnaire-unknown",
            severity,
            "QuestionnaireResponse.questionnaire",
        )


def test_a_profile_that_is_not_there_is_said_at_once() -> None:
    with pytest.raises(DefinitionError, match=r"ehr\.test/unknown is not known"):
        Validator(profiles=["https://ehr.test/unknown"])


@pytest.mark.parametrize(
    ("data", "rule", "line", "column"),
    [
        (b"", "json-empty", 1, 1),
        (b"{", "json-syntax", 1, 2),
        (b'{"resourceType":\n "Patient",}', "json-syntax", 2, 11),
        (b"[]", "json-not-object", 1, 1),
        (b"\xff", "json-encoding", 1, 1),
    ],
)
def test_what_is_no_json_object_has_a_place(
    data: bytes, rule: str, line: int, column: int, validator: Validator
) -> None:
    (found,) = validator.check(data)
    assert found.rule == rule
    assert found.place is not None
    assert (found.place.line, found.place.column) == (line, column)


@pytest.mark.parametrize(
    ("record", "rule"),
    [
        ({}, "resource-type-missing"),
        ({"resourceType": "Patients"}, "resource-type-unknown"),
        ({"resourceType": "HumanName", "text": "x"}, "resource-type-unknown"),
        ({"resourceType": "DomainResource"}, "resource-type-unknown"),
        ({"resourceType": 1}, "resource-type-unknown"),
        ({"resourceType": ["Patient"]}, "resource-type-unknown"),
        ({"resourceType": None}, "resource-type-missing"),
    ],
)
def test_what_is_no_resource(record: JsonObject, rule: str, validator: Validator) -> None:
    (found,) = validator.check(record)
    assert (found.rule, found.severity, found.expression) == (rule, "fatal", "")


@pytest.mark.parametrize("value", [None, [], "x", 1])
def test_what_is_no_object(value: Any, validator: Validator) -> None:
    (found,) = validator.check(value)
    assert found.rule == "json-not-object"


def test_integers_written_as_decimals() -> None:
    """6.0 and 1e2 are no integers (R4, Data Types, integer): in an array, in a contained resource, in a slice."""
    validator = Validator()
    written = {
        "6.0": "Observation.value.ofType(integer)",
        "1e2": "Observation.value.ofType(integer)",
        "6": None,
        "-0": None,
    }
    for literal, place in written.items():
        data = json.dumps(observation(valueInteger=77)).replace("77", literal).encode()
        assert findings(validator.check(data)) == ([("primitive-format", place)] if place else []), literal
    inside = observation(
        contained=[patient(id="p", telecom=[{"system": "phone", "value": "1", "rank": 77}])],
        subject={"reference": "#p"},
    )
    data = json.dumps(inside).replace("77", "7.0").encode()
    assert findings(validator.check(data)) == [("primitive-format", "Observation.contained[0].telecom[0].rank")]


def test_a_name_that_stands_twice(validator: Validator) -> None:
    data = json.dumps(observation()).replace('"status"', '"status": "final", "status"').encode()
    (found,) = validator.check(data)
    assert (found.rule, found.severity) == ("json-duplicate-key", "error")


def test_numbers_as_precise_as_they_are_written(validator: Validator) -> None:
    data = json.dumps(observation(valueQuantity={"value": 77})).replace("77", "1.000000000000000000001").encode()
    assert validator.check(data) == []
