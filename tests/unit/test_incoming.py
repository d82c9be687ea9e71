"""What is read to be uploaded: how it is told apart, what in it may name others, and what is refused."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis.strategies import (
    DataObject,
    booleans,
    data,
    integers,
    just,
    lists,
    none,
    recursive,
    sampled_from,
    text,
)

from fhir_keta.errors import InputError
from fhir_keta.records.source import Place, Record
from fhir_keta.server.client import Client
from fhir_keta.server.incoming import Incoming, incoming, parcels
from fhir_keta.server.order import in_dependency_order
from fhir_keta.server.plan import plan
from tests.unit.uploads import PATIENT, Resource, bundle, code_system, put, record


def only(source: Resource | Record) -> Incoming:
    (parcel,) = parcels([source])
    (item,) = parcel.items
    return item


def test_a_record_is_kept_as_the_bytes_read_with_all_digits() -> None:
    written = b'{"resourceType": "Observation",\n "id": "o", "valueQuantity": {"value": 6.50}}'
    item = only(Record(written, Place("in.json")))
    assert (item.text, item.sha256) == (written, sha256(written).hexdigest())
    assert str(item.resource["valueQuantity"]["value"]) == "6.50"
    assert isinstance(item.resource["valueQuantity"]["value"], Decimal)


def test_a_byte_order_mark_is_left_out_where_it_would_stand_in_the_midst_of_others() -> None:
    item = only(Record(b"\xef\xbb\xbf" + json.dumps(PATIENT).encode(), Place("in.json")))
    assert item.text == json.dumps(PATIENT).encode()
    assert item.resource == PATIENT


def test_entries_keep_their_digits_too() -> None:
    entry = put({"resourceType": "Observation", "id": "o", "valueQuantity": {"value": 7}})
    source = record(json.dumps(bundle(entry)).replace('"value": 7', '"value": 7.00'))
    assert b'"value":7.00' in only(source).text


def test_what_may_name_another_resource_is_found_and_nothing_else() -> None:
    resource = {
        "resourceType": "Observation",
        "id": "o",
        "meta": {"profile": ["http://example.org/p|1"]},
        "code": {"coding": [{"system": "urn:oid:1.2", "code": "a-b", "display": "Ratio: a/b"}]},
        "subject": {"reference": "Patient/p"},
        "performer": [{"reference": "Patient/p"}, {"reference": "#inside"}],
        "effectiveDateTime": "2024-01-02T03:04:05Z",
        "note": [{"text": "see http://example.org/p"}],
    }
    assert only(resource).mentions == ("http://example.org/p|1", "urn:oid:1.2", "Patient/p")


def test_a_replaced_resource_keeps_the_hash_of_what_was_read() -> None:
    item = only(record(PATIENT))
    linked = item.with_resource({**PATIENT, "managingOrganization": {"reference": "Organization/o"}})
    assert linked.sha256 == item.sha256
    assert linked.mentions == ("Organization/o",)
    assert linked.resource["managingOrganization"] == {"reference": "Organization/o"}


@pytest.mark.parametrize(
    ("resource", "canonical"),
    [
        (code_system(), "http://example.org/levels|1"),
        (code_system(version=None), "http://example.org/levels"),
        (code_system(url=7), None),
        ({**PATIENT, "url": "http://example.org/p"}, None),
    ],
)
def test_a_definition_is_what_has_a_url(resource: Resource, canonical: str | None) -> None:
    assert incoming(resource).canonical == canonical


# What cannot be uploaded


@settings(max_examples=150, deadline=None)
@given(data())
def test_no_json_at_all_does_more_than_be_refused(drawn: DataObject) -> None:
    """A Bundle in which one thing, anywhere, is replaced by any JSON: refused with InputError, or planned."""
    whole = bundle(
        put({**PATIENT, "meta": {"tag": [{"code": "x"}]}, "text": {"status": "additional"}}), put(code_system())
    )
    whole["entry"] += [put({**PATIENT, "text": {"status": "additional"}, "meta": {"tag": [{"code": "x"}]}})]
    anything = recursive(none() | booleans() | integers() | text(max_size=5), lambda inner: lists(inner, max_size=2))
    place: Any = whole
    while True:
        key = drawn.draw(sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or drawn.draw(booleans()):
            place[key] = drawn.draw(anything | just({}))
            break
        place = place[key]
    with suppress(InputError):
        in_dependency_order(parcels([record(whole)]))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{", "in.json:7: not JSON"),
        ("[]", "in.json:7: not a FHIR resource"),
        ({"id": "x"}, "in.json:7: not a FHIR resource"),
        ({"resourceType": "Patient/../metadata", "id": "x"}, "in.json:7: not a FHIR resource"),
        ({"resourceType": "Patient", "id": ".."}, "the id of this Patient is not a FHIR id"),
        ({"resourceType": "Patient", "id": "a/b"}, "the id of this Patient is not a FHIR id"),
        ({"resourceType": "Patient", "id": 7}, "the id of this Patient is not a FHIR id"),
        ('{"resourceType":"Patient","id":"x","contact":' + "[" * 70 + "]" * 70 + "}", "in.json:7: not JSON"),
        ({"resourceType": "Bundle", "type": "batch", "entry": {}}, "Bundle.entry is not a list"),
        (bundle("x"), r"Bundle.entry\[0\] is not well-formed"),  # type: ignore[arg-type]
        ({"resourceType": "Patient"}, "in.json:7: Patient has no id: give it one"),
        (bundle(kind="history"), "a Bundle of type history is not uploaded"),
        (bundle(kind="transaction-response"), "is not uploaded"),
        (bundle({"resource": {"resourceType": "Patient"}, "request": {"method": "PUT", "url": "Patient/x"}}), "no id"),
        (
            bundle({"resource": PATIENT, "request": {"method": "PUT", "url": "Patient/x"}}),
            "another address than Patient",
        ),
        (bundle({"resource": PATIENT, "request": {"method": "POST", "url": "Patient"}}), "POST without ifNoneExist"),
        (bundle({"resource": PATIENT}), r"Bundle.entry\[0\] is not a PUT or POST"),
        (bundle({"request": {"method": "DELETE", "url": "Patient/p"}}), r"Bundle.entry\[0\] has no resource"),
        (bundle(put(PATIENT), put({**PATIENT, "active": True})), r"Patient/p stands in .* with other content"),
    ],
)
def test_what_cannot_be_uploaded_is_refused_before_anything_is_sent(
    client: Client, source: Resource | str, said: str
) -> None:
    with pytest.raises(InputError, match=said) as error:
        plan([record({**PATIENT, "id": "first"}), record(source, line=7)], client)
    assert "\n" not in str(error.value)
    assert client.read("Patient", "first") is None
