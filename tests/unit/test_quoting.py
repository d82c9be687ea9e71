"""What a record has for names is quoted only where it looks like a name: it may be what a patient said."""

from __future__ import annotations

import json

import pytest

from fhir_keta.validation.rules import is_name, quoted
from fhir_keta.validation.validator import Validator

VALIDATOR = Validator()
LONG = "x" * 65
ODD = ["Mrs Miller", "Müller", "a.b", "a\nb", "", LONG, "`", "<b>", "%0A::error::"]


def said(record: object) -> str:
    return "\n".join(f"{issue.expression} {issue.message}" for issue in VALIDATOR.check(json.dumps(record).encode()))


@pytest.mark.parametrize("name", ["gendre", "_given2", "birth-date", "x" * 64])
def test_what_looks_like_a_name_is_quoted(name: str) -> None:
    assert is_name(name)
    assert quoted(name) == f"'{name}'"
    (issue,) = VALIDATOR.check({"resourceType": "Patient", name: 1})
    assert issue.expression == f"Patient.{name.removeprefix('_')}"
    assert issue.message.startswith(f"'{name}' is not an element here.")


@pytest.mark.parametrize("name", ODD)
def test_an_odd_name_is_only_spoken_of(name: str) -> None:
    (issue,) = VALIDATOR.check({"resourceType": "Patient", "contact": [{name: 1, "name": {"text": "x"}}]})
    assert (issue.rule, issue.expression) == ("element-unknown", "Patient.contact[0]")
    assert issue.message == "Something with an odd name is not an element here."


@pytest.mark.parametrize("odd", ["Mrs Miller", LONG])
@pytest.mark.parametrize(
    "record",
    [
        lambda odd: {"resourceType": odd},
        lambda odd: {"resourceType": "Patient", odd: [None]},
        lambda odd: {"resourceType": "Patient", odd: ["a", "b"], f"_{odd}": [None]},
        lambda odd: {"resourceType": "Patient", odd: {odd: {odd: odd}}},
        lambda odd: {"resourceType": "Patient", f"_{odd}": {"id": odd}},
        lambda odd: {"resourceType": "Patient", "name": [{f"value{odd}": odd, odd: odd}]},
        lambda odd: {"resourceType": "Patient", "contained": [{"resourceType": odd, odd: odd}]},
        lambda odd: {"resourceType": "Patient", "extension": [{"url": odd, f"value{odd}": odd}]},
        lambda odd: {"resourceType": "Parameters", "parameter": [{"name": odd, f"value{odd}": odd}]},
    ],
)
def test_no_name_of_a_hostile_record_is_quoted(record: object, odd: str) -> None:
    text = said(record(odd))  # type: ignore[operator]
    assert text
    assert odd not in text


def test_did_you_mean_names_only_the_definition() -> None:
    assert said({"resourceType": "Patient", "gendre": "female"}) == (
        "Patient.gendre 'gendre' is not an element here. Did you mean 'gender'?"
    )
    assert said({"resourceType": "Patience"}) == " 'Patience' is not a FHIR R4 resource type. Did you mean 'Patient'?"
    assert said({"resourceType": "Patient", "gender": "femalee"}).endswith(" Did you mean 'female'?")


_ACTIVE = {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}


@pytest.mark.parametrize(
    ("codings", "remedy"),
    [
        ([{**_ACTIVE, "code": "activ"}], "Did you mean 'active'?"),
        ([{**_ACTIVE, "code": "Active"}], "Did you mean 'active'?"),
        ([{"code": "active"}], "The system of this code is http://terminology.hl7.org/CodeSystem/condition-clinical."),
        ([{"system": "urn:x", "code": "active"}], "The system of this code is http://terminology.hl7.org/CodeSystem/"),
        ([{"system": "urn:x", "code": "hears voices"}], ""),
        ([{"display": "hears voices"}], ""),
    ],
)
def test_the_remedy_for_a_code_of_a_concept(codings: object, remedy: str) -> None:
    """R4's condition-clinical value set, required in Condition.clinicalStatus, has one system."""
    record = {"resourceType": "Condition", "clinicalStatus": {"coding": codings}, "subject": {"display": "x"}}
    (message,) = [issue.message for issue in VALIDATOR.check(record) if issue.rule == "binding-required"]
    assert "hears voices" not in said(record)
    assert remedy in message
    assert bool(remedy) == (not message.endswith("condition-clinical|4.0.1."))


def test_the_remedy_for_the_code_of_a_coding() -> None:
    """keta-time-point is a Coding with a required binding."""
    url, system = (
        "https://w3id.org/fhir-keta/" + end
        for end in ("StructureDefinition/keta-time-point", "CodeSystem/keta-time-point")
    )
    coding = {"system": system, "code": "recovry"}
    record = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    text = said({**record, "extension": [{"url": url, "valueCoding": coding}]})
    assert "Did you mean 'recovery'?" in text
    assert "recovry" not in text


@pytest.mark.parametrize("codings", ["hears voices", [7, {"code": 7}, {"system": "hears voices"}], {}, None, [[]]])
def test_no_remedy_for_what_is_no_coding(codings: object) -> None:
    record = {"resourceType": "Condition", "clinicalStatus": {"coding": codings}, "subject": {"display": "x"}}
    assert said(record)
    assert "hears voices" not in said(record)
