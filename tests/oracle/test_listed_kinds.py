"""Each kind of difference on records is there: a record that shows it, judged by both, for each row of the table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhir_keta import Validator
from tests.oracle.differences import ONLY_OURS, ONLY_THEIRS, Kind
from tests.oracle.listed import rows
from tests.oracle.oracle import Oracle

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NARRATIVE = "http://hl7.org/fhir/StructureDefinition/Narrative"
XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'
LONG = 1024 * 1024
Json = dict[str, Any]


def patient(**elements: object) -> Json:
    return {"resourceType": "Patient", "active": True, **elements}


def told(div: str) -> Json:
    return patient(text={"status": "generated", "div": div})


def observation(**elements: object) -> Json:
    return {"resourceType": "Observation", "status": "final", "code": {"text": "a"}, **elements}


def identified(system: str) -> Json:
    return patient(identifier=[{"system": system, "value": "1"}])


def example(name: str, *path: str | int, to: object) -> Json:
    """An example with one value exchanged, or without it (None)."""
    record: Json = json.loads((EXAMPLES / f"{name}.json").read_bytes())
    node: Any = record
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = to
    if to is None:
        del node[path[-1]]
    return record


def bundled(reference: str, type_: str = "collection") -> Json:
    entry: Json = {"fullUrl": "https://ehr.test/fhir/Observation/a"}
    entry["resource"] = observation(id="a", subject={"reference": reference})
    if type_ == "batch":
        entry["request"] = {"method": "PUT", "url": "Observation/a"}
    return {"resourceType": "Bundle", "type": type_, "entry": [entry]}


def concept(code: str, display: str) -> Json:
    """A code of FHIR's beside one of LOINC."""
    status = {"system": "http://hl7.org/fhir/observation-status", "code": code, "display": display}
    return observation(method={"coding": [{"system": "http://loinc.org", "code": "1-8"}, status]})


def between(low: tuple[float, str], high: tuple[float, str]) -> Json:
    """A range with two units of UCUM, or what should be such."""
    ends = (
        {"value": value, "unit": f"unit {code}", "system": "http://unitsofmeasure.org", "code": code}
        for value, code in (low, high)
    )
    return observation(valueRange=dict(zip(("low", "high"), ends, strict=True)))


def researched(**elements: object) -> Json:
    characteristic = {"definitionCodeableConcept": {"text": "a"}, **elements}
    element = {"resourceType": "ResearchElementDefinition", "status": "draft", "type": "population"}
    return {**element, "characteristic": [characteristic]}


def alerting(language: str) -> Json:
    condition = {"url": "condition", "valueExpression": {"language": language, "expression": "true"}}
    parts = [condition, {"url": "level", "valueCode": "attention"}, {"url": "reason", "valueString": "a"}]
    alert = {"url": "https://w3id.org/fhir-keta/StructureDefinition/keta-alert", "extension": parts}
    item = {"linkId": "1", "type": "boolean", "text": "a", "extension": [alert]}
    return {"resourceType": "Questionnaire", "status": "draft", "item": [item]}


def sliced(name: str) -> Json:
    """A profile of ours with this name of a slice."""
    profile: Json = json.loads(
        (EXAMPLES.parent / "profiles" / "StructureDefinition" / "keta-concern.json").read_bytes()
    )
    profile["differential"]["element"][0]["sliceName"] = name
    return profile


TIME_POINT = ("observations/keta-rating", "extension", 0, "valueCoding")
SEVERITY = ("records/keta-adverse-event", "severity", "coding", 0)
HIDDEN = {"url": "http://hl7.org/fhir/StructureDefinition/questionnaire-hidden", "valueBoolean": True}

ABSENT = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}

