"""The records of the example course that are not answers: people, places, the infusion, what was given and measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import example_plan as plan
from example_answers import BASE, LOINC, Resource, category, claim, coding, reference
from example_plan import Session

EXAMPLE = BASE + "example/"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
PATIENT = "Patient/keta-example-patient"
CLINICIAN = "Practitioner/keta-example-clinician"
NURSE = "Practitioner/keta-example-nurse"
CLINIC = "Organization/keta-example-clinic"
ROOM = "Location/keta-example-infusion-room"
DEPRESSION = "Condition/keta-example-depression"


def concept(system: str, code: str, display: str) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def at(day: str, time: str) -> str:
    """A dateTime in the clinic's zone, from a day and a time of day or from ``day``T``time`` alone."""
    return f"{day}T{time}:00{plan.ZONE}"


def identifier(kind: str, value: str) -> list[Resource]:
    return [{"system": EXAMPLE + kind, "value": value}]


# ---- people and places ----------------------------------------------------------------------------------------------


def people() -> list[Resource]:
    """Who and where: all of it invented, and named so that nobody can take it for real."""
    return [
        {
            "resourceType": "Organization",
            "id": CLINIC.split("/")[1],
            "identifier": identifier("organization", "example-clinic"),
            "active": True,
            "name": "Example Clinic (not a real place)",
        },
        {
            "resourceType": "Location",
            "id": ROOM.split("/")[1],
            "identifier": identifier("location", "example-infusion-room"),
            "status": "active",
            "name": "Infusion room, Example Clinic",
            "mode": "instance",
            "managingOrganization": reference(CLINIC),
        },
        *(
            {
                "resourceType": "Practitioner",
                "id": who.split("/")[1],
                "identifier": identifier("practitioner", f"example-{role}"),
                "active": True,
                "name": [{"use": "official", "family": "Example", "given": [role.capitalize()]}],
            }
            for who, role in ((CLINICIAN, "clinician"), (NURSE, "nurse"))
        ),
        {
            "resourceType": "Patient",
            "id": PATIENT.split("/")[1],
            "identifier": identifier("patient", "example-patient"),
            "active": True,
            "name": [{"use": "official", "family": "Example", "given": ["Patient"]}],
            "gender": "female",
            "birthDate": "1984-03-15",
        },
        {
            "resourceType": "Condition",
            "id": DEPRESSION.split("/")[1],
            "clinicalStatus": concept("http://terminology.hl7.org/CodeSystem/condition-clinical", "active", "Active"),
            "verificationStatus": concept(
                "http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed", "Confirmed"
            ),
            "category": [
                concept(
                    "http://terminology.hl7.org/CodeSystem/condition-category", "problem-list-item", "Problem List Item"
                )
            ],
            "code": concept(
                SNOMED, "36474008", "Severe recurrent major depression without psychotic features (disorder)"
            ),
            "subject": reference(PATIENT),
            "onsetDateTime": "2023-02",
            "recordedDate": "2026-08-20",
            "recorder": reference(CLINICIAN),
            "note": [
                {"text": "Treatment-resistant: no lasting response to two antidepressants, each taken long enough."}
            ],
        },
    ]


# ---- a session -------------------------------------------------------------------------------------------------------


def encounter_record(one: Session, name: str) -> Resource:
    return {
        "resourceType": "Encounter",
        "id": f"{name}-encounter",
        "status": "finished",
        "class": {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "code": "AMB",
            "display": "ambulatory",
        },
        "subject": reference(PATIENT),
        "period": {"start": at(one.day, "09:00"), "end": at(one.day, one.discharge[-1])},
        "reasonReference": [reference(DEPRESSION)],
        "location": [{"location": reference(ROOM)}],
        "serviceProvider": reference(CLINIC),
    }


def infusion_record(name: str, encounter: str, start: str, end: str) -> Resource:
    return {
        "resourceType": "Procedure",
        "id": f"{name}-infusion",
        "meta": claim("keta-infusion"),
        "identifier": identifier("infusion", f"example-{name}"),
        "status": "completed",
        "code": concept(SNOMED, "14152002", "Intravenous infusion (procedure)"),
        "subject": reference(PATIENT),
        "encounter": reference(encounter),
        "performedPeriod": {"start": start, "end": end},
        "performer": [{"actor": reference(CLINICIAN), "onBehalfOf": reference(CLINIC)}, {"actor": reference(NURSE)}],
        "location": reference(ROOM),
        "reasonReference": [reference(DEPRESSION)],
    }


