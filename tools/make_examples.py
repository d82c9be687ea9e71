"""Make the example course in examples/: bundles, a bulk export and single files.

Re-run: ``python tools/make_examples.py [FOLDER]`` (default: examples). The plan of what happened is example_plan.py,
the texts and options come from profiles/. The output is the same, byte for byte, at every run. examples/invalid/ is not
made here: those files are written by hand.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import example_plan as plan
from example_plan import Session
from example_records import (
    BASE,
    INTERPRETATION,
    LOINC,
    Answered,
    Resource,
    category,
    claim,
    coding,
    observations,
    reference,
    response,
    table,
    without_nothing,
)

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


# ---- a session ------------------------------------------------------------------------------------------------------


class Clock:
    """Which span of time each recall means, as the course goes on."""

    def __init__(self) -> None:
        self.infusion: tuple[str, str] | None = None
        self.discharge: str | None = None
        self.last_form: str | None = None

    def periods(self, authored: str) -> dict[str, tuple[str, str]]:
        periods = {}
        if self.infusion:
            periods["infusion"] = self.infusion
        if self.discharge:
            periods["since-discharge"] = (self.discharge, authored)
            periods["since-last-form"] = (max(self.discharge, self.last_form or ""), authored)
        return periods


def session(one: Session, clock: Clock) -> Iterator[Resource]:
    """All records of an infusion, from the forms before it to the form a day later."""
    name = f"session-{one.number}"
    infusion, encounter = f"Procedure/{name}-infusion", f"Encounter/{name}-encounter"
    start, end = at(one.day, one.doses[0].start), at(one.day, one.doses[-1].end)
    clock.infusion = (start, end)
    yield _encounter(one, name)
    yield _infusion(name, encounter, start, end)
    for number, dose in enumerate(one.doses, 1):
        yield _administration(one, f"{name}-administration-{number}", dose, infusion, encounter)
    yield from _vital_signs(one, name, infusion, encounter)

    def answered(id_: str, form: str, when: str, point: str, author: str, source: str) -> Answered:
        return Answered(id_, form, when, point, PATIENT, author, source, infusion, encounter, clock.periods(when))

    yield from filled(
        answered(f"{name}-before", "keta-before", at(one.day, one.before), "baseline", PATIENT, PATIENT), plan.BEFORE
    )
    for minutes, time, answers in zip((15, 30), one.during, (plan.DURING_15, plan.DURING_30), strict=True):
        id_ = f"{name}-during-{minutes}"
        yield from filled(answered(id_, "keta-during", at(one.day, time), "during", NURSE, PATIENT), answers)
    yield from filled(
        answered(f"{name}-after", "keta-after", at(one.day, one.after), "recovery", PATIENT, PATIENT), plan.AFTER
    )
    for time in one.discharge:
        id_ = f"{name}-discharge" + ("" if time == one.discharge[-1] else "-refused")
        clock.discharge = at(one.day, time)
        yield from filled(
            answered(id_, "keta-discharge", clock.discharge, "discharge", CLINICIAN, CLINICIAN), plan.DISCHARGE
        )
    if one.number == 2:
        yield _adverse_event(one, encounter)
    yield from follow_up(f"{name}-24h", at(*one.next_day.split("T")), "24h", infusion, plan.FOLLOW_UP, clock)


def filled(answered: Answered, answers: str) -> Iterator[Resource]:
    """A response, what it yields, and what its severe answers propose."""
    columns = table(answers)
    column = next(columns[name] for name in _columns(answered.id) if name in columns)
    completed = response(answered, column | plan.WORDS.get(answered.id, {}))
    yield completed
    found = observations(answered, completed)
    yield from found
    for observation in found:
        yield from proposals(answered, observation)


def _columns(id_: str) -> list[str]:
    """The columns that can hold a response's answers, its whole id first: session-2-discharge-refused, session-2."""
    parts = id_.split("-")
    return ["-".join(parts[:length]) for length in range(len(parts), 1, -1)]


def follow_up(id_: str, when: str, point: str, infusion: str, answers: str, clock: Clock) -> Iterator[Resource]:
    """The keta-follow-up form, filled in at home."""
    periods = clock.periods(when)
    yield from filled(
        Answered(id_, "keta-follow-up", when, point, PATIENT, PATIENT, PATIENT, infusion, None, periods), answers
    )
    clock.last_form = when


def instruments(week: int, phq_9: str, gad_7: str, infusion: str | None) -> Iterator[Resource]:
    """PHQ-9 and GAD-7 of a week; those before the first infusion are the baseline and name no infusion."""
    point = "follow-up" if infusion else "baseline"
    for form, when, answers in (("phq-9", phq_9, plan.PHQ_9), ("gad-7", gad_7, plan.GAD_7)):
        authored = at(*when.split("T"))
        id_ = f"week-{week}-{form}"
        yield from filled(Answered(id_, form, authored, point, PATIENT, PATIENT, PATIENT, infusion, None, {}), answers)


