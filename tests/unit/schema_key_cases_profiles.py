"""The constraints that R4's own profiles and extensions add to those of its types."""

from __future__ import annotations

from typing import Any

from tests.base_records import CATEGORY, observation
from tests.unit.invariant_records import UCUM
from tests.unit.key_case import JsonObject, KeyCase, case

_RISK = "http://hl7.org/fhir/StructureDefinition/allergyintolerance-substanceExposureRisk"


def _vital_sign(code: str, **more: Any) -> JsonObject:
    """The code alone makes it one: each profile on vital signs names its LOINC code (R4, Vital Signs)."""
    vital_signs = {"coding": [{"system": CATEGORY, "code": "vital-signs"}]}
    about = {"subject": {"reference": "Patient/1"}, "effectiveDateTime": "2020-01-01"}
    return observation(**about, category=[vital_signs], code=_loinc(code), **more)


def _loinc(code: str) -> JsonObject:
    return {"coding": [{"system": "http://loinc.org", "code": code}]}


def _pressure(code: str, value: int) -> JsonObject:
    return {"code": _loinc(code), "valueQuantity": {"value": value, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"}}


def _coded(system: str, code: str) -> JsonObject:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}


def _part(url: str, concept: JsonObject) -> JsonObject:
    return {"url": url, "valueCodeableConcept": concept}


_TEXT = {"text": "x"}
_KNOWN = _coded("allerg-intol-substance-exp-risk", "known-reaction-risk")
_RATE = {"value": 70, "unit": "/min", "system": UCUM, "code": "/min"}

PROFILE_CASES: tuple[KeyCase, ...] = (
    case(
        "vs-1",
        _vital_sign("8867-4", valueQuantity=_RATE),
        {"effectiveDateTime": "2020-01"},
        "Observation.effective.ofType(dateTime)",
    ),
    case("vs-2", _vital_sign("8867-4", valueQuantity=_RATE), {"valueQuantity": None}, "Observation"),
    case(
        "vs-3",
        _vital_sign("85354-9", component=[_pressure("8480-6", 120), _pressure("8462-4", 80)]),
        {"component.1.valueQuantity": None},
        "Observation.component[1]",
    ),
    case(
        "sqty-1",
        observation(referenceRange=[{"low": {"value": 1}}]),
        {"referenceRange.0.low.comparator": "<"},
        "Observation.referenceRange[0].low",
        "element-prohibited",  # the same profile leaves no room for a comparator
    ),
    case(  # its names are not those of an extension: false wherever it stands, HL7's validator says so too
        "Extension inv-1",
        {
            "resourceType": "AllergyIntolerance",
            "patient": {"reference": "Patient/1"},
            "clinicalStatus": _coded("allergyintolerance-clinical", "active"),
        },
        {"extension": [{"url": _RISK, "extension": [_part("substance", _TEXT), _part("exposureRisk", _KNOWN)]}]},
        "AllergyIntolerance.extension[0]",
    ),
)
