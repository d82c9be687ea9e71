"""Constraints of clinical and administrative resources that the compiler states as schema."""

from __future__ import annotations

from typing import Any

from tests.base_records import DATA_ABSENT, observation, patient
from tests.unit.key_case import JsonObject, KeyCase, case

UCUM = "http://unitsofmeasure.org"
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
_PERSON = {"reference": "Patient/1"}
_TEXT = {"text": "x"}


def _coded(system: str, code: str) -> JsonObject:
    return {"coding": [{"system": f"{_TERMINOLOGY}{system}", "code": code}]}


_ACTIVE_ALLERGY = _coded("allergyintolerance-clinical", "active")
_ACTIVE = _coded("condition-clinical", "active")
_ENTERED_IN_ERROR = _coded("condition-ver-status", "entered-in-error")


def _allergy(**more: Any) -> JsonObject:
    return {"resourceType": "AllergyIntolerance", "patient": _PERSON, **more}


def _appointment(status: str, **more: Any) -> JsonObject:
    participant = {"type": [_TEXT], "status": "accepted"}
    return {"resourceType": "Appointment", "status": status, "participant": [participant], **more}


def _condition(**more: Any) -> JsonObject:
    return {"resourceType": "Condition", "clinicalStatus": _ACTIVE, "code": _TEXT, "subject": _PERSON, **more}


def _composition(**section: Any) -> JsonObject:
    return {
        "resourceType": "Composition",
        "status": "final",
        "type": _TEXT,
        "date": "2020-01-01",
        "author": [_PERSON],
        "title": "x",
        "section": [{"title": "x", **section}],
    }


def _consent(scope: JsonObject, **more: Any) -> JsonObject:
    policy = {"policyRule": _TEXT}
    return {"resourceType": "Consent", "status": "active", "scope": scope, "category": [_TEXT], **policy, **more}


def _consent_about(code: str) -> JsonObject:
    """R4 really asks for the system ``something``."""
    return _consent({"coding": [{"system": "something", "code": code}]}, patient=_PERSON)


def _family(**more: Any) -> JsonObject:
    return {
        "resourceType": "FamilyMemberHistory",
        "status": "completed",
        "patient": _PERSON,
        "relationship": _TEXT,
        **more,
    }


def _list(mode: str, **more: Any) -> JsonObject:
    return {"resourceType": "List", "status": "current", "mode": mode, **more}


def _risk(**prediction: Any) -> JsonObject:
    return {"resourceType": "RiskAssessment", "status": "final", "subject": _PERSON, "prediction": [prediction]}


def _percent(value: int) -> JsonObject:
    return {"value": value, "unit": "%", "system": UCUM, "code": "%"}


_HOURS = {"start": "2020-01-01T09:00:00Z", "end": "2020-01-01T10:00:00Z"}
_STAGE = {"summary": _TEXT, "type": _TEXT}
_ENTRY = {"item": _PERSON}

