"""Small records to start a test from, and a case: a record with the findings it must give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

JsonObject = dict[str, Any]
Finding = tuple[str, str]

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
URN = "urn:uuid:6c3b1a34-8a0f-4a0f-9d1e-0d6f1f0f8a1"
DATA_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'


@dataclass(frozen=True)
class BaseCase:
    """``findings`` are (rule, FHIRPath) of every error; ``oracle`` is False where HL7's validator differs."""

    name: str
    resource: JsonObject
    findings: tuple[Finding, ...] = ()
    oracle: bool = True


def observation(**elements: Any) -> JsonObject:
    return {"resourceType": "Observation", "status": "final", "code": {"text": "a measurement"}, **elements}


def patient(**elements: Any) -> JsonObject:
    return {"resourceType": "Patient", **elements}


def without(resource: JsonObject, *names: str) -> JsonObject:
    return {name: value for name, value in resource.items() if name not in names}


def case(name: str, resource: JsonObject, *findings: Finding, oracle: bool = True) -> BaseCase:
    return BaseCase(name, resource, findings, oracle)


def bundle(full_url: str, resource: JsonObject, type_: str = "collection") -> JsonObject:
    return {"resourceType": "Bundle", "type": type_, "entry": [{"fullUrl": full_url, "resource": resource}]}
