"""Small questionnaires, responses to them, and what R4 says of each: one table for unit tests and HL7's validator.

Expected findings come from the specification (R4 unless said otherwise). Where HL7's validator gives another verdict,
``differs`` says what the specification says instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

CORE = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
UCUM = "http://unitsofmeasure.org"
ONE, OTHER = "http://foreign.test/one", "http://foreign.test/other"
GENDER = "http://hl7.org/fhir/ValueSet/administrative-gender"
GENDERS = "http://hl7.org/fhir/administrative-gender"


@dataclass(frozen=True)
class Case:
    """A questionnaire's items, a response's items, and the findings (rule, FHIRPath below the response) expected."""

    name: str
    items: list[Json]
    answers: list[Json]
    findings: tuple[tuple[str, str], ...] = ()
    status: str = "completed"
    differs: str = ""
    contained: tuple[Json, ...] = ()

    @property
    def questionnaire(self) -> Json:
        resource: Json = {
            "resourceType": "Questionnaire",
            "url": f"http://foreign.test/Questionnaire/{self.name}",
            "version": "1",
            "name": "Foreign",
            "status": "active",
        }
        if self.contained:
            resource["contained"] = list(self.contained)
        return {**resource, "item": self.items}

    @property
    def response(self) -> Json:
        resource = {
            "resourceType": "QuestionnaireResponse",
            "questionnaire": self.questionnaire["url"],
            "status": self.status,
        }
        return {**resource, "item": self.answers} if self.answers else resource


def question(
    link_id: str, type_code: str, *inside: Json, extensions: Mapping[str, Json] | None = None, **more: Any
) -> Json:
    item: Json = {"linkId": link_id, "type": type_code, **more}
    if extensions:
        item["extension"] = [{"url": url, **value} for url, value in extensions.items()]
    return {**item, "item": list(inside)} if inside else item


def group(link_id: str, *inside: Json, **more: Any) -> Json:
    return question(link_id, "group", *inside, **more)


def answered(link_id: str, *answers: Json, **more: Any) -> Json:
    return {"linkId": link_id, **more, "answer": list(answers)}


def within(link_id: str, *items: Json, **more: Any) -> Json:
    return {"linkId": link_id, **more, "item": list(items)}


def text(value: str) -> Json:
    return {"valueString": value}


def yes(value: bool = True) -> Json:
    return {"valueBoolean": value}


def coded(code: str | None, system: str | None = ONE, **more: Any) -> Json:
    coding = {"system": system, "code": code, **more}
    return {"valueCoding": {name: part for name, part in coding.items() if part is not None}}


def quantity(value: float, code: str | None, unit: str | None = None) -> Json:
    parts = {"value": value, "unit": unit, "system": UCUM if code else None, "code": code}
    return {"valueQuantity": {name: part for name, part in parts.items() if part is not None}}


def when(link_id: str, operator: str, **answer: Any) -> Json:
    return {"question": link_id, "operator": operator, **answer}
