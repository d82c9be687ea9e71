"""Documents: what the Composition names is there, and what is there belongs to it (R4, Documents)."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_keta.validation.documents import document_faults
from tests.base_records import URN, observation, patient

JsonObject = dict[str, Any]
REFERENCE = {"reference": f"{URN}2"}
PERSON = patient(id="1", active=True)


def document(*entries: tuple[str, JsonObject], full_url: str = f"{URN}1", **content: Any) -> JsonObject:
    composition = {"resourceType": "Composition", "id": "c", **content}
    named = [(full_url, composition), *entries]
    return {
        "resourceType": "Bundle",
        "type": "document",
        "entry": [{"fullUrl": name, "resource": resource} for name, resource in named],
    }


def faults(bundle: JsonObject) -> list[tuple[str, str]]:
    return [(issue.rule, issue.expression) for issue in document_faults(bundle, "Bundle")]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({"subject": REFERENCE}, "subject"),
        ({"encounter": REFERENCE}, "encounter"),
        ({"author": [{"display": "x"}, REFERENCE]}, "author[1]"),
        ({"attester": [{"mode": "legal", "party": REFERENCE}]}, "attester[0].party"),
        ({"custodian": REFERENCE}, "custodian"),
        ({"event": [{"detail": [REFERENCE]}]}, "event[0].detail[0]"),
        ({"section": [{"author": [REFERENCE]}]}, "section[0].author[0]"),
        ({"section": [{"focus": REFERENCE}]}, "section[0].focus"),
        ({"section": [{"title": "x"}, {"section": [{"entry": [REFERENCE]}]}]}, "section[1].section[0].entry[0]"),
    ],
)
def test_what_must_be_included(content: JsonObject, place: str) -> None:
    assert faults(document(**content)) == [("reference-unresolved", f"Bundle.entry[0].resource.{place}")]
    assert faults(document((f"{URN}2", PERSON), **content)) == []


@pytest.mark.parametrize(
    "content",
    [
        {"relatesTo": [{"code": "appends", "targetReference": REFERENCE}]},
        {"extension": [{"url": "urn:x:y", "valueReference": REFERENCE}]},
        {"section": [{"extension": [{"url": "urn:x:y", "valueReference": REFERENCE}]}]},
        {"subject": {"reference": "#p"}, "contained": [patient(id="p")]},
        {"subject": {"identifier": {"value": "1"}}},
        {"subject": {"display": "x"}},
    ],
)
def test_what_need_not(content: JsonObject) -> None:
    assert faults(document(**content)) == []


@pytest.mark.parametrize(
    ("composition", "reference", "entry", "found"),
    [
        ("https://a.test/fhir/Composition/c", "Patient/1", "https://a.test/fhir/Patient/1", True),
        ("https://a.test/fhir/Composition/c", "Patient/1", "https://b.test/fhir/Patient/1", False),
        (f"{URN}1", "Patient/1", "https://a.test/fhir/Patient/1", False),
        (f"{URN}1", "https://a.test/fhir/Patient/1", "https://a.test/fhir/Patient/1", True),
        (f"{URN}1", "https://a.test/fhir/Patient/1#name", "https://a.test/fhir/Patient/1", True),
        ("https://a.test/fhir/Composition/c", "Patient/1/_history/3", "https://a.test/fhir/Patient/1", True),
        ("https://a.test/fhir/Composition/c", "Patient/1/_history/2", "https://a.test/fhir/Patient/1", False),
    ],
)
def test_where_references_lead(composition: str, reference: str, entry: str, found: bool) -> None:
    person = {**PERSON, "meta": {"versionId": "3"}}
    bundle = document((entry, person), full_url=composition, subject={"reference": reference})
    subject, orphan = "Bundle.entry[0].resource.subject", "Bundle.entry[1]"
    assert faults(bundle) == ([] if found else [("reference-unresolved", subject), ("bundle-orphan", orphan)])


def test_entries_are_linked_with_the_composition() -> None:
    about = observation(subject=REFERENCE)
    beyond = observation(derivedFrom=[{"reference": f"{URN}3"}])
    linked = document((f"{URN}2", PERSON), (f"{URN}3", about), (f"{URN}4", beyond), subject=REFERENCE)
    assert faults(linked) == [], "backwards, and through others"
    loose = document((f"{URN}2", PERSON), (f"{URN}5", observation()), subject=REFERENCE)
    assert faults(loose) == [("bundle-orphan", "Bundle.entry[2]")]


def test_a_stylesheet_belongs_to_a_document_by_its_link() -> None:
    style = {"resourceType": "Binary", "id": "s", "contentType": "text/css"}
    made = document((f"{URN}5", style))
    assert faults(made) == [("bundle-orphan", "Bundle.entry[1]")]
    assert faults({**made, "link": [None, {"relation": "stylesheet", "url": "Binary/s"}]}) == []
    assert faults({**made, "link": [{"relation": "self", "url": "Binary/s"}]}) == [("bundle-orphan", "Bundle.entry[1]")]


def test_what_a_message_is_about_is_in_it() -> None:
    header = {"resourceType": "MessageHeader", "focus": [{"display": "x"}, REFERENCE], "sender": {"reference": "A/1"}}
    entries = [{"fullUrl": f"{URN}1", "resource": header}, {"fullUrl": f"{URN}2", "resource": PERSON}]
    others = {"fullUrl": f"{URN}3", "resource": observation()}
    message = {"resourceType": "Bundle", "type": "message", "entry": [*entries, others]}
    assert faults(message) == []
    assert faults({**message, "entry": [entries[0]]}) == [("reference-unresolved", "Bundle.entry[0].resource.focus[1]")]


@pytest.mark.parametrize(
    "bundle",
    [
        {"type": "collection", "entry": document((f"{URN}5", PERSON))["entry"]},
        {"type": "document"},
        {"type": "document", "entry": {}},
        {"type": "document", "entry": []},
        {"type": "document", "entry": [{"resource": PERSON}, {"resource": PERSON}]},
        {"type": "document", "entry": [{"resource": {"resourceType": "Composition", "subject": [[{"reference": 1}]]}}]},
    ],
)
def test_of_what_is_no_document_nothing_is_said(bundle: JsonObject) -> None:
    assert faults(bundle) == []


def test_odd_entries_do_no_harm() -> None:
    bundle = document(subject=REFERENCE)
    bundle["entry"] += [None, 1, {"resource": []}, {"fullUrl": 1, "resource": {"meta": []}}]
    assert ("reference-unresolved", "Bundle.entry[0].resource.subject") in faults(bundle)
