"""Which Observations are vital signs (R4, Vital Signs)."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_keta.definitions.library import base
from fhir_keta.validation.vital_signs import _PROFILES, LOINC, vital_signs_profile
from tests.base_records import observation, patient

CORE = "http://hl7.org/fhir/StructureDefinition/"


def coded(*codings: Any) -> dict[str, Any]:
    return observation(code={"coding": list(codings)})


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (coded({"system": LOINC, "code": "8867-4"}), "heartrate"),
        (coded({"system": "urn:x:y", "code": "a"}, {"system": LOINC, "code": "85354-9"}), "bp"),
        (coded({"system": LOINC, "code": "59408-5"}), "oxygensat"),
        (coded({"system": "urn:x:y", "code": "8867-4"}), None),
        (coded({"code": "8867-4"}), None),
        (coded({"system": LOINC, "code": "44261-6"}), None),
        (observation(), None),
        (observation(code="8867-4"), None),
        (observation(code={"coding": {"system": LOINC, "code": "8867-4"}}), None),
        (coded(None, 1, {"system": LOINC, "code": ["8867-4"]}), None),
        (patient(code={"coding": [{"system": LOINC, "code": "8867-4"}]}), None),
    ],
)
def test_by_code(record: dict[str, Any], expected: str | None) -> None:
    assert vital_signs_profile(record) == (CORE + expected if expected else None)


def test_each_profile_is_one_of_r4_and_its_first_code_the_one_it_fixes() -> None:
    names = set(_PROFILES.values())
    assert len(names) == 10
    for name in names:
        structure = base().structure(CORE + name)
        assert structure is not None
        fixed = {each.get("fixedCode") for each in structure["snapshot"]["element"]}
        codes = [code for code, profile in _PROFILES.items() if profile == name]
        assert codes[0] in fixed, name
