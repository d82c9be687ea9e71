"""What the entries of a Bundle are called, and where references inside it lead."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_keta.definitions.library import base
from fhir_keta.validation.bundles import bundle_faults, entry_addresses, entry_resources
from fhir_keta.validation.validator import Validator
from tests.base_records import URN, observation, patient
from tests.unit.made_profiles import findings

JsonObject = dict[str, Any]


def bundle(type_: str, *entries: JsonObject) -> JsonObject:
    return {"resourceType": "Bundle", "type": type_, "entry": list(entries)}


PERSON = patient(id="1", active=True)


@pytest.mark.parametrize(
    ("type_", "full_url", "resource", "accepted"),
    [
        ("collection", URN + "1", PERSON, True),
        ("collection", "urn:oid:1.2.3.4", PERSON, True),
        ("collection", "https://ehr.test/fhir/Patient/1", PERSON, True),
        ("collection", "https://ehr.test/fhir/Patient/2", PERSON, False),
        ("collection", "https://ehr.test/fhir/Observation/1", PERSON, False),
        ("collection", "https://ehr.test/fhir/Patient/1", patient(active=True), False),
        ("collection", "https://ehr.test/fhir/Unheard/2", PERSON, True),  # no type of R4: any URL
        ("collection", "https://ehr.test/files/1.json", PERSON, True),
        ("collection", "Patient/1", PERSON, False),
        ("collection", "/Patient/1", PERSON, False),
        ("collection", None, PERSON, False),
        ("searchset", None, PERSON, False),
        ("document", None, PERSON, False),
        ("transaction", None, PERSON, True),
        ("batch", None, PERSON, True),
        ("batch-response", None, PERSON, True),
        ("transaction-response", None, PERSON, True),
        ("collection", None, None, True),
        ("history", None, None, False),
        ("history", "https://ehr.test/Patient/1", None, True),
        ("collection", "Patient/1", None, False),
        ("collection", 1, PERSON, True),  # another rule's finding
        ("collection", URN + "1", "x", True),
    ],
)
def test_full_urls(type_: str, full_url: Any, resource: Any, accepted: bool) -> None:
    entry = {key: value for key, value in (("fullUrl", full_url), ("resource", resource)) if value is not None}
    found = list(bundle_faults(bundle(type_, {"fullUrl": f"{URN}9"}, entry), "Bundle", base().resource_types))
    expected = [] if accepted else [("bundle-full-url", "Bundle.entry[1]")]
    assert [(issue.rule, issue.expression) for issue in found] == expected


def test_names_of_entries() -> None:
    versioned, unnamed = {"resourceType": "Group", "id": "g", "meta": {"versionId": "3"}}, observation()
    found = entry_resources(
        bundle(
            "collection",
            {"fullUrl": URN + "1", "resource": PERSON},
            {"fullUrl": URN + "2", "resource": unnamed},
            {"fullUrl": URN + "3"},
            {"fullUrl": "https://ehr.test/Group/g", "resource": versioned},
            {"resource": patient(id="7")},
        )
    )
    group = "https://ehr.test/Group/g"
    assert found == {URN + "1": PERSON, URN + "2": unnamed, group: versioned, f"{group}/_history/3": versioned}


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"entry": None, "link": [None, {"relation": 1}, []]},
        {"entry": {}},
        {"entry": [None, 1, {"resource": []}, {"resource": 1}, {"fullUrl": []}]},
    ],
)
def test_odd_shapes_have_no_names(odd: JsonObject) -> None:
    assert entry_resources(odd) == {}
    assert entry_addresses(odd) == {}
    assert list(bundle_faults(odd, "Bundle", base().resource_types)) == []


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator()


def test_references_are_followed_to_their_entries(validator: Validator) -> None:
    def about(reference: str) -> JsonObject:
        return bundle(
            "collection",
            {"fullUrl": URN + "1", "resource": PERSON},
            {"fullUrl": URN + "2", "resource": observation(id="o")},
            {"fullUrl": URN + "3", "resource": observation(subject={"reference": reference})},
        )

    assert findings(validator.check(about(URN + "1"))) == []
    assert findings(validator.check(about(URN + "9"))) == []  # elsewhere: not known what it is
    assert findings(validator.check(about(URN + "2"))) == [("reference-target", "Bundle.entry[2].resource.subject")]
    assert findings(validator.check(about("Observation/o"))) == [
        ("reference-target", "Bundle.entry[2].resource.subject")
    ]


def test_a_bundle_in_a_bundle_has_its_own_entries(validator: Validator) -> None:
    inner = bundle("collection", {"fullUrl": URN + "1", "resource": observation(subject={"reference": URN + "2"})})
    outer = bundle(
        "collection", {"fullUrl": URN + "2", "resource": observation()}, {"fullUrl": URN + "3", "resource": inner}
    )
    assert findings(validator.check(outer)) == []


def test_faults_of_entries_are_found_at_their_place(validator: Validator) -> None:
    record = bundle(
        "collection",
        {
            "fullUrl": URN + "1",
            "resource": observation(contained=[patient(id="p", gender="x")], subject={"reference": "#p"}),
        },
        {"fullUrl": URN + "2", "resource": {"resourceType": "Unheard", "active": True}},
        {"fullUrl": URN + "3", "resource": {"active": True}},
        {"fullUrl": URN + "4", "resource": []},
    )
    assert findings(validator.check(record)) == [
        ("element-type", "Bundle.entry[3].resource"),
        ("binding-required", "Bundle.entry[0].resource.contained[0].gender"),
        ("resource-type-unknown", "Bundle.entry[1].resource"),
        ("resource-type-missing", "Bundle.entry[2].resource"),
    ]
