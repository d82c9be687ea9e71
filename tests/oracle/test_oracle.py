"""The oracle itself: bytes that are no JSON, other definitions, definitions that change or are broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import java
from tests.oracle.oracle import Oracle

PROFILE = {
    "resourceType": "StructureDefinition",
    "url": "https://w3id.org/fhir-keta/test/StructureDefinition/named-patient",
    "name": "NamedPatient",
    "status": "active",
    "fhirVersion": "4.0.1",
    "kind": "resource",
    "abstract": False,
    "type": "Patient",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
    "derivation": "constraint",
    "differential": {"element": [{"id": "Patient.name", "path": "Patient.name", "min": 1}]},
}
PATIENT = {"resourceType": "Patient", "meta": {"profile": [PROFILE["url"]]}}


@pytest.mark.parametrize(
    "data",
    [b"", b"nonsense", b'{"resourceType": "Patient"', b"[]", b"{}", b'{"resourceType": "Unknown"}', b"\xff\xfe"],
    ids=["empty", "no JSON", "cut off", "array", "no type", "unknown type", "not UTF-8"],
)
def test_what_is_no_resource_is_an_error(oracle: Oracle, data: bytes) -> None:
    assert oracle.has_error(data)


def test_an_issue_says_what_and_where(oracle: Oracle) -> None:
    (issue,) = oracle.errors(b'{"resourceType": "Patient",\n "birthDate": "yesterday"}')
    assert (issue.severity, issue.expression, issue.line) == ("error", "Patient.birthDate", 2)
    assert "yesterday" in issue.message
    assert issue.code
    assert issue.message_id


def test_definitions_are_read_again_when_they_change(oracle: Oracle, tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(PROFILE))
    other = oracle.with_definitions([tmp_path])
    assert other.definition_problems() == []
    assert other.has_error(PATIENT)
    assert not oracle.has_error(PATIENT), "a profile that is not known is a warning"
    path.write_text(json.dumps(PROFILE).replace('"min": 1', '"min": 0, "short": "None needed"'))
    assert not other.has_error(PATIENT)
    path.unlink()
    assert other.structure(str(PROFILE["url"])) is None


def test_a_profile_may_be_named_in_the_question(oracle: Oracle, tmp_path: Path) -> None:
    (tmp_path / "profile.json").write_text(json.dumps(PROFILE))
    other = oracle.with_definitions([tmp_path])
    assert not other.has_error({"resourceType": "Patient"})
    assert other.has_error({"resourceType": "Patient"}, [str(PROFILE["url"])])


def test_broken_definitions_are_named(oracle: Oracle, tmp_path: Path) -> None:
    (tmp_path / "cut-off.json").write_text('{"resourceType": "ValueSet"')
    baseless = {**PROFILE, "baseDefinition": "https://w3id.org/fhir-keta/test/StructureDefinition/unknown"}
    (tmp_path / "baseless.json").write_text(json.dumps(baseless))
    problems = oracle.with_definitions([tmp_path]).definition_problems()
    assert len(problems) == 2
    assert "cut-off.json" in problems[0]
    assert str(PROFILE["url"]) in problems[1]


def test_a_missing_folder_is_an_error(oracle: Oracle, tmp_path: Path) -> None:
    with pytest.raises(java.JavaError, match="nowhere"):
        oracle.with_definitions([tmp_path / "nowhere"])
