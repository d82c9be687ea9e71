"""Bundles, each with the findings that the specification asks for."""

from __future__ import annotations

from typing import Any

from tests.base_records import URN, JsonObject, bundle, case, observation, patient

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


def _linked(type_: str, *relations: str, **members: Any) -> JsonObject:
    """A Bundle with these links, none of which leads anywhere in it."""
    links = [{"relation": relation, "url": "https://ehr.test/Patient?name=x"} for relation in relations]
    return {"resourceType": "Bundle", "type": type_, "link": links, **members}


def _styled(url: str) -> JsonObject:
    style = {"resourceType": "Binary", "id": "1", "contentType": "text/css"}
    return {**_document(patient(active=True), style), "link": [{"relation": "stylesheet", "url": url}]}


def _versions(reference: str) -> JsonObject:
    """A collection of two versions of a patient, and an observation that refers to one."""
    persons = [patient(id="p", meta={"versionId": version}, active=True) for version in ("1", "2")]
    resources = [*persons, observation(id="o", subject={"reference": reference})]
    urls = ["https://ehr.test/Patient/p"] * 2 + ["https://ehr.test/Observation/o"]
    entries = [{"fullUrl": url, "resource": resource} for url, resource in zip(urls, resources, strict=True)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


_HEADER = {"resourceType": "MessageHeader", "eventUri": "urn:x:y", "source": {"endpoint": "http://ehr.test/x"}}
_AMBIGUOUS = ("reference-ambiguous", "Bundle.entry[2].resource.subject")


def _message(*resources: JsonObject, about: str) -> JsonObject:
    header = {**_HEADER, "focus": [{"reference": about}]}
    entries = [{"fullUrl": f"{URN}{number}", "resource": each} for number, each in enumerate((header, *resources))]
    return {"resourceType": "Bundle", "type": "message", "entry": entries}


def _defined(full_url: str, url: str) -> JsonObject:
    resource = {"resourceType": "ValueSet", "id": "a", "url": url, "status": "active"}
    return bundle(full_url, resource)


_LINKS = (
    case("pages of a search", _linked("searchset", "self", "first", "previous", "next", "last")),
    case("two links to a search itself", _linked("searchset", "self", "self"), ("bundle-link", "Bundle.link[1]")),
    case("two next pages of a history", _linked("history", "next", "next"), ("bundle-link", "Bundle.link[1]")),
    case("two links of no page", _linked("searchset", "alternate", "alternate")),
    case("next page of a collection", _linked("collection", "next"), ("bundle-link", "Bundle.link[0]")),
    case("last page of a batch", _linked("batch", "last"), ("bundle-link", "Bundle.link[0]")),
    case("two links to a collection itself", _linked("collection", "self", "self"), ("bundle-link", "Bundle.link[1]")),
    case("stylesheet in the document", _styled("Binary/1")),
    case(
        "stylesheet that is not in the document",
        _styled("Binary/2"),
        ("bundle-link", "Bundle.link[0]"),
        ("bundle-orphan", "Bundle.entry[2]"),
    ),
    case("message with what it is about", _message(patient(active=True), about=f"{URN}1")),
    case(
        "message without what it is about",
        _message(patient(active=True), about=f"{URN}2"),
        ("reference-unresolved", "Bundle.entry[0].resource.focus[0]"),
    ),
    case("reference to one of two versions", _versions("https://ehr.test/Patient/p"), _AMBIGUOUS),
    case("relative reference to one of two versions", _versions("Patient/p"), _AMBIGUOUS),
    case("reference to the version", _versions("Patient/p/_history/2")),
    case("definition by its URL", _defined("https://ehr.test/ValueSet/a", "https://ehr.test/ValueSet/a")),
    case(
        "definition by its canonical URL",
        _defined("https://ehr.test/sets/b", "https://ehr.test/sets/b"),
        ("bundle-full-url", "Bundle.entry[0]"),
    ),
)

BUNDLE_CASES = (
    *_LINKS,
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