OURS = [
    ("reference-target", observation(subject={"reference": "Medication/1"})),
    ("reference-target", observation(subject={"reference": "https://ehr.test/fhir/Medication/1"})),
    ("element-empty", observation(valueString="", _valueString={"extension": [ABSENT]})),
    ("element-empty", patient(name=[{"given": []}])),
    ("primitive-format", patient(birthDate=" ")),
    *(
        ("primitive-format", {"resourceType": "Device", "udiCarrier": [{"carrierAIDC": data}]})
        for data in ("aGVsbG8=aGVsbG8=", "@@@@")
    ),
    ("value-pattern", alerting(" ")),
    ("value-fixed", example("observations/blood-pressure", "component", 0, "valueQuantity", "code", to="  ")),
    ("binding-required", example(*TIME_POINT, "system", to=None)),
    ("binding-required", example(*TIME_POINT, "code", to=None)),
    ("binding-required", example(*SEVERITY, "system", to="http://snomed.info/sct")),
    ("uri-absolute", observation(valueQuantity={"value": 1, "system": "units"})),
    ("system-spelling", observation(valueQuantity={"value": 1, "system": "https://loinc.org"})),
    ("system-spelling", patient(meta={"tag": [{"system": "https://terminology.hl7.org/CodeSystem/a", "code": "a"}]})),
    ("reference-relative", bundled("/1")),
    ("element-empty", observation(method={"id": "a"})),
    ("code-unknown", concept("zzz", "Final")),
    ("display-wrong", concept("final", "zzz")),
    ("element-unknown", patient(name=[{"id": "a", "text": "b", "_id": {"extension": [ABSENT]}}])),
    ("rng-2", between((1, "mg/kg"), (2, "kg"))),
    ("rng-2", between((1, "mg"), (1, "{tablet}"))),
    ("rng-2", between((1, "[arb'U]"), (2, "[CFU]"))),
    ("string-length", observation(note=[{"text": "a" * (LONG + 1)}])),
    ("txt-1", told(f"<div {XHTML}>a</div>b")),
    ("txt-1", told(f"<!DOCTYPE html><div {XHTML}>a</div>")),
    ("eld-16", sliced("survey\n")),
    ("extension-context", {"resourceType": "Questionnaire", "status": "draft", "extension": [HIDDEN]}),
]
THEIRS = [
    ("http://hl7.org/fhir/StructureDefinition/Range#rng-2", between((1, "kg"), (2, "=="))),
    ("http://hl7.org/fhir/StructureDefinition/Range#rng-2", between((98, "[degF]"), (37, "Cel"))),
    ("http://hl7.org/fhir/StructureDefinition/Range#rng-2", between((2, "[pH]"), (1, "mol/L"))),
    ("Type_Specific_Checks_DT_Identifier_System", identified("HTTPS://ehr.test/ids")),
    ("Type_Specific_Checks_DT_Identifier_System", identified("mailto:ids@ehr.test")),
    ("Terminology_TX_System_Relative", patient(meta={"tag": [{"system": "did:web:ehr.test", "code": "a"}]})),
    ("TYPE_SPECIFIC_CHECKS_CANONICAL_ABSOLUTE", patient(meta={"profile": ["x-ehr://ehr.test/profile"]})),
    ("TYPE_SPECIFIC_CHECKS_CANONICAL_ABSOLUTE", patient(meta={"profile": ["HTTPS://ehr.test/profile"]})),
    ("Terminology_TX_System_Relative", patient(meta={"tag": [{"system": "HTTPS://ehr.test/tags", "code": "a"}]})),
    ("Reference_REF_Format1", bundled("HTTPS://ehr.test/fhir/Patient/1", "batch")),
    ("Reference_REF_Format2", bundled("HTTPS://ehr.test/fhir/Patient/1")),
    ("Validation_VAL_Profile_MatchMultiple", researched(participantEffectiveDescription="a")),
    ("Validation_VAL_Profile_MatchMultiple", researched(studyEffectiveDescription="a")),
    ("Type_Specific_Checks_DT_OID_Valid", identified("urn:oid:1.2.3")),
    ("TYPE_SPECIFIC_CHECKS_DT_ATT_B64_DECODE_FAIL", patient(photo=[{"contentType": "image/png", "data": "eHh4 eHh4"}])),
    ("Type_Specific_Checks_DT_Time_Valid", observation(valueTime="10:00:00.5")),
    ("Type_Specific_Checks_DT_String_Length", observation(valueString="\U0001f600" * (LONG // 2 + 1))),
    (f"{NARRATIVE}#txt-1", told(f"<div {XHTML}><p>a</p ></div>")),
    (f"{NARRATIVE}#txt-2", told(f"<div {XHTML}><![CDATA[a]]></div>")),
]


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator()


def listed(record: Json, oracle: Oracle, validator: Validator) -> tuple[bool, list[Kind] | None]:
    """Whether the error is ours, and its rows."""
    ours = [issue for issue in validator.check(json.dumps(record).encode()) if issue.severity in ("error", "fatal")]
    theirs = oracle.errors(json.dumps(record, ensure_ascii=False).encode())
    assert bool(ours) is not bool(theirs), f"ours: {ours}, theirs: {[str(issue)[:200] for issue in theirs]}"
    return bool(ours), rows("", record, ours, theirs)


@pytest.mark.parametrize(("rule", "record"), OURS)
def test_only_ours(rule: str, record: Json, oracle: Oracle, validator: Validator) -> None:
    is_ours, found = listed(record, oracle, validator)
    assert is_ours
    assert found
    assert rule in {row.rule for row in found}


@pytest.mark.parametrize(("rule", "record"), THEIRS)
def test_only_theirs(rule: str, record: Json, oracle: Oracle, validator: Validator) -> None:
    is_ours, found = listed(record, oracle, validator)
    assert not is_ours
    assert found
    assert rule in {row.rule for row in found}


def test_what_follows_from_a_listed_kind_is_listed(oracle: Oracle, validator: Validator) -> None:
    """An entry that has its fault by the table, and another that refers to it by a profile."""
    session: Json = json.loads((EXAMPLES / "course" / "session-4.json").read_bytes())
    record = {**session, "entry": session["entry"][:4]}
    infusion = record["entry"][1]["resource"]
    infusion["subject"] = {"identifier": {"system": "HTTP://ehr.test", "value": "1"}}
    is_ours, found = listed(record, oracle, validator)
    assert not is_ours
    assert found
    assert {row.rule for row in found} == {"Type_Specific_Checks_DT_Identifier_System"}
    errors = oracle.errors(json.dumps(record).encode())
    assert "Reference_REF_CantMatchChoice" in {issue.message_id for issue in errors}
    alone = [issue for issue in errors if issue.message_id == "Reference_REF_CantMatchChoice"]
    assert rows("", record, [], alone) is None


def test_what_only_looks_like_a_listed_kind_is_not_listed(oracle: Oracle, validator: Validator) -> None:
    """Another fault beside a listed one, and the rule of a listed kind where its condition does not hold."""
    beside = observation(subject={"reference": "Medication/1"}, valueCodeableConcept={"coding": [{"id": "a"}]})
    ours = validator.check(beside)
    assert rows("", beside, ours, ()) is not None
    ours = validator.check({**beside, "zzz": 1})
    assert rows("", {**beside, "zzz": 1}, ours, ()) is None
    coded = example(*SEVERITY, "system", to="https://ehr.test/codes")
    assert rows("", coded, [issue for issue in validator.check(coded) if issue.rule == "binding-required"], ()) is None


def test_the_table_has_an_example_of_each_kind() -> None:
    """Kinds of definitions are shown where those are compared."""
    shown = {rule for rule, _ in (*OURS, *THEIRS)}
    of_records = {row.rule for row in (*ONLY_OURS, *ONLY_THEIRS) if row.holds.__name__ != "always"}
    assert shown <= of_records