CLINICAL_CASES: tuple[KeyCase, ...] = (
    case(
        "ait-1",
        _allergy(
            clinicalStatus=_ACTIVE_ALLERGY, verificationStatus=_coded("allergyintolerance-verification", "confirmed")
        ),
        {"clinicalStatus": None},
        "AllergyIntolerance",
    ),
    case(
        "ait-2",
        _allergy(verificationStatus=_coded("allergyintolerance-verification", "entered-in-error")),
        {"clinicalStatus": _ACTIVE_ALLERGY},
        "AllergyIntolerance",
    ),
    case("app-1", _appointment("booked", **_HOURS), {"participant.0.type": None}, "Appointment.participant[0]"),
    case("app-2", _appointment("proposed", **_HOURS), {"end": None}, "Appointment"),
    case("app-3", _appointment("waitlist"), {"status": "booked"}, "Appointment"),
    case("app-4", _appointment("cancelled", cancelationReason=_TEXT, **_HOURS), {"status": "fulfilled"}, "Appointment"),
    case(
        "apr-1",
        {
            "resourceType": "AppointmentResponse",
            "appointment": {"reference": "Appointment/1"},
            "participantType": [_TEXT],
            "participantStatus": "accepted",
        },
        {"participantType": None},
        "AppointmentResponse",
    ),
    case(
        "ces-1",
        {
            "resourceType": "CoverageEligibilityResponse",
            "status": "active",
            "purpose": ["benefits"],
            "patient": _PERSON,
            "created": "2020",
            "request": {"reference": "CoverageEligibilityRequest/1"},
            "outcome": "complete",
            "insurer": {"reference": "Organization/1"},
            "insurance": [{"coverage": {"reference": "Coverage/1"}, "item": [{"category": _TEXT}]}],
        },
        {"insurance.0.item.0.productOrService": _TEXT},
        "CoverageEligibilityResponse.insurance[0].item[0]",
    ),
    case("cmp-1", _composition(entry=[_PERSON]), {"section.0.entry": None}, "Composition.section[0]"),
    case(
        "cmp-2",
        _composition(
            text={"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}, emptyReason=_TEXT
        ),
        {"section.0.entry": [_PERSON]},
        "Composition.section[0]",
    ),
    case("con-1", _condition(stage=[_STAGE]), {"stage.0.summary": None}, "Condition.stage[0]"),
    case(
        "con-2",
        _condition(evidence=[{"code": [_TEXT], "extension": [{"url": DATA_ABSENT, "valueCode": "unknown"}]}]),
        {"evidence.0.code": None},
        "Condition.evidence[0]",
    ),
    case(
        "con-4",
        _condition(clinicalStatus=_coded("condition-clinical", "resolved"), abatementDateTime="2020"),
        {"clinicalStatus": _ACTIVE},
        "Condition",
    ),
    case("con-5", _condition(), {"verificationStatus": _ENTERED_IN_ERROR}, "Condition"),
    case(
        "cpl-3",
        {
            "resourceType": "CarePlan",
            "status": "active",
            "intent": "plan",
            "subject": _PERSON,
            "activity": [{"reference": {"reference": "Task/1"}}],
        },
        {"activity.0.detail": {"status": "scheduled"}},
        "CarePlan.activity[0]",
    ),
    case("fhs-1", _family(ageString="x"), {"bornDate": "1950"}, "FamilyMemberHistory"),
    case("fhs-2", _family(ageString="x", estimatedAge=True), {"ageString": None}, "FamilyMemberHistory"),
    case(
        "gol-1",
        {
            "resourceType": "Goal",
            "lifecycleStatus": "active",
            "description": _TEXT,
            "subject": _PERSON,
            "target": [{"measure": _TEXT, "detailString": "x"}],
        },
        {"target.0.measure": None},
        "Goal.target[0]",
    ),
    case(
        "grp-1",
        {"resourceType": "Group", "type": "person", "actual": True, "member": [{"entity": _PERSON}]},
        {"actual": False},
        "Group",
    ),
    case(
        "imm-1",
        {
            "resourceType": "Immunization",
            "status": "completed",
            "vaccineCode": _TEXT,
            "patient": _PERSON,
            "occurrenceDateTime": "2020",
            "education": [{"documentType": "x", "publicationDate": "2020"}],
        },
        {"education.0.documentType": None},
        "Immunization.education[0]",
    ),
    case(
        "imr-1",
        {
            "resourceType": "ImmunizationRecommendation",
            "patient": _PERSON,
            "date": "2020",
            "recommendation": [{"targetDisease": _TEXT, "forecastStatus": _TEXT}],
        },
        {"recommendation.0.targetDisease": None},
        "ImmunizationRecommendation.recommendation[0]",
    ),
    case(
        "ipn-1",
        {"resourceType": "InsurancePlan", "status": "active", "name": "x"},
        {"name": None},
        "InsurancePlan",
    ),
    case(
        "lnk-1",
        {
            "resourceType": "Linkage",
            "item": [{"type": "source", "resource": _PERSON}, {"type": "alternate", "resource": _PERSON}],
        },
        {"item.1": None},
        "Linkage",
    ),
    case("lst-1", _list("working", emptyReason=_TEXT), {"entry": [_ENTRY]}, "List"),
    case("lst-2", _list("changes", entry=[{"deleted": True, **_ENTRY}]), {"mode": "working"}, "List"),
    case("lst-3", _list("working", entry=[{"date": "2020", **_ENTRY}]), {"mode": "snapshot"}, "List"),
    case(
        "mad-1",
        {
            "resourceType": "MedicationAdministration",
            "status": "completed",
            "medicationCodeableConcept": _TEXT,
            "subject": _PERSON,
            "effectiveDateTime": "2020",
            "dosage": {"text": "x", "rateQuantity": {"value": 1, "unit": "x"}},
        },
        {"dosage.rateQuantity": None},
        "MedicationAdministration.dosage",
    ),
    case(
        "obs-3",
        observation(referenceRange=[{"high": {"value": 1}, "type": _TEXT}]),
        {"referenceRange.0.high": None},
        "Observation.referenceRange[0]",
    ),
    case("obs-6", observation(dataAbsentReason=_TEXT), {"valueBoolean": True}, "Observation"),
    case("org-1", {"resourceType": "Organization", "active": True, "name": "x"}, {"name": None}, "Organization"),
    case(
        "org-2",
        {"resourceType": "Organization", "name": "x", "address": [{"text": "y"}, {"use": "work", "text": "x"}]},
        {"address.1.use": "home"},
        "Organization.address[1]",
    ),
    case(
        "org-3",
        {"resourceType": "Organization", "name": "x", "telecom": [{"use": "work", "system": "phone", "value": "1"}]},
        {"telecom.0.use": "home"},
        "Organization.telecom[0]",
    ),
    case(
        "pat-1", patient(contact=[{"gender": "other", "name": _TEXT}]), {"contact.0.name": None}, "Patient.contact[0]"
    ),
    case("ppc-1", _consent(_TEXT), {"policyRule": None}, "Consent"),
    case("ppc-2", _consent_about("patient-privacy"), {"patient": None}, "Consent"),
    case("ppc-3", _consent_about("research"), {"patient": None}, "Consent"),
    case("ppc-4", _consent_about("adr"), {"patient": None}, "Consent"),
    case("ppc-5", _consent_about("treatment"), {"patient": None}, "Consent"),
    case(
        "prr-1",
        {
            "resourceType": "ServiceRequest",
            "status": "active",
            "intent": "order",
            "subject": _PERSON,
            "code": _TEXT,
            "orderDetail": [_TEXT],
        },
        {"code": None},
        "ServiceRequest",
    ),
    case(
        "qrs-1",
        {
            "resourceType": "QuestionnaireResponse",
            "status": "completed",
            "item": [{"linkId": "a", "answer": [{"valueBoolean": True}]}],
        },
        {"item.0.item": [{"linkId": "b", "answer": [{"valueBoolean": True}]}]},
        "QuestionnaireResponse.item[0]",
    ),
    case(
        "ras-1",
        _risk(probabilityRange={"low": _percent(1), "high": _percent(2)}),
        {"prediction.0.probabilityRange.high.code": "1"},
        "RiskAssessment.prediction[0].probability.ofType(Range)",
    ),
    case(
        "ras-2",
        _risk(probabilityDecimal=100),
        {"prediction.0.probabilityDecimal": 100.5},
        "RiskAssessment.prediction[0]",
    ),
    case(
        "rqg-1",
        {
            "resourceType": "RequestGroup",
            "status": "active",
            "intent": "order",
            "action": [{"resource": {"reference": "Task/1"}}],
        },
        {"action.0.action": [{"resource": {"reference": "Task/1"}}]},
        "RequestGroup.action[0]",
    ),
    case(
        "sev-1",
        {
            "resourceType": "AuditEvent",
            "type": {"code": "rest", "system": f"{_TERMINOLOGY}audit-event-type"},
            "recorded": "2020-01-01T00:00:00Z",
            "agent": [{"requestor": True}],
            "source": {"observer": _PERSON},
            "entity": [{"name": "x"}],
        },
        {"entity.0.query": "eA=="},
        "AuditEvent.entity[0]",
    ),
)