def proposals(answered: Answered, observation: Resource) -> Iterator[Resource]:
    """The Flag and the Task that a positive PHQ-9 item 9 leads to, and the Task for an extreme side effect."""
    extreme = observation.get("valueCodeableConcept", {}).get("coding", [{}])[0].get("code") == "extremely"
    positive = observation.get("interpretation", [{}])[0].get("coding", [{}])[0].get("system") == INTERPRETATION
    if positive:
        text = (
            "PHQ-9 item 9 is above zero: thoughts of being better off dead or of self-harm. Talk with the patient now."
        )
        yield {
            "resourceType": "Flag",
            "id": observation["id"],
            "status": "active",
            "category": [concept("http://terminology.hl7.org/CodeSystem/flag-category", "safety", "Safety")],
            "code": {"coding": observation["code"]["coding"], "text": text},
            "subject": reference(answered.subject),
            "period": {"start": answered.authored},
        }
        yield _task(answered, observation, "urgent", text)
    elif extreme and observation["meta"] == claim("keta-side-effect"):
        yield _task(
            answered,
            observation,
            "routine",
            "A side effect is extreme. Look at it and record an AdverseEvent if it is one.",
        )


def _task(answered: Answered, observation: Resource, priority: str, text: str) -> Resource:
    return {
        "resourceType": "Task",
        "id": observation["id"],
        "status": "requested",
        "intent": "proposal",
        "priority": priority,
        "description": text,
        "focus": reference(f"Observation/{observation['id']}"),
        "for": reference(answered.subject),
        "authoredOn": answered.authored,
        "owner": reference(CLINIC),
        "reasonReference": reference(f"QuestionnaireResponse/{answered.id}"),
    }


def _encounter(one: Session, name: str) -> Resource:
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


def _infusion(name: str, encounter: str, start: str, end: str) -> Resource:
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


def _administration(one: Session, id_: str, dose: plan.Dose, infusion: str, encounter: str) -> Resource:
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


def _vital_signs(one: Session, name: str, infusion: str, encounter: str) -> Iterator[Resource]:
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


def _adverse_event(one: Session, encounter: str) -> Resource:
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


# ---- the course, and its files --------------------------------------------------------------------------------------


def course() -> dict[str, list[Resource]]:
    """The bundles by name, in the order in which they can be loaded: also that of their names."""
    clock = Clock()
    bundles: dict[str, list[Resource]] = {}
    weeks = {phq_9[:10]: (week, phq_9, gad_7) for week, phq_9, gad_7, _ in plan.WEEKS}
    infusion = None
    for one in plan.SESSIONS:
        records = people() if one.number == 1 else []
        if one.day in weeks:
            records += instruments(*weeks[one.day], infusion)
        records += session(one, clock)
        infusion = f"Procedure/session-{one.number}-infusion"
        bundles[f"session-{one.number}"] = records
    assert infusion is not None
    for week, phq_9, gad_7, form in plan.WEEKS:
        if form:
            records = list(instruments(week, phq_9, gad_7, infusion))
            when = at(*form.split("T"))
            records += follow_up(f"week-{week}-follow-up", when, "follow-up", infusion, plan.WEEKLY, clock)
            bundles[f"week-{week}"] = records
    return {name: [without_nothing(record) for record in records] for name, records in bundles.items()}


def transaction(name: str, records: list[Resource]) -> Resource:
    """One transaction that puts each record under its own id: loading it again changes nothing."""
    entries = []
    for record in records:
        target = f"{record['resourceType']}/{record['id']}"
        entries.append({"fullUrl": EXAMPLE + target, "resource": record, "request": {"method": "PUT", "url": target}})
    return {"resourceType": "Bundle", "id": name, "type": "transaction", "entry": entries}


def files() -> dict[str, str]:
    """Every made file, by its path below examples/."""
    bundles = course()
    records = [record for bundle in bundles.values() for record in bundle]
    made = {f"course/{name}.json": pretty(transaction(name, bundle)) for name, bundle in bundles.items()}
    for record in records:
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"
        path = f"export/{record['resourceType']}.ndjson"
        made[path] = made.get(path, "") + line
    by_name = {f"{record['resourceType']}/{record['id']}": record for record in records}
    return made | {path: pretty(by_name[name]) for path, name in plan.SINGLES.items()}


def pretty(resource: Resource) -> str:
    return json.dumps(resource, ensure_ascii=False, indent=2) + "\n"


def main(arguments: list[str]) -> None:
    folder = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent / "examples"
    for path, text in files().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