def quantity(value: float, unit: str) -> Resource:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def administration_record(one: Session, id_: str, dose: plan.Dose, infusion: str, encounter: str) -> Resource:
    return {
        "resourceType": "MedicationAdministration",
        "id": id_,
        "meta": claim("keta-administration"),
        "partOf": [reference(infusion)],
        "status": "completed",
        "medicationCodeableConcept": {
            "coding": [
                {"system": SNOMED, "code": "373464007", "display": "Ketamine (substance)"},
                {"system": "http://www.whocc.no/atc", "code": "N01AX03", "display": "Ketamine"},
            ]
        },
        "subject": reference(PATIENT),
        "context": reference(encounter),
        "effectivePeriod": {"start": at(one.day, dose.start), "end": at(one.day, dose.end)},
        "performer": [{"actor": reference(NURSE)}],
        "reasonReference": [reference(DEPRESSION)],
        "dosage": {
            "extension": [
                {"url": BASE + "StructureDefinition/keta-dose-per-kg", "valueQuantity": quantity(dose.per_kg, "mg/kg")}
            ],
            "route": concept(SNOMED, "47625008", "Intravenous route (qualifier value)"),
            "dose": quantity(dose.milligrams, "mg"),
            "rateQuantity": quantity(dose.per_kg_per_hour, "mg/kg/h"),
        },
    }


def vital_signs(one: Session, name: str, infusion: str, encounter: str) -> Iterator[Resource]:
    def vital(id_: str, profile: str, time: str, code: Resource, value: Resource) -> Resource:
        return {
            "resourceType": "Observation",
            "id": f"{name}-{id_}",
            "meta": {"profile": [f"http://hl7.org/fhir/StructureDefinition/{profile}"]},
            "partOf": [reference(infusion)],
            "status": "final",
            "category": category("vital-signs", "Vital Signs"),
            "code": code,
            "subject": reference(PATIENT),
            "encounter": reference(encounter),
            "effectiveDateTime": at(one.day, time),
            "performer": [reference(NURSE)],
        } | value

    weight = {"valueQuantity": quantity(one.weight, "kg")}
    yield vital("weight", "bodyweight", one.vitals[0][1], concept(LOINC, "29463-7", "Body weight"), weight)
    for when, time, systolic, diastolic, heart_rate, breaths, saturation in one.vitals:
        pressures = (("8480-6", "Systolic blood pressure", systolic), ("8462-4", "Diastolic blood pressure", diastolic))
        components = [
            {"code": concept(LOINC, code, display), "valueQuantity": quantity(value, "mm[Hg]")}
            for code, display, value in pressures
        ]
        panel = concept(LOINC, "85354-9", "Blood pressure panel with all children optional")
        yield vital(f"{when}-blood-pressure", "bp", time, panel, {"component": components})
        rate = {"valueQuantity": quantity(heart_rate, "/min")}
        yield vital(f"{when}-heart-rate", "heartrate", time, concept(LOINC, "8867-4", "Heart rate"), rate)
        rate = {"valueQuantity": quantity(breaths, "/min")}
        yield vital(f"{when}-respiratory-rate", "resprate", time, concept(LOINC, "9279-1", "Respiratory rate"), rate)
        oximetry: dict[str, Any] = {
            "coding": [
                {"system": LOINC, "code": "2708-6", "display": "Oxygen saturation in Arterial blood"},
                {
                    "system": LOINC,
                    "code": "59408-5",
                    "display": "Oxygen saturation in Arterial blood by Pulse oximetry",
                },
            ]
        }
        percent = {"valueQuantity": quantity(saturation, "%")}
        yield vital(f"{when}-oxygen-saturation", "oxygensat", time, oximetry, percent)


def adverse_event_record(one: Session, encounter: str) -> Resource:
    actions = ("infusion-slowed", "discharge-delayed")
    prefix = "http://terminology.hl7.org/CodeSystem/adverse-event-"
    nausea = concept(SNOMED, "422587007", "Nausea (finding)")["coding"]
    return {
        "resourceType": "AdverseEvent",
        "id": f"session-{one.number}-nausea",
        "meta": claim("keta-adverse-event"),
        "extension": [
            {
                "url": BASE + "StructureDefinition/keta-action-taken",
                "valueCodeableConcept": {"coding": [coding("keta-action", action)]},
            }
            for action in actions
        ],
        "actuality": "actual",
        "event": {
            "coding": [coding("keta-concepts", "nausea"), *nausea],
            "text": "Extreme nausea in the last third of the infusion, vomited once.",
        },
        "subject": reference(PATIENT),
        "encounter": reference(encounter),
        "date": at(one.day, one.during[1]),
        "recordedDate": at(one.day, one.discharge[-1]),
        "location": reference(ROOM),
        "seriousness": concept(prefix + "seriousness", "Non-serious", "Non-serious"),
        "severity": concept(prefix + "severity", "moderate", "Moderate"),
        "outcome": concept(prefix + "outcome", "resolved", "Resolved"),
        "recorder": reference(CLINICIAN),
        "suspectEntity": [
            {
                "instance": reference(f"MedicationAdministration/session-{one.number}-administration-1"),
                "causality": [
                    {"assessment": concept(prefix + "causality-assess", "Probably-Likely", "Probably/Likely")}
                ],
            }
        ],
    }
