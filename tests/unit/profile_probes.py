"""Small records that are valid against our profiles, and ways to change one thing in them.

No real patient is behind them.
"""

from __future__ import annotations

import copy
from typing import Any

Json = dict[str, Any]

BASE = "https://w3id.org/fhir-keta/"
STRUCTURE = f"{BASE}StructureDefinition/"
SYSTEM = f"{BASE}CodeSystem/"
HL7 = "http://terminology.hl7.org/CodeSystem/"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
ATC = "http://www.whocc.no/atc"
ORDINAL = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
EXTRACT = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-observationExtract"
PERIOD = {"start": "2026-03-02T10:00:00+01:00", "end": "2026-03-02T10:40:00+01:00"}
CRITERIA = ("oriented", "steady", "vitals-acceptable", "escort", "instructions", "driving-advice")


def concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def own(system: str, code: str) -> Json:
    return concept(f"{SYSTEM}keta-{system}", code)


def category(code: str) -> list[Json]:
    return [concept(f"{HL7}observation-category", code)]


def quantity(value: float, code: str) -> Json:
    return {"value": value, "unit": code, "system": UCUM, "code": code}


def time_point(code: str) -> Json:
    return {"url": f"{STRUCTURE}keta-time-point", "valueCoding": {"system": f"{SYSTEM}keta-time-point", "code": code}}


def component(code: str, **value: Any) -> Json:
    return {"code": own("concepts", code), **value}


def record(resource_type: str, profile: str, **elements: Any) -> Json:
    """A resource that claims the profile; an element given as None is left out."""
    given = {name: value for name, value in elements.items() if value is not None}
    return {"resourceType": resource_type, "id": "probe", "meta": {"profile": [STRUCTURE + profile]}, **given}


def observation(profile: str, code: Json, at: str, **elements: Any) -> Json:
    """An observation at a time point, of an infusion and at a moment unless the elements say otherwise."""
    usual: Json = {
        "extension": [time_point(at)],
        "partOf": [{"reference": "Procedure/infusion-1"}],
        "status": "final",
        "category": category("survey"),
        "code": code,
        "subject": {"reference": "Patient/one"},
        "effectiveDateTime": "2026-03-02T11:05:00+01:00",
        "performer": [{"reference": "Patient/one"}],
    }
    return record("Observation", profile, **(usual | elements))


def felt(profile: str, code: str, at: str, **elements: Any) -> Json:
    return observation(profile, own("concepts", code), at, **elements)


def readiness(ready: bool, unmet: str = "", *more: Json) -> Json:
    return felt(
        "keta-discharge-readiness",
        "discharge-readiness",
        "discharge",
        category=category("exam"),
        performer=[{"reference": "Practitioner/one"}],
        valueBoolean=ready,
        component=[*(component(name, valueBoolean=name != unmet) for name in CRITERIA), *more],
    )


def item(code: str, answer: str, **elements: Any) -> Json:
    more: Json = {
        "partOf": None,
        "valueCodeableConcept": concept(LOINC, answer),
        "derivedFrom": [{"reference": "QuestionnaireResponse/one"}],
    }
    return observation("keta-instrument-item", concept(LOINC, code), "baseline", **(more | elements))


def score(code: str, **elements: Any) -> Json:
    names = ("minimal", "mild", "moderate", "moderately severe", "severe")
    limits = ((0, 4), (5, 9), (10, 14), (15, 19), (20, 27))
    bands = [
        {"low": {"value": low}, "high": {"value": high}, "text": name}
        for name, (low, high) in zip(names, limits, strict=True)
    ]
    more: Json = {"partOf": None, "referenceRange": bands, "derivedFrom": [{"reference": "QuestionnaireResponse/one"}]}
    return observation("keta-score", concept(LOINC, code), "baseline", **(more | elements))


