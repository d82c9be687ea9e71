"""The parts of a rule's text, and the records that several examples start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

JsonObject = dict[str, Any]
Example = JsonObject | bytes
"""A record, or where only the bytes show the fault, those."""

KETA = "https://w3id.org/fhir-keta/"
CORE = "http://hl7.org/fhir/StructureDefinition/"
SUBJECT = {"reference": "Patient/p1"}


@dataclass(frozen=True, slots=True)
class RuleText:
    """``says`` is the rule, ``why`` its reason and source, ``fix`` what to do; ``wrong`` gives the finding, ``right``
    does not. Both are None where no single record can show it."""

    says: str
    why: str
    fix: str
    wrong: Example | None = None
    right: Example | None = None


def patient(**elements: object) -> JsonObject:
    """A Patient with these elements."""
    return {"resourceType": "Patient", **elements}


def observation(**elements: object) -> JsonObject:
    """A base R4 Observation with these elements."""
    return {"resourceType": "Observation", "status": "final", "code": {"text": "Body weight"}, **elements}


def coded(system: str, code: str, **more: object) -> JsonObject:
    """A CodeableConcept with one coding."""
    return {"coding": [{"system": system, "code": code, **more}]}


def heart_rate(**elements: object) -> JsonObject:
    """An Observation that R4's profile for the heart rate accepts, changed by these elements."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [coded("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs")],
        "code": coded("http://loinc.org", "8867-4"),
        "subject": SUBJECT,
        "effectiveDateTime": "2026-09-07T10:00:00+02:00",
        "valueQuantity": {"value": 72, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
        **elements,
    }


def rating(**elements: object) -> JsonObject:
    """An Observation that the profile keta-rating accepts, changed by these elements (None takes one away)."""
    time_point = {"system": KETA + "CodeSystem/keta-time-point", "code": "recovery"}
    record: JsonObject = {
        "resourceType": "Observation",
        "meta": {"profile": [KETA + "StructureDefinition/keta-rating"]},
        "extension": [{"url": KETA + "StructureDefinition/keta-time-point", "valueCoding": time_point}],
        "partOf": [{"reference": "Procedure/infusion-1"}],
        "status": "final",
        "category": [coded("http://terminology.hl7.org/CodeSystem/observation-category", "survey")],
        "code": coded(KETA + "CodeSystem/keta-concepts", "mood"),
        "subject": SUBJECT,
        "effectiveDateTime": "2026-09-07T10:00:00+02:00",
        "performer": [SUBJECT],
        "valueInteger": 7,
        **elements,
    }
    return {name: value for name, value in record.items() if value is not None}
