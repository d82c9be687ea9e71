"""A server that refuses a transaction and keeps what it had carried out of it: the report says which."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fhir_keta.server.apply import apply
from fhir_keta.server.client import Answer, Client, Refused, Unavailable
from fhir_keta.server.plan import plan
from fhir_keta.server.sandbox import Sandbox
from tests.unit.uploads import PATIENT, about, bundle, observation, put, record

Resource = dict[str, Any]
SYSTEM = "http://example.org/ids"


class Careless(Client):
    """Carries out the first entries of a transaction, and then refuses it; ``after`` is called in between."""

    carried_out = 2
    after: Callable[[Careless], object] = staticmethod(lambda _client: None)

    def transaction(self, body: bytes, **options: Any) -> Answer:
        sent = json.loads(body)
        super().transaction(json.dumps({**sent, "entry": sent["entry"][: self.carried_out]}).encode(), **options)
        self.after(self)
        raise Refused("The third is wrong.", 422)


@pytest.fixture
def careless(sandbox: Sandbox) -> Iterator[Careless]:
    client = Careless(sandbox.url)
    yield client
    client.close()


def person(number: int, **more: Any) -> Resource:
    return {**PATIENT, "id": f"p{number}", "identifier": [{"system": SYSTEM, "value": str(number)}], **more}


def conditional(resource: Resource, value: str, full_url: str) -> Resource:
    request = {"method": "POST", "url": resource["resourceType"], "ifNoneExist": f"identifier={SYSTEM}|{value}"}
    identified = {**resource, "identifier": [{"system": SYSTEM, "value": value}]}
    return {"fullUrl": full_url, "resource": identified, "request": request}


def test_what_was_kept_of_a_refused_batch_is_not_sent_again(careless: Careless) -> None:
    report = apply(plan([record(person(number)) for number in range(4)], careless, batch_size=10), careless)
    assert [(each.status, each.version) for each in report.results] == [("created", "1")] * 4
    assert [bool(each.message) for each in report.results] == [True, True, False, False]


def test_what_was_kept_of_a_refused_transaction_is_told(careless: Careless) -> None:
    apply(plan([record(person(0))], careless), careless)
    changed = person(0, active=True)
    source = record(bundle(put(changed), put(observation("o", subject=about("Patient", "p0"))), put(person(2))))
    report = apply(plan([source], careless), careless)
    assert [each.status for each in report.results] == ["updated", "created", "refused"]
    assert [each.version for each in report.results] == ["2", "1", None]


def test_it_is_found_by_its_identifier_and_led_to_where_the_server_put_it(careless: Careless) -> None:
    subject = {"reference": "urn:uuid:00000000-0000-4000-8000-000000000001"}
    reading = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": subject}
    source = bundle(
        conditional({"resourceType": "Patient"}, "1", subject["reference"]),
        conditional(reading, "2", "urn:uuid:00000000-0000-4000-8000-000000000002"),
        conditional({"resourceType": "Patient"}, "3", "urn:uuid:00000000-0000-4000-8000-000000000003"),
    )
    report = apply(plan([record(source)], careless), careless)
    assert [each.status for each in report.results] == ["created", "created", "refused"]
    (stored,) = careless.search("Observation", {"identifier": f"{SYSTEM}|2"})
    assert stored["subject"] == {"reference": f"Patient/{report.results[0].id}"}


def test_records_that_get_their_ids_from_the_server_are_not_sent_again_either(careless: Careless) -> None:
    planned = plan([record(person(number)) for number in range(4)], careless, batch_size=10, ids="server")
    report = apply(planned, careless)
    assert [each.status for each in report.results] == ["created"] * 4
    assert len({each.id for each in report.results}) == 4
    assert len(list(careless.search("Patient", {}))) == 4


def test_what_somebody_else_put_there_meanwhile_is_not_ours(careless: Careless) -> None:
    careless.carried_out = 0
    other = json.dumps(person(1, active=True)).encode()
    careless.after = lambda client: client.update("Patient", "p1", other)
    report = apply(plan([record(bundle(put(person(1)), put(person(2))))], careless), careless)
    assert [each.status for each in report.results] == ["refused", "refused"]


@pytest.mark.parametrize("batch_size", [1, 10])
def test_a_search_that_lags_does_not_make_it_a_lie(
    careless: Careless, monkeypatch: pytest.MonkeyPatch, batch_size: int
) -> None:
    """Records of a batch are sent again, and refused as out of date: those of a transaction are read."""
    people = [person(number) for number in range(3)]
    apply(plan([record(each) for each in people], careless), careless)
    changed = [{**each, "active": True} for each in people]
    sources = [record(each) for each in changed] if batch_size > 1 else [record(bundle(*map(put, changed)))]
    planned = plan(sources, careless, batch_size=batch_size)
    monkeypatch.setattr(Careless, "search", lambda *_arguments: iter(()))
    report = apply(planned, careless)
    assert [each.status for each in report.results] == [
        "updated",
        "updated",
        "updated" if batch_size > 1 else "refused",
    ]
    assert {(careless.read("Patient", f"p{number}") or {})["meta"]["versionId"] for number in range(2)} == {"2"}


def test_when_the_server_can_not_be_asked_nobody_knows(careless: Careless, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_arguments: Any) -> Any:
        raise Unavailable("It is too busy.")

    planned = plan([record(person(number)) for number in range(4)], careless, batch_size=10)
    monkeypatch.setattr(Careless, "search", gone)
    report = apply(planned, careless)
    assert [each.status for each in report.results] == ["unknown"] * 4
    assert "a transaction was refused. Run again" in str(report.stopped)