def option(system: str, code: str, ordinal: int) -> Json:
    scored = [{"url": ORDINAL, "valueDecimal": ordinal}]
    return {"extension": scored, "valueCoding": {"extension": scored, "system": SYSTEM + system, "code": code}}


def question(link_id: str, kind: str, extension: list[Json], **elements: Any) -> Json:
    code = [{"system": f"{SYSTEM}keta-concepts", "code": link_id}]
    return {"extension": extension, "linkId": link_id, "code": code, "text": "Asked", "type": kind, **elements}


ALERT: Json = {
    "url": f"{STRUCTURE}keta-alert",
    "extension": [
        {"url": "condition", "valueExpression": {"language": "text/fhirpath", "expression": "true"}},
        {"url": "level", "valueCode": "urgent"},
        {"url": "reason", "valueString": "Why"},
        {"url": "task", "valueBoolean": True},
    ],
}
FORM = record(
    "Questionnaire",
    "keta-questionnaire",
    url="https://clinic.example/Questionnaire/own",
    version="1.0.0",
    name="Own",
    title="Own form",
    status="active",
    subjectType=["Patient"],
    publisher="A clinic",
    description="A form of a clinic's own.",
    copyright="A clinic",
    item=[
        {
            "linkId": "group",
            "text": "Group",
            "type": "group",
            "item": [
                question(
                    "floating",
                    "choice",
                    [{"url": f"{STRUCTURE}keta-recall", "valueCode": "infusion"}, ALERT],
                    answerOption=[option("keta-intensity", "not-at-all", 0), option("keta-intensity", "slightly", 1)],
                ),
                question("mood", "integer", [{"url": EXTRACT, "valueBoolean": True}]),
            ],
        },
        {"linkId": "note", "text": "Note", "type": "display"},
    ],
)
RESPONSE: Json = {
    "questionnaire": f"{BASE}Questionnaire/phq-9|0.1.0",
    "status": "completed",
    "subject": {"reference": "Patient/one"},
    "authored": "2026-03-02T09:00:00+01:00",
    "author": {"reference": "Patient/one"},
    "source": {"reference": "Patient/one"},
}
ABNORMAL = [concept(f"{HL7}v3-ObservationInterpretation", "A")]

