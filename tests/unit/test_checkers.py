"""Compiled structures share their data types; engines are kept within bounds; extensions are checked apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhir_keta import Validator, bundled
from fhir_keta.validation import checkers
from fhir_keta.validation.checkers import Checkers
from tests.unit.made_profiles import MADE, element, profile

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted(ROOT.glob("examples/*/*.json"))
CORE = "http://hl7.org/fhir/StructureDefinition/"


def found(validator: Validator, data: bytes | dict[str, Any]) -> list[str]:
    return sorted(f"{issue.rule} {issue.expression} {issue.message}" for issue in validator.check(data))


def test_structures_share_their_data_types() -> None:
    made = Checkers(bundled())
    patient, device = (made.find(name) for name in ("Patient", "Device"))
    assert patient is not None
    assert device is not None
    one, other = patient.compiled.schema["$defs"], device.compiled.schema["$defs"]
    assert one["Identifier"] is other["Identifier"]
    assert "HumanName" in one
    assert "HumanName" not in other  # only what is met
    assert "Timing" not in one  # what only an extension could have
    assert patient.compiled.functions.children["identifier"] is device.compiled.functions.children["identifier"]


def test_few_engines_give_the_same_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = Validator()
    expected = [found(usual, path.read_bytes()) for path in EXAMPLES]
    monkeypatch.setattr(checkers, "_MOST_KEPT", 1)  # one at a time
    scarce = Validator()
    assert [found(scarce, path.read_bytes()) for path in EXAMPLES] == expected
    assert any(expected)


def test_engines_are_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    compile_schema = checkers.compile_schema
    monkeypatch.setattr(checkers, "compile_schema", lambda schema: made.append(schema) or compile_schema(schema))
    monkeypatch.setattr(checkers, "_MOST_KEPT", 1500)
    known = Checkers(bundled())

    def ask(*names: str) -> int:
        before = len(made)
        for name in names:
            checker = known.find(name)
            assert checker is not None
            assert not checker.engine.is_valid({"resourceType": name, "zzz": 1})
        return len(made) - before

    assert ask("Patient", "Basic", "Patient", "Basic") == 2
    assert ask("Patient") == 0
    many = ("Binary", "Linkage", "Person", "Device", "Group", "Schedule", "Slot", "Flag", "Basic", "Patient")
    assert ask(*many) >= len(many) - 2  # those met longest ago had to go
    assert ask("Patient") == 0  # the last one stays, whatever its size


def test_two_data_types_of_one_id_are_kept_apart() -> None:
    """The same id at two addresses (R4, Resource.id: unique only on its server)."""
    days = {**profile("days", element("Quantity.code", fixedCode="d"), on="Quantity"), "id": "same"}
    hours = {**profile("hours", element("Quantity.code", fixedCode="h"), on="Quantity"), "id": "same"}
    asking = [
        profile(
            f"in-{name}",
            element("Observation.value[x]", type=[{"code": "Quantity", "profile": [f"{MADE}{name}"]}]),
        )
        for name in ("days", "hours")
    ]
    validator = Validator(bundled().with_resources([days, hours, *asking]))

    def rules(name: str, code: str) -> list[str]:
        record = {
            "resourceType": "Observation",
            "meta": {"profile": [f"{MADE}in-{name}"]},
            "status": "final",
            "code": {"text": "a"},
            "valueQuantity": {"value": 1, "system": "http://unitsofmeasure.org", "code": code},
        }
        return [issue.rule for issue in validator.check(record)]

    assert rules("days", "d") == rules("hours", "h") == []
    assert rules("days", "h") == rules("hours", "d") == ["value-fixed"]


@pytest.mark.parametrize(
    ("extension", "expected"),
    [
        ({"url": "https://ehr.test/x", "valueInteger": "a"}, ["extension-unknown ", "primitive-format .value"]),
        ({"url": 1, "valueString": "a"}, ["primitive-format .url"]),
        ({"valueString": "a"}, ["cardinality-min "]),
        ({}, ["cardinality-min ", "element-empty ", "ext-1 "]),
        ("a", ["element-type "]),
        (
            {"url": f"{CORE}patient-nationality", "extension": [{"url": "zzz", "valueInteger": "a"}]},
            ["extension-unknown .extension[0]", "primitive-format .extension[0].value"],
        ),
        (
            {"url": f"{CORE}patient-mothersMaidenName", "_valueString": {"extension": [{"url": 1}]}},
            ["ext-1 .value.ofType(string).extension[0]", "primitive-format .value.ofType(string).extension[0].url"],
        ),
    ],
)
def test_what_stands_in_an_extension_is_checked(extension: Any, expected: list[str]) -> None:
    patient = {"resourceType": "Patient", "active": True, "extension": [extension]}
    for data in (patient, json.dumps(patient).encode()):
        issues = [f"{issue.rule} {issue.expression}" for issue in Validator().check(data)]
        start = "Patient.extension[0]"
        assert sorted(each.replace(start, "").removesuffix(".ofType(integer)") for each in issues) == expected
