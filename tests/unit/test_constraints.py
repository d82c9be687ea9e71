"""Fixed values, patterns, ranges, lengths, bindings and reference targets of one element."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_keta.definitions.library import base
from fhir_keta.validation.constraints import (
    binding_schema,
    describe,
    pattern_schema,
    target_schema,
    target_types,
)
from fhir_keta.validation.engine import compile_schema
from tests.base_records import CATEGORY, observation
from tests.unit.made_profiles import element, findings, profile, validator

JsonObject = dict[str, Any]

UCUM = "http://unitsofmeasure.org"
CORE = "http://hl7.org/fhir/StructureDefinition/"


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        ({"system": UCUM, "code": "mg"}, True),
        ({"system": UCUM, "code": "mg", "value": 1}, False),  # exactly: nothing more (R4, ElementDefinition.fixed[x])
        ({"system": UCUM}, False),
        ({"system": UCUM, "code": "g"}, False),
    ],
)
def test_a_fixed_object_is_that_object(value: JsonObject, accepted: bool) -> None:
    fixed = element("Observation.value[x]", type=[{"code": "Quantity"}], fixedQuantity={"system": UCUM, "code": "mg"})
    made = validator(profile("fixed", fixed))
    expected = [] if accepted else [("value-fixed", "Observation.value.ofType(Quantity)")]
    assert findings(made.check(observation(valueQuantity=value))) == expected


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        ({"a": "x"}, True),
        ({"a": "x", "b": 1}, True),
        ({"b": 1}, False),
        ({"a": "y"}, False),
        ("x", False),
    ],
)
def test_a_pattern_is_contained(value: Any, accepted: bool) -> None:
    assert compile_schema(pattern_schema({"a": "x"})).is_valid(value) is accepted


def test_a_pattern_in_an_array_may_be_anywhere() -> None:
    engine = compile_schema(pattern_schema({"coding": [{"code": "a"}, {"code": "b"}]}))
    assert engine.is_valid({"coding": [{"code": "x"}, {"code": "b", "display": "B"}, {"code": "a"}]})
    assert not engine.is_valid({"coding": [{"code": "a"}]})


def test_patterns_in_words() -> None:
    assert describe({"coding": [{"system": "s", "code": "a"}, {"code": "b"}]}) == "s#a, #b"
    assert describe({"system": UCUM, "code": "mg"}) == f"{UCUM}#mg"
    assert describe({"unit": "mg"}) == "unit mg"
    assert describe(True) == "True"


@pytest.mark.parametrize(
    ("members", "value", "rule"),
    [
        ({"minValueInteger": 0}, 0, None),
        ({"minValueInteger": 0}, -1, "value-range"),
        ({"maxValueInteger": 10}, 10, None),
        ({"maxValueInteger": 10}, 11, "value-range"),
    ],
)
def test_ranges(members: JsonObject, value: int, rule: str | None) -> None:
    made = validator(profile("range", element("Observation.value[x]", type=[{"code": "integer"}], **members)))
    expected = [(rule, "Observation.value.ofType(integer)")] if rule else []
    assert findings(made.check(observation(valueInteger=value))) == expected


def test_length_is_in_characters() -> None:
    made = validator(profile("short", element("Observation.value[x]", type=[{"code": "string"}], maxLength=3)))
    assert findings(made.check(observation(valueString="☀𝄞é"))) == []
    assert findings(made.check(observation(valueString="abcd"))) == [("max-length", "Observation.value.ofType(string)")]


CODES = base().codes("http://hl7.org/fhir/ValueSet/observation-category")
EXAM = {"system": CATEGORY, "code": "exam"}


@pytest.mark.parametrize(
    ("type_code", "value", "accepted"),
    [
        ("code", "exam", True),
        ("code", "zzz", False),
        ("uri", "exam", True),
        ("Coding", EXAM, True),
        ("Coding", {"code": "exam"}, False),
        ("Coding", {"system": "urn:x:y", "code": "exam"}, False),
        ("Quantity", EXAM, True),
        ("CodeableConcept", {"coding": [{"system": "urn:x:y", "code": "a"}, EXAM]}, True),
        ("CodeableConcept", {"coding": [{"system": "urn:x:y", "code": "a"}]}, False),
        ("CodeableConcept", {"text": "exam"}, False),
    ],
)
def test_required_bindings(type_code: str, value: Any, accepted: bool) -> None:
    assert CODES is not None
    schema = binding_schema(type_code, CODES)
    assert schema is not None
    assert compile_schema(schema).is_valid(value) is accepted


def test_types_without_codes_have_no_binding() -> None:
    assert CODES is not None
    assert binding_schema("Reference", CODES) is None


def test_only_required_bindings_refuse() -> None:
    binding = {"valueSet": "http://hl7.org/fhir/ValueSet/observation-category"}
    record = observation(method={"text": "none of them"})
    for strength, expected in (
        ("extensible", []),
        ("preferred", []),
        ("required", [("binding-required", "Observation.method")]),
    ):
        made = validator(profile(strength, element("Observation.method", binding={**binding, "strength": strength})))
        assert findings(made.check(record)) == expected


def test_a_value_set_that_cannot_be_enumerated_wants_some_code() -> None:
    binding = {"strength": "required", "valueSet": "https://example.org/ValueSet/elsewhere"}
    made = validator(profile("elsewhere", element("Observation.method", binding=binding)))
    coded = {"coding": [{"system": "urn:x:y", "code": "any"}]}
    assert findings(made.check(observation(method=coded))) == []
    for method in ({"text": "x"}, {"coding": [{"code": "any"}]}, {"coding": [{"system": "urn:x:y", "display": "x"}]}):
        assert findings(made.check(observation(method=method))) == [("binding-required", "Observation.method")]


def test_a_code_of_a_value_set_that_cannot_be_enumerated_is_not_judged() -> None:
    assert binding_schema("code", None) is None
    assert binding_schema("Quantity", None) is None


@pytest.mark.parametrize(
    ("reference", "accepted"),
    [
        ("Patient/1", True),
        ("https://ehr.test/fhir/Patient/1", True),
        ("Patient/1/_history/2", True),
        ("Group/1", True),
        ("Device/1", False),
        ("https://ehr.test/fhir/Device/1/_history/2", False),
        ("Device/1#part", False),
        ("#device", True),  # inside: judged where it leads
        ("urn:uuid:6c3b1a34-8a0f-4a0f-9d1e-0d6f1f0f8a11", True),
        ("https://ehr.test/devices?Device/1", True),
        ("https://ehr.test/anything", True),
        ("Unheard/1", True),  # not a type of R4: says nothing
        ("Devices/1", True),
    ],
)
def test_targets_of_references_that_name_their_type(reference: str, accepted: bool) -> None:
    engine = compile_schema(target_schema({"Patient", "Group"}))
    assert engine.is_valid({"reference": reference}) is accepted
    assert engine.is_valid({"display": reference})


def test_target_types() -> None:
    assert target_types([f"{CORE}Patient", f"{CORE}vitalsigns"], base()) == {"Patient", "Observation"}
    assert target_types([f"{CORE}Patient", f"{CORE}Resource"], base()) == frozenset()
    assert target_types(["https://example.org/unknown"], base()) == frozenset()
    assert target_types([], base()) == frozenset()


@pytest.mark.parametrize(
    ("uri", "accepted"),
    [
        ("https://example.org", True),
        ("urn:x:y", True),
        ("HTTP://EXAMPLE.ORG", True),
        ("local", False),
        ("/a", False),
        ("a/b:c", False),
    ],
)
def test_what_names_something_for_everybody_is_absolute(uri: str, accepted: bool) -> None:
    made = validator(profile("any"))
    record = observation(identifier=[{"system": uri, "value": "x"}])
    expected = [] if accepted else [("uri-absolute", "Observation.identifier[0].system")]
    assert findings(made.check(record)) == expected