VALID: dict[str, Json] = {
    "floating": felt(
        "keta-experience",
        "floating",
        "recovery",
        effectiveDateTime=None,
        effectivePeriod=PERIOD,
        valueCodeableConcept=own("intensity", "strongly"),
        component=[
            component("how-it-felt", valueCodeableConcept=own("how-it-felt", "pleasant")),
            component("how-long", valueCodeableConcept=own("how-long", "minutes")),
            component("in-own-words", valueString="Like lying on water"),
        ],
    ),
    "overall": felt(
        "keta-experience", "overall-feeling", "during", valueCodeableConcept=own("how-it-felt", "very-unpleasant")
    ),
    "nausea": felt(
        "keta-side-effect",
        "nausea",
        "recovery",
        valueCodeableConcept=own("intensity", "slightly"),
        component=[component("ongoing", valueBoolean=True)],
    ),
    "vomiting": felt(
        "keta-side-effect", "vomiting", "24h", partOf=None, effectiveDateTime="2026-03-03", valueInteger=2
    ),
    "mood": felt("keta-rating", "mood", "baseline", partOf=None, valueInteger=0),
    "declined": felt(
        "keta-rating", "fear", "during", dataAbsentReason=concept(f"{HL7}data-absent-reason", "asked-declined")
    ),
    "change": felt("keta-change", "mood-change", "follow-up", valueCodeableConcept=own("change", "much-better")),
    "statement": felt(
        "keta-statement",
        "earlier-reaction",
        "baseline",
        partOf=None,
        valueBoolean=True,
        component=[component("in-own-words", valueString="Once, as a child")],
    ),
    "request": felt(
        "keta-statement", "infusion-request", "during", valueCodeableConcept=own("infusion-request", "pause")
    ),
    "benefit": felt(
        "keta-mood-benefit",
        "mood-benefit",
        "follow-up",
        partOf=None,
        effectiveDateTime=None,
        effectivePeriod={"start": "2026-03-03", "end": "2026-03-09"},
        valueQuantity=quantity(7, "d"),
        component=[component("ongoing", valueBoolean=False)],
    ),
    "concern": felt("keta-concern", "concern", "baseline", partOf=None, valueString="Will it hurt?"),
    "ready": readiness(True),
    "refused": readiness(False, "steady"),
    "explained": readiness(True, "steady", component("in-own-words", valueString="Walks with a stick, as before")),
    "item": item("44250-9", "LA6569-3"),
    "item 9": item("44260-8", "LA6569-3", interpretation=ABNORMAL),
    "item 9 zero": item("44260-8", "LA6568-5"),
    "difficulty": item("69722-7", "LA6573-5"),
    "score": score("44261-6", valueInteger=12),
    "score as quantity": score("44261-6", valueQuantity=quantity(12, "{score}")),
    "anxiety score": score("70274-6", valueInteger=21),
    "infusion": record(
        "Procedure",
        "keta-infusion",
        status="completed",
        code=concept(SNOMED, "14152002"),
        subject={"reference": "Patient/one"},
        performedPeriod=PERIOD,
        performer=[{"actor": {"reference": "Practitioner/one"}}],
        location={"reference": "Location/one"},
        reasonReference=[{"reference": "Condition/one"}],
    ),
    "administration": record(
        "MedicationAdministration",
        "keta-administration",
        partOf=[{"reference": "Procedure/infusion-1"}],
        status="completed",
        medicationCodeableConcept={
            "coding": [{"system": SNOMED, "code": "373464007"}, {"system": ATC, "code": "N01AX03"}]
        },
        subject={"reference": "Patient/one"},
        effectivePeriod=PERIOD,
        dosage={
            "extension": [{"url": f"{STRUCTURE}keta-dose-per-kg", "valueQuantity": quantity(0.5, "mg/kg")}],
            "route": concept(SNOMED, "47625008"),
            "dose": quantity(35, "mg"),
            "rateQuantity": quantity(0.75, "mg/kg/h"),
        },
    ),
    "event": record(
        "AdverseEvent",
        "keta-adverse-event",
        extension=[{"url": f"{STRUCTURE}keta-action-taken", "valueCodeableConcept": own("action", "infusion-paused")}],
        actuality="actual",
        event=concept(SNOMED, "24184005"),
        subject={"reference": "Patient/one"},
        date="2026-03-02T10:20:00+01:00",
        seriousness=concept(f"{HL7}adverse-event-seriousness", "Non-serious"),
        severity=concept(f"{HL7}adverse-event-severity", "moderate"),
        outcome=concept(f"{HL7}adverse-event-outcome", "resolved"),
        suspectEntity=[{"instance": {"reference": "MedicationAdministration/one"}}],
    ),
    "form": FORM,
    "response": record("QuestionnaireResponse", "keta-response", extension=[time_point("baseline")], **RESPONSE),
    "session response": record(
        "QuestionnaireResponse",
        "keta-response",
        extension=[time_point("recovery")],
        partOf=[{"reference": "Procedure/infusion-1"}],
        **RESPONSE,
    ),
}


def changed(valid: str, path: str, value: Any = None) -> Json:
    """The valid record with the element at the dotted path set, or left out when the value is None."""
    resource = copy.deepcopy(VALID[valid])
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = resource
    for step in way:
        place = place[step]
    if value is None:
        del place[last]
    elif isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return resource


def renamed(valid: str, old: str, new: str, value: Any) -> Json:
    """The valid record with one element replaced by another, such as a value of another type."""
    resource = copy.deepcopy(VALID[valid])
    del resource[old]
    return {**resource, new: value}
