"""Bundles, each with the findings that the specification asks for."""

from __future__ import annotations

from tests.base_records import URN, JsonObject, case, observation, patient

POST = {"method": "POST", "url": "Basic"}
KEPT = patient(id="p", active=True)
REFERRING = observation(id="o", subject={"reference": "Patient/1"})
GOAL = {
    "url": "http://hl7.org/fhir/StructureDefinition/resource-pertainsToGoal",
    "valueReference": {"reference": "Goal/1"},
}


def _document(*resources: JsonObject) -> JsonObject:
    composition = {
        "resourceType": "Composition",
        "status": "final",
        "type": {"text": "x"},
        "subject": {"reference": f"{URN}1"},
        "date": "2020",
        "author": [{"display": "x"}],
        "title": "x",
    }
    return {
        "resourceType": "Bundle",
        "type": "document",
        "identifier": {"system": "urn:x:y", "value": "1"},
        "timestamp": "2020-01-01T10:00:00Z",
        "entry": [
            {"fullUrl": f"{URN}{number}", "resource": resource}
            for number, resource in enumerate((composition, *resources))
        ],
    }


BUNDLE_CASES = (
    case(
        "collection",
        {"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": URN + "1", "resource": observation()}]},
    ),
    case(
        "fault in an entry",
        {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [
                {"fullUrl": URN + "1", "resource": observation()},
                {"fullUrl": URN + "2", "resource": patient(gender="f")},
            ],
        },
        ("binding-required", "Bundle.entry[1].resource.gender"),
    ),
    case(
        "transaction without request",
        {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": observation()}]},
        ("bdl-3", "Bundle"),
    ),
    *(
        case(
            f"{type_} entry without fullUrl {name}",
            {"resourceType": "Bundle", "type": type_, "entry": [{"resource": resource, "request": POST}]},
            *((("bundle-full-url", "Bundle.entry[0]"),) if refers else ()),
        )
        for type_ in ("transaction", "batch")
        for name, resource, refers in (
            ("that refers to a server", observation(subject={"reference": "Patient/1"}), True),
            ("that refers by URL", observation(subject={"reference": "https://ehr.test/Patient/1"}), True),
            ("that refers to what it contains", observation(contained=[KEPT], subject={"reference": "#p"}), False),
            ("that refers in words", observation(subject={"display": "the patient"}), False),
            ("whose contained resource refers", observation(contained=[REFERRING], focus=[{"reference": "#o"}]), True),
            ("that refers in an extension", patient(extension=[GOAL]), True),
        )
    ),
    case(
        "response entry without fullUrl that refers",
        {
            "resourceType": "Bundle",
            "type": "transaction-response",
            "entry": [{"resource": observation(subject={"reference": "Patient/1"}), "response": {"status": "200"}}],
        },
    ),
    case("total outside a search", {"resourceType": "Bundle", "type": "collection", "total": 1}, ("bdl-1", "Bundle")),
    case(
        "document without identifier",
        {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"fullUrl": "urn:uuid:6c3b1a34-8a0f-4a0f-9d1e-0d6f1f0f8a11"}],
        },
        ("bdl-5", "Bundle.entry[0]"),
    ),
    case(
        "history that does not say of what",
        {
            "resourceType": "Bundle",
            "type": "history",
            "entry": [{"request": {"method": "DELETE", "url": "Patient/1"}, "response": {"status": "200"}}],
        },
        ("bundle-full-url", "Bundle.entry[0]"),
    ),
    case("document whose subject is in it", _document(patient(active=True))),
    case(
        "document whose subject is not in it",
        _document(),
        ("reference-unresolved", "Bundle.entry[0].resource.subject"),
    ),
    case(
        "document with more than it tells of",
        _document(patient(active=True), observation()),
        ("bundle-orphan", "Bundle.entry[2]"),
    ),
)
